"""The interfaces(5) file as PVE reads and writes it."""

from .model import Host, Interface, Loose, Parsed, Property
from .parse import parse
from .write import write

__all__ = ["Host", "Interface", "Loose", "Parsed", "Property", "parse", "write"]
