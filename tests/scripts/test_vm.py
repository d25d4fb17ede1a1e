"""The nested VM without qemu: how it is called, and what it is made of."""

from __future__ import annotations

import gzip
import io
import os
import re
import shutil
import subprocess
import tarfile
from pathlib import Path
from types import SimpleNamespace

import pytest
from kernels import bzimage
from vm import image, mirror, qemu, tools
from vm.nics import CABLES, FREE, MANAGEMENT, NICS, SECOND, ends, mac
from vm.problem import CannotBeHad, Problem
from vm.qemu import Ports

from pvenet.sim import interfaces
from pvenet.sim.interfaces import Host

PORTS = Ports(api=4001, second=4002, ssh=4003)


@pytest.fixture
def words(tmp_path: Path) -> list[str]:
    """How qemu is called."""
    return qemu.arguments(image.Image(folder=tmp_path), tmp_path / "delivery.tar", PORTS, qemu.EMULATION)


# How qemu is called


def test_every_nic_has_the_name_that_its_address_says(words: list[str]) -> None:
    """What qemu gives a NIC as its address is what the machine names it by; no two are alike."""
    files = image.overlay()
    for nic in NICS:
        assert f"PermanentMACAddress={mac(nic)}\n" in files[f"etc/systemd/network/10-{nic}.link"]
        assert f"Name={nic}\n" in files[f"etc/systemd/network/10-{nic}.link"]
        assert [nic] == [re.findall(r"id=(\w+)", word)[0] for word in words if f"mac={mac(nic)}," in word]


def test_only_loopback_leads_in_and_nothing_leads_out(words: list[str]) -> None:
    """Each port is forwarded from 127.0.0.1, to an address that the machine's own file gives; the rest is cut off."""
    text = image.overlay()["etc/network/interfaces"]
    host = Host(nics=dict.fromkeys(NICS, ()), up=frozenset())
    addresses = {entry["iface"]: entry.get("address") for entry in interfaces.listing(interfaces.parse(text, host))}
    forwards = re.findall(r"hostfwd=tcp:([\d.]*):(\d+)-([\d.]+):(\d+)", " ".join(words))
    assert forwards == [
        ("127.0.0.1", "4001", addresses["vmbr0"], "8006"),
        ("127.0.0.1", "4002", addresses[SECOND], "8006"),
        ("127.0.0.1", "4003", addresses[SECOND], "22"),
    ]
    users = [word for word in words if word.startswith("user,")]
    assert len(users) == 2
    assert all("restrict=on" in word for word in users)


def test_nics_are_cabled_in_pairs(words: list[str]) -> None:
    """Both ends of a cable are in one hub, and lose their carrier together; the two with a way in have no other end."""
    hubs = dict(re.findall(r"hubport,id=net-(\w+),hubid=(\d)", " ".join(words)))
    assert {frozenset(n for n in hubs if hubs[n] == number) for number in hubs.values()} == {
        frozenset(cable) for cable in CABLES
    }
    assert sorted(ends("ens37")) == sorted(ends("ens38")) == ["ens37", "ens38"]
    assert [ends(nic) for nic in (MANAGEMENT, SECOND)] == [(MANAGEMENT,), (SECOND,)]
    assert sorted([*FREE, MANAGEMENT, SECOND]) == sorted(NICS)


def test_one_nvme_disk_which_nobody_writes_to(words: list[str]) -> None:
    """The kernel finds its root without a ramdisk by a name that only one disk can have; the image stays as it is."""
    assert "-initrd" not in words
    assert [word for word in words if word.startswith("nvme")] == ["nvme,drive=root,serial=root"]
    drives = [word for word in words if word.startswith("file=") and "format=raw" in word]
    assert all("snapshot=on" in word or "readonly=on" in word for word in drives)
    assert len(drives) == 2


def test_a_path_may_have_commas(tmp_path: Path) -> None:
    """What follows a comma would be an option of its own to qemu."""
    folder = tmp_path / "a,b"
    words = qemu.arguments(image.Image(folder=folder), folder / "delivery.tar", PORTS, qemu.KVM)
    assert f"file={tmp_path}/a,,b/disk," in " ".join(words)


# What it is made of


def test_the_machine_waits_for_all_its_nics() -> None:
    """Networking begins when udev has named every one of them, and when what was staged has become live."""
    text = image.overlay()["etc/systemd/system/networking.service.d/pvenet.conf"]
    for line in ("After", "Wants"):
        found = re.findall(r"devices-(\w+)\.device", " ".join(re.findall(rf"^{line}=(.*)$", text, re.MULTILINE)))
        assert sorted(found) == sorted(NICS)
    assert "After=pvenet-commit.service" in text


