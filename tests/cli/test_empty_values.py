"""What is given and says nothing (a shell's variable that is empty), and what there is nothing to do about."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from conftest import Ran

    Run = Callable[..., Ran]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["eth", "set", "ens40", "--cidr", ""], "--cidr is empty"),
        (["eth", "set", "ens40", "--cidr", "10.0.0.1/24", "--gateway", ""], "--gateway is empty"),
        (["eth", "set", "ens40", "--cidr6", " "], "--cidr6 is empty"),
        (["eth", "set", "ens40", "--comments", ""], "--comments is empty"),
        (["bridge", "set", "vmbr0", "--ports", ",,,"], "--ports is empty"),
        (["bridge", "set", "vmbr0", "--ports", "", "--ports", " "], "--ports is empty"),
        (["bridge", "set", "vmbr0", "--vids", ""], "--vids is empty"),
        (["bridge", "set", "vmbr0", "--clear", ","], "--clear is empty"),
        (["bond", "create", "--slaves", ""], "--slaves is empty"),
        (["bond", "create", "", "--slaves", "ens40"], "the name is empty"),
        (["bond", "create", "--slaves", "ens40", "--mode", "active-backup", "--primary", ""], "--primary is empty"),
        (["vlan", "create", "--raw-device", "", "--tag", "5"], "--raw-device is empty"),
        (["ovs-port", "create", "mgmt0", "--bridge", ""], "--bridge is empty"),
        (["rollback", ""], "the name of the journal is empty"),
        (["apply", "-f", "network.yaml", "--canary", ""], "--canary is empty"),
        (["apply", "-f", "network.yaml", "--yes", "--node", ""], "--node is empty"),
        (["apply", "-f", "network.yaml", "--yes", "--node", ","], "--node is empty"),
        (["--node", "", "list"], "--node is empty"),
        (["list", "--endpoint", " "], "--endpoint is empty"),
        (["list", "--profile", ""], "--profile is empty"),
        (["list", "--fault", ""], "--fault is empty"),
        (["apply", "--yes", "--on-failure", ""], "--on-failure is empty"),
        (["sim", "init", "new", "--nic", ","], "--nic is empty"),
        (["sim", "serve", "lab", "--listen", ""], "--listen is empty"),
        (["eth", "set", "ens40", "--mtu", ""], "--mtu is empty"),
        (["vlan", "create", "--raw-device", "ens40", "--tag", " "], "--tag is empty"),
        (["bond", "create", "--slaves", "ens40", "--mode", ""], "--mode is empty"),
        (["apply", "--yes", "--timeout", ""], "--timeout is empty"),
        (["bridge", "create", "--state-dir", ""], "--state-dir is empty"),
        (["--sim", "", "list"], "--sim is empty"),
        (["check", ""], "FILE is empty"),
        (["apply", ""], "PLAN is empty"),
        (["plan", "-f", ""], "--file is empty"),
        (["plan", "-f", "network.yaml", "-o", ""], "--out is empty"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_an_empty_value_is_wrong_usage(words: list[str], message: str, lab: Path, run: Run, staged: Path) -> None:
    """Exit 2, and nothing is sent: clearing is `--clear`."""
    ran = run(*words)
    assert ran.code == 2
    assert f"error: {message}" in ran.err
    assert not staged.exists()
    assert lab.exists()


@pytest.mark.usefixtures("lab")
def test_a_list_may_have_empty_words_beside_others(run: Run) -> None:
    """`$A,$B` with one of them empty names the other."""
    assert run("bond", "create", "--slaves", "ens38,,ens39,").code == 0
    assert run("show", "bond0", "--json").data["slaves"] == ["ens38", "ens39"]


@pytest.mark.usefixtures("lab")
@pytest.mark.parametrize(("noun", "name"), [("bond", "bond0"), ("bridge", "vmbr0"), ("eth", "ens40")])
def test_nothing_to_set_is_wrong_usage(noun: str, name: str, run: Run) -> None:
    """Exit 2, also where something of it is staged."""
    run("bond", "create", "--slaves", "ens38,ens39")
    ran = run(noun, "set", name)
    assert ran.code == 2
    assert f"nothing to set on {name}" in ran.err


@pytest.mark.usefixtures("lab")
def test_what_is_only_staged_is_not_so_already(run: Run, interfaces: Path) -> None:
    """It is said that it is not live; of what is live that it is so, whatever else is staged from here."""
    run("bond", "create", "--slaves", "ens38,ens39")
    ran = run("bond", "set", "bond0", "--mode", "balance-rr")
    assert ran.code == 0
    assert "nothing to do: that is staged on pve1 already, but not live yet" in ran.err
    assert run("bond", "set", "bond0", "--mode", "balance-rr", "--json").data["pending"] is True
    assert "nothing to do: pve1 has that already" in run("bridge", "set", "vmbr0", "--ports", "ens33").err
    run("revert")
    assert run("bridge", "set", "vmbr0", "--ports", "ens33", "--json").data["pending"] is False
    interfaces.with_name("interfaces.new").write_text(interfaces.read_text().replace("For management", "Theirs"))
    assert "not live yet" in run("bridge", "set", "vmbr0", "--comments", "Theirs").err


@pytest.mark.usefixtures("lab")
def test_vids_are_shown_as_they_stand_in_the_file(run: Run, interfaces: Path) -> None:
    """ifupdown2 takes them apart at blanks alone; the same VLANs spelled well are a change."""
    text = interfaces.read_text().replace(
        "bridge-fd 0\n", "bridge-fd 0\n\tbridge-vlan-aware yes\n\tbridge-vids 10,20;30-40\n"
    )
    interfaces.write_text(text)
    assert run("show", "vmbr0", "--json").data["vids"] == ["10,20;30-40"]
    ran = run("bridge", "set", "vmbr0", "--vids", "10,20,30-40")
    assert ran.out == "~ bridge vmbr0: vids 10,20;30-40 -> 10,20,30-40\n"
    assert "bridge-vids 10 20 30-40" in interfaces.with_name("interfaces.new").read_text()


def test_a_network_file_may_stand_beside_the_command(
    cluster: Path, run: Run, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`plan FILE` and `check FILE` are `-f FILE`; a plan is of one, and two of them are wrong usage."""
    other = file.rename(file.with_name("other.yaml"))
    for command in ("plan", "check"):
        assert run(command).code == 2
        by_option, by_place = run(command, "-f", "other.yaml"), run(command, "other.yaml")
        assert (by_place.code, by_place.out, by_place.err) == (0, by_option.out, by_option.err)
    ran = run("plan", "other.yaml", "-f", "another.yaml")
    assert (ran.code, "another.yaml and other.yaml are two files" in ran.err) == (2, True)
    assert other.exists()
    assert cluster.exists()
    with other.open() as stdin:
        monkeypatch.setattr("sys.stdin", stdin)
        assert run("check", "-").code == 0


