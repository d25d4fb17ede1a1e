"""The `pvenet` command; `python -m pvenet` is the same."""

from __future__ import annotations

import gc


def entry() -> None:
    """Run the command line that the process was started with, and exit with its code."""
    gc.set_threshold(500_000)  # it lives for moments, and importing makes much that is no garbage
    from pvenet.cli import entry as run

    try:
        run()
    finally:
        gc.freeze()  # what is left goes with the process: Python would search all of it for garbage first, twice


if __name__ == "__main__":
    entry()
