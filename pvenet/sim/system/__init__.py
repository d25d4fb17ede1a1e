"""System mode: the simulated API over the machine that it runs on, which really changes.

The file is the machine's own /etc/network/interfaces, a reload is a real `ifreload -a` with its output and exit code,
and `active` is what the kernel says. It is for throw-away machines, such as `scripts/nested-vm` boots, and starts only
where a file says that the machine may be broken. Needs the standard library and `cryptography`:

    python3 -m pvenet.sim.system DIR --listen 0.0.0.0:8006
"""

from __future__ import annotations

from pvenet.sim.system.this_machine import Place, open_system

__all__ = ["Place", "open_system"]
