"""Profiles, the environment, and neighbours' names: which setting wins, and what is refused."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pvenet import errors
from pvenet.settings import Options, read_settings
from pvenet.settings.sources import sourced

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from conftest import Ran

SECRET = "11111111-1111-1111-1111-111111111111"

TOML = """\
[profiles.lab]
endpoints = ["https://lab1:8006", "https://lab2:8006"]
node = "lab1"
token_id = "root@pam!lab"
token_env = "LAB_TOKEN"
fingerprint = "AA"

[profiles.other]
sim = "somewhere"
"""


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """A configuration file with two profiles."""
    file = tmp_path / "config" / "pvenet" / "config.toml"
    file.parent.mkdir(parents=True)
    file.write_text(TOML)
    return file


def env(config: Path, **more: str) -> dict[str, str]:
    """An environment in which the configuration file is found."""
    return {"XDG_CONFIG_HOME": str(config.parent.parent), "LAB_TOKEN": SECRET, **more}


def values(environment: Mapping[str, str], profile: str | None = None) -> dict[str, str]:
    """The settings alone."""
    return {name: setting.value for name, setting in sourced(environment, profile).items()}


def test_a_profile_says_everything_about_a_place(config: Path) -> None:
    """Named by option or by PVENET_PROFILE."""
    wanted = {
        "PVENET_ENDPOINT": "https://lab1:8006,https://lab2:8006",
        "PVENET_NODE": "lab1",
        "PVENET_TOKEN_ID": "root@pam!lab",
        "PVENET_TOKEN_SECRET": SECRET,
        "PVENET_FINGERPRINT": "AA",
    }
    assert values(env(config), "lab") == wanted
    assert values(env(config, PVENET_PROFILE="lab")) == wanted
    assert {setting.source for setting in sourced(env(config), "lab").values()} == {"profile lab"}
    config.write_text(TOML.replace('"AA"', '["AA", "BB"]'))
    assert values(env(config), "lab")["PVENET_FINGERPRINT"] == "AA,BB"


def test_an_option_wins_over_the_environment_and_that_over_its_own_profile(config: Path) -> None:
    """--profile is an option; PVENET_PROFILE is not."""
    here = env(config, PVENET_ENDPOINT="https://env:8006", PVENET_NODE="env1")
    assert values(here, "lab")["PVENET_ENDPOINT"].startswith("https://lab1")
    assert values({**here, "PVENET_PROFILE": "lab"})["PVENET_ENDPOINT"] == "https://env:8006"


def test_what_belongs_together_comes_from_one_source(config: Path) -> None:
    """A login of the environment leaves no part of the profile's token; nor does a CA its fingerprint."""
    here = env(config, PVENET_PROFILE="lab", PVENET_USER="root@pam", PVENET_PASSWORD="x", PVENET_CA_FILE="ca.pem")
    found = values(here)
    assert "PVENET_TOKEN_ID" not in found
    assert "PVENET_FINGERPRINT" not in found
    made = read_settings(Options(), here)
    assert (made.identity.user, made.identity.token_id, made.fingerprints) == ("root@pam", "", ())


def test_a_secret_that_names_nobody_hides_no_profile(config: Path) -> None:
    """A password that was left in the environment is not taken for credentials where a profile names somebody."""
    for left in ({"PVENET_PASSWORD": "x"}, {"PVENET_TOKEN_SECRET": "x"}):
        found = values(env(config, PVENET_PROFILE="lab", **left))
        assert (found["PVENET_TOKEN_ID"], found["PVENET_TOKEN_SECRET"]) == ("root@pam!lab", SECRET)
    assert values({"PVENET_ENDPOINT": "x", "PVENET_TOKEN_SECRET": "y"})["PVENET_TOKEN_SECRET"] == "y"


