"""What a machine needs on the host: programs, and Debian's packages that have them."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from vm.problem import CannotBeHad

ALWAYS = {"qemu-system-x86_64": "qemu-system-x86", "ssh": "openssh-client", "ssh-keygen": "openssh-client"}
KINDS = {
    "debian": {"mmdebstrap": "mmdebstrap", "mke2fs": "e2fsprogs", "zstd": "zstd"},
    "pve": {"qemu-img": "qemu-utils", "xorriso": "xorriso"},
}
KEYS = {"debian": {Path("/usr/share/keyrings/debian-archive-keyring.gpg"): "debian-archive-keyring"}}
"""What tells that the packages are Debian's, where the host is not."""


def lacking(kind: str) -> list[str]:
    """The packages whose programs are not here; also looks where only root's PATH leads."""
    path = os.pathsep.join((os.environ.get("PATH", os.defpath), "/usr/sbin", "/sbin"))
    tools = ALWAYS | KINDS[kind]
    if kind == "debian" and os.geteuid():
        tools |= {"newuidmap": "uidmap"}  # mmdebstrap needs it where it is not root
    found = {package for tool, package in tools.items() if shutil.which(tool, path=path) is None}
    return sorted(found | {package for file, package in KEYS.get(kind, {}).items() if not file.exists()})


def need(kind: str) -> None:
    """Raises CannotBeHad where something is lacking, with the line that gets it."""
    if packages := lacking(kind):
        raise CannotBeHad(f"this machine lacks what the {kind} machine needs: apt install {' '.join(packages)}")
