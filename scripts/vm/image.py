"""The disk and the kernel of the debian kind, built from Debian's packages and nothing else.

No loop device, boot loader or initial ramdisk: mmdebstrap makes the tree, `mke2fs -d` the disk, qemu boots the kernel
itself, and Debian's cloud kernel has NVMe and ext4 built in.
"""

from __future__ import annotations

import hashlib
import io
import os
import secrets
import shutil
import struct
import subprocess
import sys
import tarfile
import tempfile
import time
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from vm import mirror
from vm.nics import NICS, link_file
from vm.problem import CannotBeHad, Problem

if TYPE_CHECKING:
    from collections.abc import Iterator

SUITE = "trixie"
PACKAGES = (
    "bridge-utils",
    "dbus",
    "ethtool",
    "ifupdown2",
    "iproute2",
    "iputils-ping",
    "kmod",
    "linux-image-cloud-amd64",
    "openssh-server",
    "patch",
    "procps",
    "python3-cryptography",
    "systemd-sysv",
    "udev",
)
UNITS = ("pvenet-commit", "pvenet-delivery", "pvenet-api")
MASKED = (
    *("apt-daily.timer", "apt-daily-upgrade.timer", "dpkg-db-backup.timer", "e2scrub_all.timer", "fstrim.timer"),
    *("getty@tty1.service", "serial-getty@ttyS0.service", "systemd-logind.service"),
    *("ldconfig.service", "systemd-hwdb-update.service", "systemd-journal-catalog-update.service"),
    *("systemd-binfmt.service", "proc-sys-fs-binfmt_misc.automount", "systemd-update-done.service"),
    *("systemd-pstore.service", "systemd-firstboot.service", "sshd-keygen.service"),
)
"""What only costs an emulated machine time."""
SPARE_MIB = 200
KEPT_DAYS = 14
ROOM = 1500 * 1024 * 1024
"""Bytes that a build needs for a while."""
FILES = Path(__file__).parent / "debian"
FINISH = f"""
set -e
cd "$1"
mkdir root
tar -x --numeric-owner --exclude './dev/*' -f root.tar -C root
cp root/boot/vmlinuz-* out/vmlinuz
rm -r root/boot/* root/etc/ssh/ssh_host_*
dpkg-query --admindir="$1/root/var/lib/dpkg" -W > out/packages
mke2fs -q -t ext4 -L root -d root out/disk $(($(du -sm root | cut -f1) + {SPARE_MIB}))M
rm -r root
chmod 0644 out/*
"""
"""What makes of the tree what qemu boots, as root or in a namespace where one is."""


@dataclass(frozen=True, kw_only=True)
class Image:
    """What qemu boots."""

    folder: Path

    @property
    def disk(self) -> Path:
        return self.folder / "disk"

    @property
    def kernel(self) -> Path:
        return self.folder / "vmlinux"


def cache() -> Path:
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "pvenet" / "vm"


def overlay() -> dict[str, str]:
    """The files that the machine has beside its packages', by path."""
    files = {str(path.relative_to(FILES)): path.read_text() for path in sorted(FILES.rglob("*")) if path.is_file()}
    files |= {f"etc/systemd/network/10-{nic}.link": link_file(nic) for nic in NICS}
    # ifreload of ifupdown2 3.0.0 exits with 1 where this folder is missing
    files["etc/iproute2/rt_tables.d/README"] = "Empty, but here.\n"
    # known beforehand, so that no boot is a first one, at which systemd presets every unit
    files["etc/machine-id"] = hashlib.sha256(b"pvenet").hexdigest()[:32] + "\n"
    return files


def links() -> dict[str, str]:
    """Symbolic links: what is started at boot, and what is not."""
    wants = "etc/systemd/system/multi-user.target.wants"
    found = {f"{wants}/{unit}.service": f"/etc/systemd/system/{unit}.service" for unit in UNITS}
    return found | {f"etc/systemd/system/{unit}": "/dev/null" for unit in MASKED}


def digest() -> str:
    """Changes whenever the image would."""
    inputs = repr((SUITE, PACKAGES, sorted(overlay().items()), sorted(links().items()), FINISH))
    return hashlib.sha256(inputs.encode()).hexdigest()[:16]


def image() -> Image:
    """The image, built where it is not there yet. Raises CannotBeHad and Problem."""
    folder = cache() / f"debian-{digest()}"
    if not (folder / "disk").exists():
        started = time.monotonic()
        print(f"building the image: Debian {SUITE}, {len(PACKAGES)} packages and theirs (once)", file=sys.stderr)
        _build(folder)
        size = (folder / "disk").stat().st_size // 2**20
        print(f"built in {time.monotonic() - started:.0f} s: {size} MiB", file=sys.stderr)
    os.utime(folder)
    return Image(folder=folder)


