"""The `pvenet` command; `python -m pvenet` is the same."""

from __future__ import annotations

import gc
import sys
from contextlib import suppress

INTERRUPTED = 130
"""The exit code of `errors.Interrupted`, which may not be loaded yet."""


def entry() -> None:
    """Run the command line that the process was started with, and exit with its code."""
    gc.set_threshold(500_000)  # it lives for moments, and importing makes much that is no garbage
    try:
        from pvenet.cli import entry as run

        run()
    except KeyboardInterrupt:  # before there is anybody who says it better
        with suppress(AttributeError, OSError, ValueError):  # none, or one that takes nothing
            sys.stderr.write("error: interrupted\n")
        sys.exit(INTERRUPTED)
    finally:
        gc.freeze()  # what is left goes with the process: Python would search all of it for garbage first, twice


if __name__ == "__main__":
    entry()
