"""Runs in the guest: the API over this machine, with the secret that was delivered, on every address it has."""

from __future__ import annotations

from pathlib import Path

from pvenet.sim.server import serve
from pvenet.sim.system import open_system

DELIVERED = Path("/run/pvenet")


def main() -> None:
    sim = open_system(Path("/var/lib/pvenet"), secret=(DELIVERED / "secret").read_text().strip())
    serve(sim, host="0.0.0.0", port=8006, announce=lambda at: print(f"serving {at.url}", flush=True))


if __name__ == "__main__":
    main()
