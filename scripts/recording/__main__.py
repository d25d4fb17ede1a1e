"""`python -m recording`."""

import signal
import sys

from recording.cli import main


def _interrupt(_number: int, _frame: object) -> None:
    raise KeyboardInterrupt


signal.signal(signal.SIGTERM, _interrupt)  # the node is put back then, too
signal.signal(signal.SIGHUP, _interrupt)
sys.exit(main())
