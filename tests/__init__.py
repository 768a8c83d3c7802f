"""The tests mirror the folders that they test; what they share lies here.

Helpers of one room are in its folder; `oracle/` is a second, plain implementation of the specification.
"""

from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[1]
"""The project's top folder."""
GOLDEN: Final = ROOT / "tests" / "golden"
"""Golden records, a folder a format."""
SHARED: Final = ROOT.parent / "shared"
"""Data that is not the project's own; where it is not there, what needs it says so and is skipped."""
