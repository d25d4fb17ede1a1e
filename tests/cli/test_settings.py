"""Options and environment: where to go and whom to trust."""

from __future__ import annotations

import traceback
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from pvenet import errors
from pvenet.connection.session import Token, Trust
from pvenet.settings import Options, connect, load_settings, read_settings
from pvenet.settings.connection import trust
from pvenet.sim.http.certificate import certificate

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from conftest import Ran

    from pvenet.settings import Settings

ID = "root@pam!full"
SECRET = "11111111-1111-1111-1111-111111111111"
FINGERPRINT = ":".join(["aB"] * 32)


def at(environment: Mapping[str, str], **options: Any) -> Settings:
    """The settings of an environment and some options."""
    return read_settings(Options(**options), environment)


def wrong(ask: Callable[[], object]) -> errors.UsageError:
    """The UsageError; it and its traceback hold no secret."""
    with pytest.raises(errors.UsageError) as caught:
        ask()
    assert caught.value.exit_code == 2
    told = "".join(traceback.format_exception(caught.value)) + caught.value.hint
    assert SECRET not in told
    return caught.value


# --- where -----------------------------------------------------------------------------------------------------------


def test_an_option_wins_over_the_environment(tmp_path: Path) -> None:
    """Each of them by itself."""
    environment = {"PVENET_ENDPOINT": "pve1", "PVENET_NODE": "a", "PVENET_STATE_DIR": "/there"}
    place = at(environment, endpoint=("pve2",), node="b", state_dir=tmp_path)
    assert (place.endpoints, place.node, place.state_dir) == (("pve2",), "b", tmp_path)
    place = at(environment, endpoint=("pve2",))
    assert (place.endpoints, place.node, place.state_dir) == (("pve2",), "a", Path("/there"))


def test_a_place_named_by_option_is_the_only_one() -> None:
    """--endpoint leaves PVENET_SIM aside, and --sim PVENET_ENDPOINT."""
    assert at({"PVENET_SIM": "lab"}, endpoint=("pve1",)).sim is None
    assert at({"PVENET_ENDPOINT": "pve1"}, sim=Path("lab")).endpoints == ()


def test_nobody_is_insecure_by_accident() -> None:
    """--insecure is an option, and no variable turns it on."""
    assert at({}, sim=Path("lab"), insecure=True).insecure
    assert not at({"PVENET_INSECURE": "1"}, sim=Path("lab")).insecure


@pytest.mark.parametrize("text", ["pve1,pve2", "pve1 pve2", " pve1, pve2,", "pve1\npve2"])
def test_several_endpoints_in_one_variable(text: str) -> None:
    """With commas or blanks between them."""
    assert at({"PVENET_ENDPOINT": text}).endpoints == ("pve1", "pve2")


@pytest.mark.parametrize(
    "given", [("pve1,pve2,pve3",), ("pve1", "pve2,pve3"), (" pve1, pve2 ", "pve3,"), ("pve1 pve2", "", "pve3")]
)
def test_several_endpoints_in_one_option(given: tuple[str, ...]) -> None:
    """As in the variable, and repeated as well; a program's are the same."""
    assert at({}, endpoint=given).endpoints == ("pve1", "pve2", "pve3")
    assert load_settings(*given).endpoints == ("pve1", "pve2", "pve3")


def test_the_folder_of_a_simulated_node_may_have_commas_and_blanks() -> None:
    """Whoever names it alone means one folder."""
    assert at({}, endpoint=("sim:my lab, old",)).sim == Path("my lab, old")


@pytest.mark.parametrize(
    ("options", "environment"),
    [
        (Options(sim=Path("/lab")), {}),
        (Options(endpoint=("sim:/lab",)), {}),
        (Options(), {"PVENET_SIM": "/lab"}),
        (Options(), {"PVENET_ENDPOINT": "sim:/lab"}),
        (Options(), {"PVENET_SIM": "/lab", "PVENET_ENDPOINT": "pve1"}),
    ],
)
def test_a_simulated_node_is_a_folder_and_keeps_its_journals(options: Options, environment: Mapping[str, str]) -> None:
    """As option, as endpoint or in the environment, where it also wins: the state lives in it."""
    place = read_settings(options, environment)
    assert (place.sim, place.endpoints, place.state_dir) == (Path("/lab"), (), Path("/lab/.pvenet"))


