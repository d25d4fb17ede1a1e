"""The interfaces(5) file as PVE reads and writes it, and what requests make of it. Pure: text in, data or text out."""

from pvenet.sim.diff import changes
from pvenet.sim.interfaces.model import Host, Interface, Loose, Parsed, Property
from pvenet.sim.interfaces.parse import parse
from pvenet.sim.interfaces.staging import create, delete, entry, listing, requested, rewrite, update
from pvenet.sim.interfaces.write import write

__all__ = [
    "Host",
    "Interface",
    "Loose",
    "Parsed",
    "Property",
    "changes",
    "create",
    "delete",
    "entry",
    "listing",
    "parse",
    "requested",
    "rewrite",
    "update",
    "write",
]
