"""Building the Debian VM's image, with an mmdebstrap that brings a tree of nearly nothing."""

from __future__ import annotations

import io
import os
import shutil
import stat
import subprocess
import tarfile
from typing import TYPE_CHECKING

import pytest
from kernels import bzimage
from vm import image, tools
from vm.problem import CannotBeHad

if TYPE_CHECKING:
    from pathlib import Path

TOOLS = ("zstd", "dpkg-query", "mke2fs", "debugfs", "tar")
PATH = f"{os.environ['PATH']}:/usr/sbin:/sbin"
MMDEBSTRAP = """#!/bin/sh
[ "$1" != --unshare-helper ] || { shift; exec "$@"; }
[ -z "$COMPLAINS" ] || { echo "I: running apt-get update" >&2; echo "$COMPLAINS" >&2; echo "I: cleaning" >&2; exit 25; }
for word; do case $word in *root.tar) cp "$TREE" "$word" ;; esac; done
"""


@pytest.fixture(autouse=True)
def _mmdebstrap(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if lacking := [tool for tool in TOOLS if not shutil.which(tool, path=PATH)]:
        pytest.skip(f"needs {', '.join(lacking)}")
    (tmp_path / "bin").mkdir()
    program = tmp_path / "bin" / "mmdebstrap"
    program.write_text(MMDEBSTRAP)
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}:{PATH}")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("TREE", str(tmp_path / "tree.tar"))
    monkeypatch.setattr(image, "_roomy", lambda: str(tmp_path / "work"))
    (tmp_path / "work").mkdir()
    tree(tmp_path / "tree.tar")


def tree(path: Path) -> None:
    """What a Debian has of what a build looks at."""
    kernel = subprocess.run(["zstd", "-c"], input=b"\x7fELF", capture_output=True, check=True).stdout
    status = b"Package: ifupdown2\nStatus: install ok installed\nVersion: 3.0.0-1.3\nArchitecture: all\n\n"
    files = {
        "boot/vmlinuz-6.12.0": bzimage(kernel),
        "etc/hostname": b"vm1\n",
        "etc/ssh/ssh_host_ed25519_key": b"PRIVATE",
        "var/lib/dpkg/status": status,
    }
    with tarfile.open(path, "w") as archive:
        for name, data in files.items():
            entry = tarfile.TarInfo(f"./{name}")
            entry.size = len(data)
            archive.addfile(entry, io.BytesIO(data))
        folder = tarfile.TarInfo("./dev/")
        folder.type, folder.mode = tarfile.DIRTYPE, 0o755
        archive.addfile(folder)
        device = tarfile.TarInfo("./dev/null")
        device.type, device.devmajor, device.devminor = tarfile.CHRTYPE, 1, 3
        archive.addfile(device)


def on_disk(disk: Path, folder: str) -> list[str]:
    """The names in a folder of the disk."""
    told = subprocess.run(["debugfs", "-R", f"ls -p {folder}", str(disk)], capture_output=True, text=True, check=True)
    return sorted(line.split("/")[5] for line in told.stdout.split("\n") if line.count("/") > 5 and "/./" not in line)


def test_an_image_is_built_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The kernel is beside the disk and unwrapped; nobody else's key is on it, and no device; nothing else is left."""
    made = image.image()
    assert made.kernel.read_bytes() == b"\x7fELF"
    assert (made.folder / "packages").read_text() == "ifupdown2\t3.0.0-1.3\n"
    assert "hostname" in on_disk(made.disk, "/etc")
    assert [name for folder in ("/boot", "/dev", "/etc/ssh") for name in on_disk(made.disk, folder)] == [".."] * 3
    assert made.disk.stat().st_blocks * 512 < made.disk.stat().st_size / 2
    assert [path.name for path in (tmp_path / "cache/pvenet/vm").iterdir()] == [made.folder.name]
    assert list((tmp_path / "work").iterdir()) == []
    assert "building the image" in capsys.readouterr().err
    os.utime(made.folder, (0, 0))
    assert image.image() == made
    assert capsys.readouterr().err == ""
    assert made.folder.stat().st_mtime > 0  # in use: nobody throws it away for its age


def test_a_build_that_fails_says_why_and_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The first complaint is what went wrong; a mirror is what mostly helps."""
    monkeypatch.setenv("COMPLAINS", "E: no Release file for trixie")
    with pytest.raises(
        CannotBeHad,
        match=r"^Debian trixie can't be installed here: E: no Release file for trixie \(PVENET_VM_MIRROR may name",
    ):
        image.image()
    assert list((tmp_path / "work").iterdir()) == []
    assert not (tmp_path / "cache/pvenet/vm").exists()


def test_others_may_write_into_the_workshop_and_not_find_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who is root in a namespace of an ordinary user's has to write there; who can list folders does not see it."""
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    with image._workshop() as work:
        (hidden,) = (tmp_path / "work").iterdir()
        assert [stat.S_IMODE(path.stat().st_mode) for path in (hidden, work, work / "out")] == [0o711, 0o777, 0o777]
        assert work.parent == hidden
        (work / "root").mkdir()
    assert not hidden.exists()


def test_who_is_not_root_needs_subordinate_ids(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda *_words, **_more: None)
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    assert "uidmap" in tools.lacking("debian")
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    assert "uidmap" not in tools.lacking("debian")
