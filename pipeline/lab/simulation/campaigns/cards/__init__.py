"""Campaigns as cards, one YAML file each; read by `campaigns.deck`."""