@pytest.mark.usefixtures("lab", "file")
def test_a_plan_that_is_not_there_is_named(run: Run) -> None:
    """As missing, or as no plan."""
    ran = run("apply", "nope.plan")
    assert ran.code == 2
    assert "the saved plan nope.plan can't be read: No such file or directory" in ran.err
    ran = run("apply", "network.yaml")
    assert ran.code == 2
    assert "network.yaml is not a saved plan" in ran.err
    assert "-f network.yaml" in ran.err


@pytest.mark.parametrize("named", ["network.yaml", "./network.yaml", "link.yaml"])
def test_a_plan_is_not_saved_over_the_file_that_it_is_of(cluster: Path, run: Run, file: Path, named: str) -> None:
    """By whatever name: exit 2, and the file is as it was."""
    text = file.read_text()
    file.with_name("link.yaml").symlink_to(file)
    ran = run("plan", "-f", "network.yaml", "-o", named)
    assert ran.code == 2
    assert "is the network file itself" in ran.err
    assert file.read_text() == text
    assert cluster.exists()


@pytest.mark.usefixtures("cluster", "file")
def test_an_environment_that_names_no_node_does_not_mean_all(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """PVENET_NODE="$A,$B" with both of them empty; unset and empty are the same."""
    monkeypatch.setenv("PVENET_NODE", ",")
    ran = run("plan")
    assert ran.code == 2
    assert "an empty name" in ran.err
    monkeypatch.setenv("PVENET_NODE", "")
    assert "an empty name" not in run("plan").err


@pytest.mark.parametrize(
    "words",
    [
        ["plan", "-f", "network.yaml", "-o", "-"],
        ["drift", "-f", "network.yaml", "--prometheus", "-"],
        ["tree", "--svg", "-"],
    ],
    ids=lambda words: f"{words[0]} {words[-2]}",
)
def test_a_file_to_write_is_never_stdout(
    words: list[str], lab: Path, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`-` would make a file of that name, and a script would wait for what it reads from stdout."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "network.yaml").write_text("nodes: {pve1: {}}\n")
    ran = run("--sim", str(lab), *words)
    assert ran.code == 2
    assert "names a file to write; - for stdout is not taken" in ran.err
    assert not (tmp_path / "-").exists()
