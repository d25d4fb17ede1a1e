"""What a network file says opens no line of its own, and no line of ours is a command to the runner that reads it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from pvenet.automation import answer

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from conftest import Ran

    Run = Callable[..., Ran]

EVIL = "\n::error::pwned"
QUOTED = json.dumps(f"vm{EVIL}")
"""In double quotes, which YAML reads as JSON does."""
PLACES = {
    "a node": f"nodes: {{{QUOTED}: {{vmbr7: {{type: bridge}}}}}}",
    "an interface": f"nodes: {{pve1: {{{QUOTED}: {{type: bridge}}}}}}",
    "an interface of all nodes": f"defaults: {{{QUOTED}: {{type: bridge}}}}\nnodes: {{pve1: }}",
    "an interface without its type": f"nodes: {{pve1: {{{QUOTED}: {{mtu: 1500}}}}}}",
    "a type": f"nodes: {{pve1: {{vmbr7: {{type: {QUOTED}}}}}}}",
    "a mode": f"nodes: {{pve1: {{bond7: {{type: bond, mode: {QUOTED}}}}}}}",
    "a list that is none": f"nodes: {{pve1: {{vmbr7: {{type: bridge, ports: {QUOTED}}}}}}}",
    "an address": f"nodes: {{pve1: {{vmbr7: {{type: bridge, cidr: {QUOTED}}}}}}}",
    "text in the place of a comment": f"nodes: {{pve1: {{vmbr7: {{type: bridge, mtu: {QUOTED}}}}}}}",
    "a key of an interface": f"nodes: {{pve1: {{vmbr7: {{type: bridge, {QUOTED}: 1}}}}}}",
    "a key of the file": f"nodes: {{}}\n{QUOTED}: 1",
    "a key that stands there twice": f"nodes: {{}}\n{QUOTED}: 1\n{QUOTED}: 2",
    "a key of lint": f"nodes: {{pve1: {{lint: {{{QUOTED}: 1}}}}}}",
    "a rule": f"nodes: {{}}\nlint: {{ignore: [{QUOTED}]}}",
    "a tag": "nodes: !<vm%0A::error::pwned> {}",
}
"""Network files by what in them holds the line."""


def foreign(text: str) -> list[str]:
    """The lines that hold what the file says, and do not begin as a line about the file does."""
    return [line for line in text.splitlines() if "pwned" in line and not line.strip().startswith("evil.yaml:")]


@pytest.mark.usefixtures("lab")
@pytest.mark.parametrize("text", PLACES.values(), ids=PLACES)
@pytest.mark.parametrize(
    "words",
    [("check",), ("check", "--format", "github"), ("plan",), ("lint",), ("apply", "--yes", "-f")],
    ids=" ".join,
)
def test_what_a_network_file_says_stays_on_its_line(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...], text: str
) -> None:
    """Its keys, names and values, whatever is wrong with them, and whichever command says so."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "evil.yaml").write_text(text)
    ran = run(*words, "evil.yaml")
    assert (ran.code, "pwned" in ran.err) in ((3, True), (0, False))
    assert foreign(ran.err) == []
    assert words != ("lint",) or foreign(ran.out) == []


def test_what_a_configuration_says_stays_on_its_line(lab: Path) -> None:
    """Of a module's parameters, too."""
    asked = {"sim": str(lab), "node": "pve1", "config": {f"vm{EVIL}": {"type": "bridge"}}}
    said = answer("interfaces", asked, check=False)["msg"]
    assert "pwned" in said
    assert [line for line in said.splitlines() if line.lstrip().startswith("::")] == []


@pytest.mark.usefixtures("lab")
@pytest.mark.parametrize("name", ["::error::pwned.yaml", " ::error::pwned.yaml", "x\n::error::pwned.yaml"], ids=repr)
@pytest.mark.parametrize("words", [("check",), ("check", "--format", "github"), ("plan",)], ids=" ".join)
def test_no_line_of_ours_is_a_command_to_a_runner(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...], name: str
) -> None:
    """GitHub's obeys a line on stderr, too, which begins with `::` after blanks, or has `##[` anywhere."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / name).write_text("nodes: {pve1: {vmbr7: {type: '##[add-mask]e'}}}")
    for file in (name, f"{name}.not-there"):
        ran = run(*words, file)
        assert ran.code in (2, 3)
        assert "pwned.yaml" in ran.err
        assert [line for line in ran.err.splitlines() if line.lstrip().startswith("::") or "##[" in line] == []


def test_a_profile_has_a_name_that_can_be_read(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, lab: Path
) -> None:
    """In a configuration file, whichever of its profiles is used; a message that names it stays on its line."""
    config = tmp_path / "config" / "pvenet" / "config.toml"
    config.parent.mkdir(parents=True)
    config.write_text(f'[profiles.lab]\nsim = "{lab}"\n[profiles.{QUOTED}]\nsim = "{lab}"\nevil = 1\n')
    monkeypatch.setenv("XDG_CONFIG_HOME", str(config.parent.parent))
    monkeypatch.delenv("PVENET_SIM")
    ran = run("list", "--profile", "lab")
    assert ran.code == 2
    assert ran.err.startswith(f"error: {config}: {f'vm{EVIL}'!r} is not a valid profile name\n")
