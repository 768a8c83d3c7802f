"""What the installed command `uncommon-im` runs: the command line, in a process that ends quietly when told to."""

from __future__ import annotations

import os
import signal
import sys
from typing import NoReturn


def run() -> NoReturn:
    """Runs one command and exits with its status."""
    # While the rest is imported, and after a command is done, Ctrl-C has nothing to tidy up and no traceback to show.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    from uncommon_im.pipeline.cli.main import main
    from uncommon_im.pipeline.cli.stopping import status_of

    status = main()
    if status > status_of(0):  # it was told to stop: all is tidied up, and to free what it holds may take seconds
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)
    sys.exit(status)


if __name__ == "__main__":
    run()