def test_neighbours_are_understood_after_our_own() -> None:
    """Ansible's and Terraform's variables."""
    ansible = {
        "PROXMOX_HOST": "pve1",
        "PROXMOX_USER": "root@pam",
        "PROXMOX_TOKEN_ID": "ansible",
        "PROXMOX_TOKEN_SECRET": SECRET,
    }
    found = {"PVENET_ENDPOINT": "pve1", "PVENET_TOKEN_ID": "root@pam!ansible", "PVENET_TOKEN_SECRET": SECRET}
    assert values(ansible) == found
    terraform = {"PROXMOX_VE_ENDPOINT": "https://pve2:8006/", "PROXMOX_VE_API_TOKEN": f"root@pam!tf={SECRET}"}
    assert values(terraform) == {
        "PVENET_ENDPOINT": "https://pve2:8006/",
        "PVENET_TOKEN_ID": "root@pam!tf",
        "PVENET_TOKEN_SECRET": SECRET,
    }
    assert values({**ansible, **terraform}) == found
    assert values({**ansible, "PVENET_ENDPOINT": "pve9"})["PVENET_ENDPOINT"] == "pve9"


def test_a_simulated_node_is_not_shown_the_credentials_of_another_place(config: Path) -> None:
    """Those of a neighbour or of a profile for elsewhere."""
    here = env(config, PVENET_SIM="lab", PVENET_PROFILE="lab")
    assert values(here) == {"PVENET_SIM": "lab", "PVENET_NODE": "lab1", "PVENET_FINGERPRINT": "AA"}


WRONG = [
    ("[profiles.lab]\nnode == 1", "is not TOML: .*line 2"),
    ("endpoints = 5", "endpoints is not a section like"),
    ("profiles = 5", "profiles is not a section like"),
    ("[profiles.labb]", "no profile lab in .* or profiles.d; there are: labb"),
    ("[profiles.lab]\nendpoint = 'x'", "unknown key endpoint"),
    ("[profiles.lab]\nendpoints = 5", "endpoints of .* is a list of URLs"),
    ("[profiles.lab]\nnode = 5", "node of .* is text"),
    ("[profiles.lab]\ntoken_env = 'NOT_SET'", "NOT_SET, which token_env of .* names, is not set"),
    ("[profiles.lab]\ntoken_env = 'LAB_TOKEN'\ntoken_secret = 'x'", "repeats what another key says"),
    ('[profiles.lab]\nsim = "a\\u0000b"', "sim of .* holds a null character"),
    ('[profiles.lab]\nendpoints = ["a\\u0000b"]', "endpoints of .* holds a null character"),
]


@pytest.mark.parametrize(("text", "message"), WRONG, ids=[text for text, _ in WRONG])
def test_a_wrong_profile_is_a_matter_of_usage(config: Path, text: str, message: str) -> None:
    """With its file, and what there is."""
    config.write_text(text)
    config.chmod(0o600)
    with pytest.raises(errors.UsageError, match=message):
        sourced(env(config), "lab")


def test_no_file_is_a_matter_of_usage(config: Path) -> None:
    """Only where a profile is named; those that have files of their own are there all the same."""
    config.unlink()
    assert values(env(config)) == {}
    with pytest.raises(errors.UsageError, match=r"there is no profile lab in .*; there are: none") as caught:
        sourced(env(config), "lab")
    assert caught.value.hint == "`pvenet login` makes one"
    own = config.parent / "profiles.d"
    own.mkdir(mode=0o700)
    (own / "lap.toml").write_text("node = 'lap1'\n")
    with pytest.raises(errors.UsageError, match=r"there is no profile lab in .*; there are: lap") as caught:
        sourced(env(config), "lab")
    assert caught.value.hint == "did you mean lap?"


def test_a_secret_that_others_can_read_is_refused(config: Path) -> None:
    """Whichever profile holds it."""
    config.write_text(f"{TOML}\n[profiles.more]\ntoken_secret = '{SECRET}'\n")
    config.chmod(0o640)
    with pytest.raises(errors.UsageError, match="others can read it") as caught:
        sourced(env(config), "lab")
    assert SECRET not in caught.value.message
    config.chmod(0o600)
    assert values(env(config), "more") == {"PVENET_TOKEN_SECRET": SECRET}