@pytest.mark.parametrize(
    "endpoints", [("sim:",), ("sim:lab", "pve1"), ("pve1", "sim:lab"), ("sim:a", "sim:b"), ("pve1,sim:lab",)]
)
def test_a_simulated_node_is_alone(endpoints: tuple[str, ...]) -> None:
    """No folder, or another endpoint beside it: neither is meant silently."""
    assert wrong(lambda: at({}, endpoint=endpoints)).hint == "write it as sim:DIR"


def test_two_places_are_one_too_many() -> None:
    """--endpoint and --sim together are refused."""
    assert "exclude each other" in wrong(lambda: at({}, endpoint=("pve1",), sim=Path("lab"))).message


@pytest.mark.parametrize("environment", [{}, {"PVENET_ENDPOINT": ""}, {"PVENET_ENDPOINT": " , "}, {"PVENET_SIM": ""}])
def test_no_place_at_all_says_how_to_name_one(environment: Mapping[str, str]) -> None:
    """The hint names the way without any node, and the variables."""
    hint = wrong(lambda: at(environment)).hint
    for name in ("--sim", "--endpoint", "PVENET_ENDPOINT", "PVENET_TOKEN_ID", "PVENET_TOKEN_SECRET"):
        assert name in hint


def test_the_command_line_says_the_same(run: Callable[..., Ran]) -> None:
    """Exit code 2, on stderr."""
    ran = run("list")
    assert (ran.code, ran.out) == (2, "")
    assert ran.err.startswith("error: no endpoint")
    assert "--sim" in ran.err


