"""The difference of two texts as `diff -b -u` shows it, which is how PVE shows what is pending (pve-api#diff).

Where several differences are as short, tools choose differently; this package chooses as GNU diff does, so
that the pending diff of a simulated node is the real one's, byte for byte.
"""

from pvenet.sim.diff.unified import changes

__all__ = ["changes"]
