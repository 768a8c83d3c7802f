"""The decisions of the detector: pure Python and Arrow. No Beam, no cloud, no clock, no files."""
