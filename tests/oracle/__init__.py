"""An independent, deliberately plain reading of the detector's specification, to check the pipeline against.

It shares the YAML catalogue with the pipeline and nothing else: dicts, sets and sorting over a list in memory.
"""

from tests.oracle.detect import Result, detect
from tests.oracle.options import Options

__all__ = ["Options", "Result", "detect"]
