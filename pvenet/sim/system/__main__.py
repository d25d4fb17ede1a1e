"""`python3 -m pvenet.sim.system`: serve the machine that this runs on."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from pvenet.sim.files import SimError
from pvenet.sim.server import serve
from pvenet.sim.system.this_machine import open_system

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pvenet.sim.server import Endpoint


def main(arguments: Sequence[str]) -> None:
    """Serve this machine until SIGINT or SIGTERM comes."""
    parser = argparse.ArgumentParser(prog="python3 -m pvenet.sim.system", description="The API over this very machine.")
    parser.add_argument("folder", metavar="DIR", type=Path, help="where users, tasks and the certificate are kept")
    parser.add_argument("--listen", metavar="HOST:PORT", default="127.0.0.1:8006", help="default: %(default)s")
    parser.add_argument("--node", help="the node's name; default: the host's")
    parser.add_argument(
        "--fault", action="append", default=[], metavar="KIND[=VALUE]@WHERE", help="see pvenet sim faults"
    )
    given = parser.parse_args(arguments)
    host, _, port = given.listen.rpartition(":")
    if not host or not port.isdecimal():
        parser.error(f"--listen {given.listen} is not HOST:PORT")
    try:
        sim = open_system(given.folder, node=given.node)
        serve(
            sim, host=host.strip("[]"), port=int(port), faults=given.fault, announce=lambda at: _tell(at, given.folder)
        )
    except (SimError, OverflowError, ModuleNotFoundError) as error:
        sys.exit(f"error: {error}")


def _tell(at: Endpoint, folder: Path) -> None:
    """No secret: what is said here may end up in a log."""
    sys.stdout.write(f"serving this machine at {at.url}, fingerprint {at.fingerprint}\n")
    sys.stdout.write(f"the secret of {at.token_id} is in {folder / 'users.json'}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main(sys.argv[1:])
