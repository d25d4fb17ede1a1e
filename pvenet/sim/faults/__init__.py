"""What can go wrong, on order: faults as data.

Each names a request, by what it asks or by its number, counted from 1 at this server or adapter. A fault of a
connection or an answer happens at that request, a fault of a reload in the first reload from there on, a lasting one
from there on; where the request names a node, at that node, but for a privilege, which then nobody has anywhere.
"""

from __future__ import annotations

from pvenet.sim.faults.catalogue import KINDS, usage
from pvenet.sim.faults.fault import HELP, Address, Fault, parse
from pvenet.sim.faults.scene import Scene
from pvenet.sim.faults.script import Script

__all__ = ["HELP", "KINDS", "Address", "Fault", "Scene", "Script", "parse", "usage"]
