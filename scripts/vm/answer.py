"""What PVE's installer is told: the answer file of its automatic installation, and how both get onto its image.

The format is documented in PVE's wiki (Automated_Installation): kebab-case since 9.0, pinned names of NICs since 9.1.
Nothing here was run against PVE's image, which could not be had; what was tried of it stands at each part.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

from vm.nics import MANAGEMENT
from vm.problem import Problem

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

NODE = "pve1"
CIDR, GATEWAY, DNS = "10.0.2.15/24", "10.0.2.2", "10.0.2.3"
"""Of the management bridge: qemu's user network, as in the Debian VM."""
DISK = "vda"
MODE = 'mode = "iso"\npartition_label = "proxmox-ais"\n\n[http]\n'
"""What `proxmox-auto-install-assistant prepare-iso --fetch-from iso` writes; no key of it may be unknown."""
PLACES = {"mode": "/auto-installer-mode.toml", "answer": "/answer.toml", "first-boot": "/proxmox-first-boot"}
"""Where the installer looks on its image. The boot menu offers the automatic installation where the first one is."""
CAPABLE = "/auto-installer-capable"
"""The file by which an image says that it can install by itself (PVE 8.2 and newer)."""
_UUID = re.compile(r"^-volume_date uuid '?(\d{16})'?$", re.MULTILINE)


def answer(*, password: str, macs: Mapping[str, str]) -> str:
    """The answer file; `macs` are the NICs' addresses by the names that they shall have."""
    mapping = [(mac.lower(), name) for name, mac in macs.items()]
    return "\n".join(
        [
            "[global]",
            *_lines(
                ("keyboard", "en-us"),
                ("country", "us"),
                ("fqdn", f"{NODE}.example.com"),
                ("mailto", "root@example.com"),
                ("timezone", "UTC"),
                ("root-password", password),
                ("reboot-mode", "power-off"),  # the end of qemu is the end of the installation
            ),
            "reboot-on-error = false",
            "",
            "[network]",
            *_lines(
                ("source", "from-answer"),
                ("cidr", CIDR),
                ("dns", DNS),
                ("gateway", GATEWAY),
                ("filter.ID_NET_NAME_MAC", f"*{macs[MANAGEMENT].replace(':', '').lower()}"),
            ),
            "",
            "[network.interface-name-pinning]",
            "enabled = true",
            "",
            "[network.interface-name-pinning.mapping]",
            *(f"{_quoted(mac)} = {_quoted(name)}" for mac, name in mapping),
            "",
            "[disk-setup]",
            *_lines(("filesystem", "ext4")),
            f"disk-list = [{_quoted(DISK)}]",
            "lvm.swapsize = 0",
            "lvm.maxvz = 0",
            "",
            "[first-boot]",
            *_lines(("source", "from-iso"), ("ordering", "fully-up")),  # earlier, /etc/pve is not there yet
            "",
        ]
    )


def copying(image: Path, target: Path) -> list[str]:
    """The command that copies the image, which itself is left alone."""
    return ["cp", "--reflink=auto", "--", str(image), str(target)]


def asking(image: Path) -> list[str]:
    """The command that reads an image's volume date and looks whether it can install by itself."""
    return ["xorriso", "-indev", str(image), "-report_system_area", "cmd", "-find", CAPABLE]


def volume_date(told: str) -> str:
    """The volume date out of what `asking` printed: PVE's boot loader finds its image by it. Raises Problem."""
    if CAPABLE not in told:
        raise Problem("the image is no PVE installer that can install by itself: take 9.1 or newer")
    if not (found := _UUID.search(told)):
        raise Problem("the image has no volume date, by which its boot loader would find it")
    return found[1]


def adding(target: Path, date: str, files: Mapping[str, Path]) -> list[str]:
    """The command that adds files to the copy as a new session, leaving how it boots untouched.

    Tried with xorriso 1.5.4 on a bootable image made for it: boot record, volume date and files were as before.
    """
    maps = [word for kind, path in files.items() for word in ("-map", str(path), PLACES[kind])]
    keep = ["-boot_image", "any", "keep", "-volume_date", "uuid", date]
    return ["xorriso", "-return_with", "FAILURE", "32", *keep, "-dev", str(target), *maps, "-commit"]


def _lines(*pairs: tuple[str, str]) -> list[str]:
    return [f"{key} = {_quoted(value)}" for key, value in pairs]


def _quoted(text: str) -> str:
    """A TOML basic string; JSON's escapes are among TOML's."""
    return json.dumps(text)