def _build(folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    with _workshop() as work:
        out = work / "out"
        (work / "overlay.tar").write_bytes(_tar(overlay(), links()))
        _install(work)
        (out / "vmlinux").write_bytes(uncompressed((out / "vmlinuz").read_bytes()))
        _keep(out, folder)


@contextmanager
def _workshop() -> Iterator[Path]:
    """A folder to build in. Who is root in a user namespace is somebody else: others may write into it, not find it."""
    with tempfile.TemporaryDirectory(prefix="pvenet-vm-", dir=_roomy(), ignore_cleanup_errors=True) as hidden:
        work = Path(hidden) / secrets.token_hex(8)
        try:
            for folder in (work, work / "out"):
                folder.mkdir()
                folder.chmod(0o777 if os.geteuid() else 0o700)
            Path(hidden).chmod(0o711)
            yield work
        finally:  # a tree that was half made belongs to that somebody
            subprocess.run([*_as_root(), "rm", "-rf", str(work / "root")], capture_output=True, check=False)


def _as_root() -> list[str]:
    """What makes a command root, at least in a namespace of its own."""
    return ["mmdebstrap", "--unshare-helper"] if os.geteuid() else []


def _install(work: Path) -> None:
    install = [
        "mmdebstrap",
        "--variant=minbase",
        f"--include={','.join(PACKAGES)}",
        f"--customize-hook=tar-in {work / 'overlay.tar'} /",
        SUITE,
        str(work / "root.tar"),
        *mirror.chosen(SUITE, os.environ),
    ]
    path = os.pathsep.join((os.environ.get("PATH", os.defpath), "/usr/sbin", "/sbin"))  # not everybody's has mke2fs
    env = {**os.environ, "INITRD": "No", "PATH": path}  # Debian's hook of kernels heeds INITRD
    for command in (install, [*_as_root(), "sh", "-c", FINISH, "sh", str(work)]):
        done = subprocess.run(command, capture_output=True, text=True, stdin=subprocess.DEVNULL, check=False, env=env)
        if done.returncode:
            why = _reason(done.stderr)
            raise CannotBeHad(f"Debian {SUITE} can't be installed here: {why} ({mirror.VARIABLE} may name a mirror)")


def _reason(text: str) -> str:
    """The first complaint; the last line where there is none."""
    lines = [line for line in text.splitlines() if line.strip()]
    complaints = [line for line in lines if line.startswith(("E:", "Err", "W: Failed", "tar:", "mke2fs:"))]
    return (complaints or lines or ["it does not say why"])[0 if complaints else -1]


def _roomy() -> str | None:
    """Memory, where there is enough of it: a build writes a lot of small files."""
    memory = Path("/dev/shm")
    if memory.is_dir() and os.access(memory, os.W_OK) and shutil.disk_usage(memory).free > ROOM:
        return str(memory)
    return None


def _tar(files: dict[str, str], symlinks: dict[str, str]) -> bytes:
    """A tar archive that is the same for the same files."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for path, text in sorted(files.items()):
            data = text.encode()
            entry = tarfile.TarInfo(path)
            entry.size = len(data)
            archive.addfile(entry, io.BytesIO(data))
        for path, target in sorted(symlinks.items()):
            entry = tarfile.TarInfo(path)
            entry.type, entry.linkname = tarfile.SYMTYPE, target
            archive.addfile(entry)
    return buffer.getvalue()


def _keep(out: Path, folder: Path) -> None:
    """Into the cache, whole or not at all. What nothing has booted for a while goes; other checkouts have their own."""
    draft = folder.with_name(f".{folder.name}.draft")
    shutil.rmtree(draft, ignore_errors=True)
    draft.mkdir(parents=True)
    for name in ("disk", "vmlinux", "packages"):
        # unlike Python's, cp leaves the holes that an empty part of a disk is
        subprocess.run(["cp", "--sparse=always", str(out / name), str(draft / name)], check=True)
    for old in folder.parent.glob("debian-*"):
        if time.time() - old.stat().st_mtime > KEPT_DAYS * 86400:
            shutil.rmtree(old, ignore_errors=True)
    draft.rename(folder)


def uncompressed(bzimage: bytes) -> bytes:
    """The kernel within a bzImage: emulation would take seconds to unpack it. Raises Problem for what is none.

    The header is described in the kernel's Documentation/arch/x86/boot.rst.
    """
    if bzimage[0x202:0x206] != b"HdrS":
        raise Problem("the image's kernel is no bzImage")
    setup = (bzimage[0x1F1] + 1) * 512
    offset, length = struct.unpack_from("<II", bzimage, 0x248)
    payload = bzimage[setup + offset : setup + offset + length]
    if payload[:4] != b"\x28\xb5\x2f\xfd":
        raise Problem("the image's kernel is not compressed with zstd")
    # The last four bytes are the size when unpacked, and no part of the frame.
    done = subprocess.run(["zstd", "-d", "-c"], input=payload[:-4], capture_output=True, check=False)
    if done.returncode:
        raise Problem(f"the image's kernel can't be unpacked: {done.stderr.decode(errors='replace').strip()}")
    return done.stdout
