"""The same events in a vendor's dialects: what a test organisation looks like in records of Cortex XDR."""

from tests.dialects.portable import portable_organisation
from tests.dialects.writer import Written, write_xdr

__all__ = ["Written", "portable_organisation", "write_xdr"]
