"""What the launcher of a Flex Template runs (FLEX_TEMPLATE_PYTHON_PY_FILE): it takes a file, not a module."""

import sys

from pipeline.flex import run

if __name__ == "__main__":
    sys.exit(run(sys.argv[1:]))
