"""A node's `/etc/hosts`, kept in its folder. pve-api#hosts."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from pvenet.sim.files import read_file, write_file
from pvenet.sim.formats import is_address

if TYPE_CHECKING:
    from pathlib import Path

    from pvenet.sim.machine.folder import NodeFolder


def read_hosts(node: NodeFolder) -> str:
    """The file; of a folder that came without one, what the installer would have written."""
    try:
        return read_file(_path(node))
    except FileNotFoundError:
        return fresh_hosts(node.name, node.described().ip)


def write_hosts(node: NodeFolder, text: str) -> None:
    write_file(_path(node), text)


def fresh_hosts(name: str, ip: str) -> str:
    """What a node begins with, which nothing changes when its address does."""
    return f"127.0.0.1 localhost.localdomain localhost\n{ip} {name}.lan {name}\n"


def digest_of(text: str) -> str:
    return hashlib.sha1(text.encode("utf-8", "surrogateescape"), usedforsecurity=False).hexdigest()


def complaint(text: str) -> str | None:
    """What PVE says of a text that is no hosts file; comments and blank lines are good (K6-node-083)."""
    for line in text.splitlines():
        words = line.partition("#")[0].split()
        if words and not is_address(words[0]):
            return f"Invalid IP '{words[0]}'"
    return None


def _path(node: NodeFolder) -> Path:
    return node.folder / "etc" / "hosts"
