"""The commands of `uncommon-im`: what each takes, and what it does."""
