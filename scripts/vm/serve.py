"""Runs in the guest: the API over this machine, with the secret that was delivered, on every address it has.

What the host has to know of it goes through a port that leads there and nowhere else.
"""

from __future__ import annotations

import json
import os
from pathlib import Path

from pvenet.sim.server import serve
from pvenet.sim.system import open_system

DELIVERED = Path("/run/pvenet")
PORT = Path("/dev/virtio-ports/pvenet.told")


def main() -> None:
    try:
        sim = open_system(Path("/var/lib/pvenet"), secret=(DELIVERED / "secret").read_text().strip())
        serve(sim, host="0.0.0.0", port=8006, announce=lambda at: tell(fingerprint=at.fingerprint))
    except Exception as error:
        tell(error=f"{type(error).__name__}: {error}")
        raise


def tell(**words: str | None) -> None:
    port = os.open(PORT, os.O_WRONLY)  # which makes no file where there is no port
    os.write(port, f"{json.dumps(words)}\n".encode())
    os.close(port)


if __name__ == "__main__":
    main()
