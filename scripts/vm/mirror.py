"""Where Debian's packages come from: from where the user says, else from where this machine's own come."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

VARIABLE = "PVENET_VM_MIRROR"
APT = Path("/etc/apt")
ARCHIVES = {"/debian": "{suite}", "/debian-security": "{suite}-security"}
"""How the addresses of Debian's archives end, and the suite in each. Ubuntu's and third parties' end otherwise."""
ONE_LINE = re.compile(r"^deb\s+(?:\[[^]]*\]\s+)?(\S+)\s", re.MULTILINE)
DEB822 = re.compile(r"^URIs:\s*(.+)$", re.MULTILINE | re.IGNORECASE)


def chosen(suite: str, environ: Mapping[str, str], apt: Path = APT) -> list[str]:
    """What mmdebstrap is told as its mirrors; nothing, where it has to know them itself."""
    if named := environ.get(VARIABLE):
        return [named]
    found: dict[str, str] = {}
    for uri in _addresses(apt):
        for end, name in ARCHIVES.items():
            if uri.rstrip("/").endswith(end):
                found.setdefault(end, f"deb {uri} {name.format(suite=suite)} main")
    return list(found.values()) if "/debian" in found else []


def _addresses(apt: Path) -> list[str]:
    """Everything that apt is told to take packages from."""
    found: list[str] = []
    for place in (apt / "sources.list", *sorted((apt / "sources.list.d").glob("*"))):
        if place.is_file() and place.suffix in {".list", ".sources"}:
            text = place.read_text("utf-8", errors="replace")
            found += ONE_LINE.findall(text) if place.suffix == ".list" else " ".join(DEB822.findall(text)).split()
    return found