def test_the_digest_changes_with_every_input(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Another package, suite, script, file or unit is another image; the same is the same."""
    seen = [image.digest()]
    assert image.digest() == seen[0]
    for name, value in (
        ("SUITE", "forky"),
        ("PACKAGES", (*image.PACKAGES, "tcpdump")),
        ("FINISH", image.FINISH + "true\n"),
        ("MASKED", image.MASKED[1:]),
    ):
        with monkeypatch.context() as patch:
            patch.setattr(image, name, value)
            seen.append(image.digest())
    shutil.copytree(image.FILES, tmp_path / "files")
    (tmp_path / "files" / "etc" / "hosts").write_text("127.0.0.1 localhost\n")
    monkeypatch.setattr(image, "FILES", tmp_path / "files")
    assert len({*seen, image.digest()}) == 6


@pytest.mark.skipif(not shutil.which("zstd"), reason="needs zstd")
def test_the_kernel_is_unwrapped() -> None:
    """What is packed in it comes out whole, without the size that stands behind it."""
    packed = subprocess.run(["zstd", "-c"], input=b"kernel", capture_output=True, check=True).stdout
    assert image.uncompressed(bzimage(packed)) == b"kernel"
    with pytest.raises(Problem, match="can't be unpacked"):
        image.uncompressed(bzimage(packed[:-2]))


@pytest.mark.parametrize(
    ("kernel", "said"),
    [
        (b"", "is no bzImage"),
        (bzimage(b"", b"ELF!"), "is no bzImage"),
        (bzimage(gzip.compress(b"kernel")), "is not compressed with zstd"),
    ],
)
def test_what_is_no_such_kernel_is_refused(kernel: bytes, said: str) -> None:
    with pytest.raises(Problem, match=said):
        image.uncompressed(kernel)


def test_other_checkouts_keep_their_images(tmp_path: Path) -> None:
    """A new image throws away what nothing has booted for weeks, and nothing else."""
    out = tmp_path / "out"
    out.mkdir()
    for name in ("disk", "vmlinux", "packages"):
        (out / name).write_text(name)
    for name in ("debian-theirs", "debian-old"):
        (tmp_path / "cache" / name).mkdir(parents=True)
    os.utime(tmp_path / "cache" / "debian-old", (0, 0))
    image._keep(out, tmp_path / "cache" / "debian-new")
    assert sorted(path.name for path in (tmp_path / "cache").iterdir()) == ["debian-new", "debian-theirs"]
    assert (tmp_path / "cache" / "debian-new" / "disk").read_text() == "disk"


def test_links_are_links() -> None:
    """What is started at boot, and what is not, is said by symbolic links; the same files are the same archive."""
    packed = image._tar({"etc/hosts": "127.0.0.1 localhost\n"}, {"etc/systemd/system/apt.timer": "/dev/null"})
    with tarfile.open(fileobj=io.BytesIO(packed)) as archive:
        assert archive.getmember("etc/systemd/system/apt.timer").issym()
        assert archive.getmember("etc/systemd/system/apt.timer").linkname == "/dev/null"
        hosts = archive.extractfile("etc/hosts")
        assert hosts is not None
        assert hosts.read() == b"127.0.0.1 localhost\n"


@pytest.mark.parametrize(("free", "roomy"), [(image.ROOM + 1, True), (image.ROOM, False)])
def test_memory_is_built_in_where_there_is_enough(monkeypatch: pytest.MonkeyPatch, free: int, *, roomy: bool) -> None:
    """A build that fills the memory would end other programs."""
    monkeypatch.setattr(Path, "is_dir", lambda _path: True)
    monkeypatch.setattr(os, "access", lambda _path, _mode: True)
    monkeypatch.setattr(shutil, "disk_usage", lambda _path: SimpleNamespace(free=free))
    assert (image._roomy() is not None) is roomy


def test_packages_come_from_where_the_hosts_come(tmp_path: Path) -> None:
    """Debian's archives are known by their paths, in both of apt's formats; what is somebody else's is left alone."""
    assert mirror.chosen("trixie", {}, tmp_path) == []
    (tmp_path / "sources.list.d").mkdir()
    (tmp_path / "sources.list.d" / "tool.list").write_text(
        "# deb http://old.example.com/debian bookworm main\ndeb https://tool.example.com/apt stable main\n"
    )
    (tmp_path / "sources.list.d" / "ubuntu.sources").write_text("Types: deb\nURIs: http://a.example.com/ubuntu/\n")
    (tmp_path / "sources.list.d" / "security.sources").write_text(
        "Types: deb\nURIs: http://m.example.com/debian-security\nSuites: bookworm-security\n"
    )
    assert mirror.chosen("trixie", {}, tmp_path) == []
    (tmp_path / "sources.list").write_text(
        "deb [signed-by=/k.gpg] http://m.example.com/debian/ bookworm main\n"
        "deb http://m.example.com/debian bookworm-updates main\n"
    )
    assert mirror.chosen("trixie", {}, tmp_path) == [
        "deb http://m.example.com/debian/ trixie main",
        "deb http://m.example.com/debian-security trixie-security main",
    ]
    named = {"PVENET_VM_MIRROR": "http://own.example.com/debian"}
    assert mirror.chosen("trixie", named, tmp_path) == ["http://own.example.com/debian"]


def test_what_is_lacking_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine without a program, or without Debian's keys, is told the packages, each once."""
    monkeypatch.setattr(tools, "KEYS", {"debian": {Path("/no/such.gpg"): "debian-archive-keyring"}})
    assert "debian-archive-keyring" in tools.lacking("debian")
    monkeypatch.setattr(tools, "KEYS", {})
    monkeypatch.setenv("PATH", "/bin")
    looked: list[str] = []
    monkeypatch.setattr(shutil, "which", lambda _tool, path: looked.append(path))
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    with pytest.raises(CannotBeHad, match=r"apt install e2fsprogs mmdebstrap openssh-client qemu-system-x86 zstd$"):
        tools.need("debian")
    assert all({"/usr/sbin", "/sbin"} <= set(path.split(":")) for path in looked)  # an ordinary PATH lacks mke2fs's