def test_the_commands_take_a_profile(
    config: Path, lab: Path, run: Callable[..., Ran], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Before or after their name."""
    monkeypatch.delenv("PVENET_SIM")
    config.write_text(f"[profiles.here]\nsim = '{lab}'\n")
    assert "vmbr0" in run("list", "--profile", "here").out
    assert "vmbr0" in run("--profile", "here", "list").out
    assert run("list", "--profile", "there").code == 2


def test_config_show_tells_where_each_came_from(
    config: Path, run: Callable[..., Ran], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Secrets masked; no connection is made."""
    monkeypatch.setenv("LAB_TOKEN", SECRET)
    monkeypatch.setenv("PVENET_NODE", "lab2")
    assert config.exists()
    ran = run("config", "show", "--profile", "lab", "--state-dir", "there")
    assert ran.code == 0
    assert SECRET not in ran.out
    rows = [line.split() for line in ran.out.splitlines()]
    assert ["PVENET_TOKEN_SECRET", "(secret)", "profile", "lab"] in rows
    assert ["PVENET_STATE_DIR", "there", "option"] in rows
    data = run("config", "show", "--json", "--endpoint", "https://x:8006").data
    assert data["PVENET_ENDPOINT"] == {"value": "https://x:8006", "source": "option"}
    assert data["PVENET_NODE"] == {"value": "lab2", "source": "environment"}


@pytest.mark.parametrize("said", ["true", '"true"', '"1"', '"yes"'])
def test_a_profile_can_want_the_sdn_lock(lab: Path, run: Callable[..., Ran], config: Path, said: str) -> None:
    """For every apply; an option says otherwise for one."""
    config.write_text(f'[profiles.lab]\nsim = "{lab}"\nsdn_lock = {said}\n')

    def held(*words: str) -> bool:
        assert run("bridge", "create", *words[:1]).code == 0
        ran = run("apply", "--yes", "--debug", "--profile", "lab", *words[1:])
        assert ran.code == 0
        return "POST" in ran.err and "cluster/sdn/lock" in ran.err

    assert held("vmbr1")
    assert not held("vmbr2", "--no-sdn-lock")
    assert not held("vmbr3", "--no-wait")


def test_a_check_of_ones_own_is_given_no_profiles_secret(
    lab: Path, run: Callable[..., Ran], config: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not of the profiles that are not used either: they may open the same node."""
    profiles = f'[profiles.lab]\nsim = "{lab}"\n[profiles.other]\nuser = "root@pam"\npassword_env = "OTHER_PASSWORD"\n'
    config.write_text(profiles)
    own = config.parent / "profiles.d" / "more.toml"
    own.parent.mkdir()
    own.write_text('[profiles.more]\ntoken_env = "MORE_TOKEN"\n')
    for name in ("OTHER_PASSWORD", "MORE_TOKEN", "LAB_HEALTH"):
        monkeypatch.setenv(name, "given")
    assert run("bridge", "create", "vmbr1").code == 0
    ran = run("apply", "--yes", "--profile", "lab", "--verify-with", "env")
    assert ran.code == 0
    assert [line.strip() for line in ran.err.splitlines() if line.endswith("=given")] == ["LAB_HEALTH=given"]


def test_a_profiles_check_that_nobody_waits_for_is_named(lab: Path, run: Callable[..., Ran], config: Path) -> None:
    """With --no-wait nothing is verified, and what the profile wants of every apply is not left out unsaid."""
    config.write_text(f'[profiles.lab]\nsim = "{lab}"\nverify_with = "true --all"\n')
    assert run("bridge", "create", "vmbr1").code == 0
    ran = run("apply", "--yes", "--profile", "lab", "--no-wait")
    assert (ran.code, "`true --all` is not run: with --no-wait" in ran.err) == (0, True)


def test_what_a_setting_says_of_the_sdn_lock_is_true_or_false(
    lab: Path, run: Callable[..., Ran], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Anything else is wrong usage, and nothing is sent; so is a lock that nobody waits to release."""
    monkeypatch.setenv("PVENET_SDN_LOCK", "perhaps")
    ran = run("apply", "--yes")
    assert (ran.code, "must be true or false" in ran.err) == (2, True)
    ran = run("apply", "--yes", "--sdn-lock", "--no-wait")
    assert (ran.code, "with --no-wait nothing" in ran.err) == (2, True)
    assert lab.exists()
