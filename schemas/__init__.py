"""What data looks like: records, vendor mappings, the detector card, the catalogue.

Forms of files are `msgspec` structs: `documents` reads YAML, `decoding` turns it into entries and says what is wrong
and where, `metadata` is the base of what folders of Parquet files say of themselves.
"""
