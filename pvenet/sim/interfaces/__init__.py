"""The interfaces(5) file as PVE reads and writes it."""

from pvenet.sim.interfaces.model import Host, Interface, Loose, Parsed, Property
from pvenet.sim.interfaces.parse import parse
from pvenet.sim.interfaces.write import write

__all__ = ["Host", "Interface", "Loose", "Parsed", "Property", "parse", "write"]
