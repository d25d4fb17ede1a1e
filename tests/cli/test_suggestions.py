"""Whoever mistypes a word is told the one that they meant."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from conftest import Ran

MISTYPED = [
    ("aply", "did you mean `pvenet apply`?"),
    ("LIST", "did you mean `pvenet list`?"),
    ("bnd create", "did you mean `pvenet bond`?"),
    ("bond crate", "did you mean `pvenet bond create`?"),
    ("init lab", "did you mean `pvenet sim init`?"),
    ("create bond", "of what? as in `pvenet bond create`"),
    ("sim int lab", "did you mean `pvenet sim init`?"),
    ("bond create --slave ens38", "did you mean --slaves?"),
    ("bond create --sleaves ens38", "did you mean --slaves?"),
    ("list --jsn", "did you mean --json?"),
    ("apply --confirm-witin 60", "did you mean --confirm-within?"),
    ("apply --management", "did you mean --allow-management?"),
    ("bond create --mode balancerr", "did you mean balance-rr?"),
    ("ovs-bond create --mode lacp", "did you mean lacp-balance-slb or lacp-balance-tcp?"),
    ("bond create --mode rr", "did you mean balance-rr?"),
    ("bond create --mode 4", "did you mean 802.3ad?"),
    ("bond create --mode 1", "did you mean active-backup?"),
    ("bond create --mode 802.3AD", "did you mean 802.3ad?"),
    ("bond create --xmit-hash-policy layer34", "did you mean layer3+4?"),
    ("ovs-bond create --mode 4", "`pvenet ovs-bond create --help` shows how"),
    ("ovs-bond create --mode active", "did you mean active-backup?"),
    ("bridge set vmbr0 --clear gatewy", "did you mean gateway?"),
    ("bridge set vmbr0 --clear MTU", "did you mean mtu?"),
    ("list --fault drop-aftr@1", "did you mean drop-after? `pvenet sim faults` lists them"),
    ("show vmbr00", "did you mean vmbr0?"),
    ("apply --verify kernl", "did you mean kernel?"),
    ("apply --require lcap", "did you mean lacp?"),
    ("apply --on-failure keeep", "did you mean keep?"),
    ("login 127.0.0.1 --store keyrng", "did you mean keyring?"),
    ("list --profile hoome", "did you mean home?"),
    ("undo", "did you mean `pvenet rollback`?"),
    ("version", "did you mean `pvenet --version`?"),
    ("bond add", "did you mean `pvenet bond create`?"),
    ("remove bond0", "of what? as in `pvenet bond delete`"),
    ("ls", "did you mean `pvenet list`?"),
    ("network", "`pvenet --help` lists them"),
    ("bond create --mode", "`pvenet bond create --help` shows how"),
    ("sim show lab --node pve11", "did you mean pve1?"),
    ("list --node pve11", "did you mean pve1? the nodes here are: pve1"),
    ("vlan create --tag", "`pvenet vlan create --help` shows how"),
    ("zzz", "`pvenet --help` lists them"),
    ("list --zzz", "`pvenet list --help` shows how"),
    ("status pve1", "did you mean `pvenet status --node pve1`?"),
    ("status pve1 pve2", "`pvenet status --help` shows how"),
    ("nics ens33 --node pve1", "`pvenet nics --help` shows how"),
    ("--node pve1 tree vmbr0", "`pvenet tree --help` shows how"),
    ("show vmbr0 pve1", "`pvenet show --help` shows how"),
    ("sim faults pve1", "`pvenet sim faults --help` shows how"),
]
WRONG = [
    ("status pve1", "`pvenet status` has no use for pve1"),
    ("show vmbr0 vmbr1 vmbr2", "`pvenet show` has no use for vmbr1 vmbr2"),
    ("show", "`pvenet show` needs IFACE"),
    ("sim init", "`pvenet sim init` needs DIR"),
    ("--json=", "--json takes no value"),
    ("-q", "`pvenet` needs a command"),
    ("list --node", "--node needs a value"),
    ("plan -f", "-f needs a value"),
    ("plan -o --json", "-o needs a value"),
    ("tree --svg --node pve1", "--svg needs a value"),
    ("--node --json list", "--node needs a value"),
    ("bond create --slaves --mode=802.3ad", "--slaves needs a value"),
    ("apply -f -h", "-f needs a value"),
    ("apply --timeout soon", "--timeout is soon, but must be a number"),
    ("apply --timeout it's", "--timeout is it's, but must be a number"),
    ("apply --timeout 0", "--timeout is 0, but must be 1 to 604800 seconds"),
    ("eth set ens40 --mtu 1.5", "--mtu is 1.5, but must be a whole number"),
    (
        "ovs-bond create --mode 4",
        "--mode is 4, but must be active-backup, balance-slb, lacp-balance-slb or lacp-balance-tcp",
    ),
]


@pytest.fixture
def place(lab: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder with the simulated node, and a profile of it."""
    assert lab.parent == tmp_path
    monkeypatch.chdir(tmp_path)
    config = tmp_path / "config/pvenet"
    config.mkdir(parents=True)
    (config / "config.toml").write_text('[profiles.home]\nsim = "lab"\n')
    return tmp_path


@pytest.mark.parametrize(("line", "hint"), MISTYPED)
def test_a_mistyped_word_names_the_nearest(line: str, hint: str, place: Path, run: Callable[..., Ran]) -> None:
    """Commands, options, modes, fields, faults, interfaces, profiles and the words of options alike."""
    assert place.exists()
    ran = run(*line.split())
    assert ran.code in (2, 3)
    assert ran.err.endswith(f"hint: {hint}\n")


@pytest.mark.parametrize(("line", "error"), WRONG)
def test_what_is_wrong_is_said_in_our_own_words(line: str, error: str, place: Path, run: Callable[..., Ran]) -> None:
    """What lacks, what is too much, and what a value may be."""
    assert place.exists()
    ran = run(*line.split())
    assert (ran.code, ran.err.partition("\n")[0]) == (2, f"error: {error}")


def test_a_number_in_a_file_is_a_mode_of_the_driver(tmp_path: Path, run: Callable[..., Ran]) -> None:
    """A network file may come from somebody who knows the modes so."""
    path = tmp_path / "network.yaml"
    path.write_text("nodes: {pve1: {bond0: {type: bond, slaves: [ens38], mode: 4}}}")
    assert "did you mean 802.3ad?" in run("check", f"{path}").err
