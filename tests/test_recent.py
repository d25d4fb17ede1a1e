"""Where names for completion are kept, nobody else's files are touched."""

from __future__ import annotations

import os
import resource
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from pvenet.model import Ethernet, Network
from pvenet.recent import LIFETIME, Recent

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

WAS = LIFETIME * 2


def met(state_dir: Path, *names: str) -> Recent:
    """A place of which a node with these NICs was kept."""
    recent = Recent(state_dir, ["https://pve1:8006"])
    recent.hear(("nodes",), [{"node": "pve1"}])
    recent.meet("pve1", Network(interfaces={name: Ethernet(name=name) for name in names}))
    assert recent.keep()
    return recent


@contextmanager
def no_file_grows_beyond(size: int) -> Iterator[None]:
    """As on a disk that is full."""
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, limits[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)


def test_the_folders_are_closed_to_others(tmp_path: Path) -> None:
    """Also one that stands open."""
    (tmp_path / "completion").mkdir()
    (tmp_path / "completion").chmod(0o777)
    recent = met(tmp_path, "ens1")
    assert [folder.stat().st_mode & 0o777 for folder in (tmp_path / "completion", recent.folder)] == [0o700] * 2


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files away")
def test_nothing_is_written_through_what_somebody_has_left(tmp_path: Path) -> None:
    """In a state folder that others can write."""
    tmp_path.chmod(0o777)
    own = tmp_path / "own"
    own.mkdir()
    folder = Recent(tmp_path, ["https://pve1:8006"]).folder
    folder.parent.mkdir()
    os.chown(folder.parent, 65534, -1)
    folder.symlink_to(own)
    met(tmp_path, "ens1")
    assert list(own.iterdir()) == []


def test_what_is_past_its_time_goes_and_nothing_else(tmp_path: Path) -> None:
    """No file in a folder that a link leads to; and a link that leads nowhere keeps no other file from going."""
    recent = met(tmp_path / "state", "ens1")
    (tmp_path / "own").mkdir()
    (recent.folder.parent / "link").symlink_to(tmp_path / "own")
    others = [tmp_path / "own" / "key", *(recent.folder / name for name in "abcd")]
    for path in others:
        path.write_text("")
        os.utime(path, times=(path.stat().st_mtime - WAS,) * 2)
    (recent.folder / "gone").symlink_to(tmp_path / "nowhere")
    recent.prune()
    assert others[0].exists()
    assert not any(path.exists() for path in others[1:])
    assert recent.interfaces("pve1")


def test_a_full_disk_leaves_the_names_as_they_were(tmp_path: Path) -> None:
    """And no draft."""
    recent = met(tmp_path, "ens1")
    before = {path.name: path.read_bytes() for path in recent.folder.iterdir()}
    with no_file_grows_beyond(100):
        met(tmp_path, *(f"ens{number}" for number in range(99)))
    assert {path.name: path.read_bytes() for path in recent.folder.iterdir()} == before


def test_a_full_disk_leaves_no_part_of_a_file_that_is_new(tmp_path: Path) -> None:
    """Its names would be taken for all that there are."""
    with no_file_grows_beyond(100):
        recent = met(tmp_path, *(f"ens{number}" for number in range(99)))
    assert [path.name for path in recent.folder.iterdir()] == ["nodes.json"]
