"""Ordinary traffic: habits, messaging, destinations."""
