"""A node's report: a text of sections, in them commands and what they print. Pure. pve-api#report-sections.

Of the commands that tell of the network the output is the kernel's and the files'; of the others it is short. Files are
those of the node's folder, whatever they hold: what others write can look like a command (pve-api#report-hostile).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from email.utils import formatdate
from typing import TYPE_CHECKING

from pvenet.sim.kernel.ip_text import addresses, ethtool, routes

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from pvenet.sim.kernel.value import Kernel

HOSTS = "/etc/hosts"
INTERFACES = "/etc/network/interfaces"
NETWORK = "info about network"
NETWORK_COMMANDS = ("ip -details -statistics address", "ip -details -4 route show", "ip -details -6 route show")


@dataclass(frozen=True, kw_only=True)
class Facts:
    """What a report tells."""

    node: str
    now: float
    kernel: Kernel
    files: Mapping[str, str]
    """The files of the node by their path, in the order of their folders."""
    release: str = "6.15"
    """Of iproute2: `6.15` or `6.1`."""
    ethtool: bool = True
    """The server is of 9.2.7 or newer. pve-api#report-releases."""
    version: str = ""
    """What `pveversion` says of the server."""


@dataclass(frozen=True, kw_only=True)
class Folder:
    """All files of a folder whose names fit."""

    pattern: str


SECTIONS: tuple[tuple[str, tuple[str | Folder, ...]], ...] = (
    (
        "general system info",
        (
            *("hostname", "date -R", "cat /proc/cmdline", "pveversion --verbose", f"cat {HOSTS}"),
            *("pvesubscription get", "cat /etc/apt/sources.list"),
            Folder(pattern=r"/etc/apt/sources.list.d/.+\.list"),
            Folder(pattern=r"/etc/apt/sources.list.d/.+\.sources"),
            *('apt-cache policy | grep -vP "^ +origin "', "apt-mark showhold", "lscpu"),
            "pvesh get /cluster/resources --type node --output-format=yaml",
        ),
    ),
    ("overall system load info", ("top -b -c -w512 -n 1 -o TIME | head -n 30", "head /proc/pressure/*")),
    (
        "info about storage",
        (
            *("cat /etc/pve/storage.cfg", "pvesm status", "cat /etc/fstab", "findmnt --ascii", "df --human -T"),
            "proxmox-boot-tool status",
        ),
    ),
    (
        "info about virtual guests",
        (
            *("qm list", Folder(pattern=r"/etc/pve/qemu-server/\d+\.conf")),
            *("pct list", Folder(pattern=r"/etc/pve/lxc/\d+\.conf")),
        ),
    ),
    (
        NETWORK,
        (
            *NETWORK_COMMANDS,
            *(f"cat {INTERFACES}", Folder(pattern=f"{INTERFACES}.d/.*"), "cat /etc/pve/sdn/.running-config"),
            *(Folder(pattern=r"/etc/pve/sdn/.+\.cfg"), Folder(pattern=r"/etc/pve/sdn/.+\.json")),
        ),
    ),
    (
        "info about firewall",
        (
            *(Folder(pattern=r"/etc/pve/firewall/.+\.fw"), "cat /etc/pve/local/host.fw"),
            *(Folder(pattern=r"/etc/pve/sdn/firewall/.+\.fw"), 'iptables-save -c | column -t -l4 -o" "'),
        ),
    ),
    (
        "info about cluster",
        (
            *("pvecm nodes", "pvecm status", "cat /etc/pve/corosync.conf 2>/dev/null", "ha-manager status"),
            "cat /etc/pve/datacenter.cfg",
        ),
    ),
    ("info about jobs", ("cat /etc/pve/jobs.cfg",)),
    ("info about replication", ("cat /etc/pve/replication.cfg",)),
    ("info about hardware", ("dmidecode -t bios", "lspci -nnk")),
    (
        "info about block devices",
        (
            *("lsblk --ascii -M -o +HOTPLUG,ROTA,PHY-SEC,FSTYPE,MODEL,TRAN,WWN", "ls -l /dev/disk/by-*/"),
            *("iscsiadm -m node", "iscsiadm -m session"),
        ),
    ),
    ("info about volumes", ("pvs", "lvs", "vgs")),
)
LINE_END = "\n"
QUIET = " 2>/dev/null"


def report(facts: Facts) -> str:
    """The whole text."""
    printed = {line: tell(facts) for line, tell in PRINTED.items()}
    nics = sorted((link for link in facts.kernel.links if link.physical), key=lambda link: link.name)
    return compose(printed, facts.files, {nic.name: ethtool(nic) for nic in nics if facts.ethtool})


def compose(printed: Mapping[str, str], files: Mapping[str, str], settings: Mapping[str, str]) -> str:
    """The text of what commands print, of a node's files, and of what `ethtool` says of each NIC."""
    blocks = "".join(command(f"ethtool {nic}", text) for nic, text in settings.items())
    return "".join(
        f"\n==== {title} ====\n{''.join(_part(part, printed, files) for part in parts)}{blocks * (title == NETWORK)}"
        for title, parts in SECTIONS
    )


def odd(text: str) -> str:
    """A report whose network section begins with a command that nobody knows, as a later release's might."""
    known = f"\n# {NETWORK_COMMANDS[0]}\n"
    return text.replace(f"\n==== {NETWORK} ====\n{known}", f"\n==== {NETWORK} ====\n\n# ip -stats -json address\n", 1)


def _part(part: str | Folder, printed: Mapping[str, str], files: Mapping[str, str]) -> str:
    if isinstance(part, Folder):
        return f"# output '{part.pattern}' file(s)\n" + "".join(_files(part, files))
    return command(part, printed[part] if part in printed else _cat(part, files))


def command(line: str, output: str) -> str:
    """A command and what it printed, which ends with its line."""
    return f"\n# {line}\n{output if output.endswith(LINE_END) or not output else output + LINE_END}"


def _files(folder: Folder, files: Mapping[str, str]) -> Iterator[str]:
    place = folder.pattern.rpartition("/")[0]
    for path, text in files.items():
        if path.rpartition("/")[0] == place and re.fullmatch(folder.pattern, path):
            yield f"\n# cat {path}\n{text}\n"


def _cat(line: str, files: Mapping[str, str]) -> str:
    """What `cat` prints, also of a file that is not there; of any other command nothing."""
    path = line.removesuffix(QUIET).removeprefix("cat ")
    if not line.startswith("cat ") or path in files:
        return files.get(path, "")
    return "" if line.endswith(QUIET) else f"cat: {path}: No such file or directory\n"


PRINTED: Mapping[str, Callable[[Facts], str]] = {
    "hostname": lambda facts: facts.node,
    "date -R": lambda facts: formatdate(facts.now),
    "cat /proc/cmdline": lambda _facts: "BOOT_IMAGE=/boot/vmlinuz root=/dev/sda1 ro quiet",
    "pveversion --verbose": lambda facts: facts.version,
    "ip -details -statistics address": lambda facts: addresses(facts.kernel, facts.release),
    "ip -details -4 route show": lambda facts: routes(facts.kernel, 4),
    "ip -details -6 route show": lambda facts: routes(facts.kernel, 6),
}
"""What commands print that know something of this node."""
