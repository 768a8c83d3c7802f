"""`uncommon-im daily`: a chain of days that looks after itself."""
