"""The pictures that README shows are what a terminal shows; UPDATE=1 draws them anew."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from documents import HELP
from pictures import shot
from sessions import Session

from pvenet.render.svg import DARK, LIGHT, svg

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

PICTURES = HELP / "pictures"
BEFORE = """```console
$ pvenet sim init lab --guest 101:web:vmbr0 --guest 102:db:vmbr0:20
$ export PVENET_SIM=lab
$ pvenet bridge set vmbr0 --comments Management
$ pvenet apply --yes --allow-management
$ pvenet bridge set vmbr0 --ports ens37
```
"""
"""Done to the node before: PVE has written its file, and a change is staged."""
SAVED = [
    "pvenet apply --allow-management --allow-guests all --timeout 30 --fault 'path-lost=45@PUT network'",
]


def test_a_node_that_is_saved_is_shown_as_it_happens(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A change that cuts the way to the node is agreed to, applied, and rolled back when nobody answers."""
    monkeypatch.chdir(tmp_path)
    Session(monkeypatch).play(BEFORE)
    lines = shot(tmp_path, SAVED)
    told = "\n".join("".join(text for text, _ in line) for line in lines)
    assert "[y/N/d] y" in told
    assert "rolled back and verified on pve1: vmbr0" in told
    title = "A change that cuts the way to a node is rolled back"
    for name, colours in (("light", LIGHT), ("dark", DARK)):
        path, drawn = PICTURES / f"saved-{name}.svg", svg(title, lines, colours)
        if os.environ.get("UPDATE"):
            path.parent.mkdir(exist_ok=True)
            path.write_text(drawn, encoding="utf8")
        assert path.read_text(encoding="utf8") == drawn, told
