"""The machine's NICs: their names, their addresses on the wire, and what each is cabled to."""

from __future__ import annotations

MANAGEMENT, SECOND = "ens33", "ens41"
"""On networks of their own, through which the API is reached; everything else is the tests'."""
CABLES = (("ens38", "ens37"), ("ens39", "ens40"))
"""Cabled to each other, so that a bond of one side is the partner of a bond of the other."""
NICS = ("ens33", "ens37", "ens38", "ens39", "ens40", "ens41")
FREE = ("ens38", "ens39", "ens37", "ens40")
"""Those that tests may use: a bond's two, and what they are cabled to."""
NO_JUMBO, USUAL_MTU = ("ens40",), 1500
"""NICs whose driver refuses a larger MTU, as that of many cards does."""


def ends(nic: str) -> tuple[str, ...]:
    """The NICs that lose their carrier when this one's cable is pulled."""
    return next((cable for cable in CABLES if nic in cable), (nic,))


def mac(nic: str) -> str:
    """Locally administered, and made of the name."""
    return f"52:54:00:00:00:{nic.removeprefix('ens')}"


def link_file(nic: str) -> str:
    """What makes systemd-udevd name a NIC so."""
    return f"[Match]\nPermanentMACAddress={mac(nic)}\n\n[Link]\nName={nic}\n"
