"""What can go wrong, on order: faults as data.

N is a request, counted from 1 at this server or adapter. A fault of a connection or an answer happens at that request,
a fault of a reload in the first reload from there on, a lasting one from there on.
"""

from __future__ import annotations

from pvenet.sim.faults.fault import Fault, parse
from pvenet.sim.faults.kinds import KINDS, usage
from pvenet.sim.faults.scene import Scene
from pvenet.sim.faults.script import Script

__all__ = ["KINDS", "Fault", "Scene", "Script", "parse", "usage"]
