"""What the launcher of a Flex Template runs (FLEX_TEMPLATE_PYTHON_PY_FILE): it takes a file, not a module."""

import sys

from uncommon_im.pipeline.cli.dataflow.launch import run

if __name__ == "__main__":
    sys.exit(run(sys.argv[1:]))
