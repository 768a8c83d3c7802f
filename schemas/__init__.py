"""What data looks like: records, vendor mappings, the detector card, the catalogue."""