@pytest.mark.parametrize(
    ("environment", "state_dir"),
    [
        ({"XDG_STATE_HOME": "/xdg"}, Path("/xdg/pvenet")),
        ({"XDG_STATE_HOME": "relative"}, Path("/home/me/.local/state/pvenet")),
        ({"XDG_STATE_HOME": ""}, Path("/home/me/.local/state/pvenet")),
        ({}, Path("/home/me/.local/state/pvenet")),
        ({"PVENET_STATE_DIR": "~/there"}, Path("/home/me/there")),
    ],
)
def test_journals_have_a_home(environment: Mapping[str, str], state_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The user's state folder; a relative one is ignored, as its specification says."""
    monkeypatch.setenv("HOME", "/home/me")
    assert at(environment, endpoint=("pve1",)).state_dir == state_dir


def test_a_home_that_is_none_is_a_wrong_setting() -> None:
    """~ of a user who does not exist."""
    error = wrong(lambda: at({"PVENET_SIM": "~nobody-of-that-name/lab"}))
    assert "no home folder" in error.message


# --- whom ------------------------------------------------------------------------------------------------------------


def test_trust_comes_from_the_environment(tmp_path: Path) -> None:
    """A CA file, a fingerprint in any spelling; --insecure by option alone."""
    pem, _ = certificate(tmp_path)
    assert trust(at({}, endpoint=("pve1",))) == Trust()
    assert trust(at({"PVENET_CA_FILE": str(pem)}, endpoint=("pve1",))) == Trust(ca_file=pem)
    for text in (FINGERPRINT, FINGERPRINT.replace(":", ""), f" {FINGERPRINT}\n"):
        assert trust(at({"PVENET_FINGERPRINT": text}, endpoint=("pve1",))) == Trust(fingerprint=text.strip())
    assert trust(at({}, endpoint=("pve1",), insecure=True)) == Trust(insecure=True)


def test_each_endpoint_may_have_a_certificate_of_its_own() -> None:
    """A cluster has one a node: as many fingerprints as endpoints, in the same order; one alone is everybody's."""
    one, two = FINGERPRINT, FINGERPRINT.replace("B", "C")
    environment = {"PVENET_TOKEN_ID": "root@pam!full", "PVENET_TOKEN_SECRET": "oracle-secret"}
    connection = connect(at(environment | {"PVENET_FINGERPRINT": f"{one}, {two}"}, endpoint=("pve1", "pve2")))
    assert [each.fingerprint for each in connection.endpoints] == [one, two]
    connection = connect(at(environment | {"PVENET_FINGERPRINT": one}, endpoint=("pve1", "pve2")))
    assert [each.fingerprint for each in connection.endpoints] == [None, None]
    assert connection.trust == Trust(fingerprint=one)
    three = environment | {"PVENET_FINGERPRINT": f"{one},{two},{one}"}
    error = wrong(lambda: connect(at(three, endpoint=("pve1", "pve2"))))
    assert error.message == "PVENET_FINGERPRINT has 3 fingerprints, and there are 2 endpoints"


@pytest.mark.parametrize(
    "text", ["AB", "AB:" * 19 + "AB", FINGERPRINT + ":AB", FINGERPRINT.replace("a", "x"), "sha256"]
)
def test_a_bad_fingerprint_is_a_wrong_setting(text: str) -> None:
    """SHA-1's among them."""
    assert "PVENET_FINGERPRINT" in wrong(lambda: trust(at({"PVENET_FINGERPRINT": text}, endpoint=("pve1",)))).message


def test_a_missing_ca_file_is_a_wrong_setting() -> None:
    """Named, before anything is asked."""
    assert "/no/ca.pem" in wrong(lambda: trust(at({"PVENET_CA_FILE": "/no/ca.pem"}, endpoint=("pve1",)))).message


# --- all together ----------------------------------------------------------------------------------------------------


def test_a_connection_is_made_of_it(tmp_path: Path) -> None:
    """Endpoints, credentials and trust; nothing is asked yet."""
    pem, _ = certificate(tmp_path)
    environment = {"PVENET_TOKEN_ID": ID, "PVENET_TOKEN_SECRET": SECRET, "PVENET_CA_FILE": str(pem)}
    connection = connect(at(environment, endpoint=("pve1", "pve2:443")))
    assert [str(endpoint) for endpoint in connection.endpoints] == ["https://pve1:8006", "https://pve2:443"]
    assert (connection.credentials, connection.trust) == (Token(id=ID, secret=SECRET), Trust(ca_file=pem))
    connection.close()


def test_a_sim_opens_itself_and_other_users_too(tmp_path: Path) -> None:
    """Without credentials its own token; with some of the environment's, those."""
    connection = connect(at({}, sim=tmp_path / "lab"))
    assert connection.get("nodes").data[0]["node"] == "pve1"
    assert str(connection.endpoint) == f"sim:{tmp_path / 'lab'}"
    named = connect(at({"PVENET_USER": "ops@pve", "PVENET_PASSWORD": "oracle-secret"}, sim=tmp_path / "lab"))
    assert named.credentials.user == "ops@pve"


def test_a_sim_that_can_not_be_is_a_wrong_setting(tmp_path: Path) -> None:
    """A file where the folder should be."""
    (tmp_path / "lab").write_text("")
    assert "is not usable as a simulated node" in wrong(lambda: connect(at({}, sim=tmp_path / "lab"))).message


@pytest.mark.parametrize(
    ("environment", "blamed"),
    [
        ({"PVENET_TOKEN_ID": "mine", "PVENET_TOKEN_SECRET": SECRET}, "PVENET_TOKEN_ID is not a token ID"),
        ({"PROXMOX_VE_API_TOKEN": f"mine={SECRET}"}, "PROXMOX_VE_API_TOKEN is not a token ID"),
        ({"PVENET_PROFILE": "lab"}, "the profile lab's user is 'root', without a realm"),
    ],
)
def test_what_is_wrong_is_named_as_it_was_given(tmp_path: Path, environment: dict[str, str], blamed: str) -> None:
    """The variable, the neighbour's, or the key of the profile."""
    config = tmp_path / "config" / "pvenet" / "config.toml"
    config.parent.mkdir(parents=True)
    config.write_text('[profiles.lab]\nendpoints = ["pve1"]\nuser = "root"\n')
    told = {"XDG_CONFIG_HOME": str(tmp_path / "config"), "PVENET_ENDPOINT": "pve1", **environment}
    if "PVENET_PROFILE" in told:
        del told["PVENET_ENDPOINT"]
    with pytest.raises(errors.UsageError) as caught:
        connect(read_settings(Options(), told))
    assert caught.value.message == blamed
