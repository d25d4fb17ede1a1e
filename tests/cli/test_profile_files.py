"""Profiles that have a file of their own: found, told from those of the configuration file, written and removed."""

from __future__ import annotations

import stat
import sys
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import keyring
import pytest
from hypothesis import given
from hypothesis import strategies as st
from memory_keyring import Memory

from pvenet import errors
from pvenet.settings import Options, keychain, read_settings
from pvenet.settings.profile_files import prepare, remove, secret_file, write_profile, write_secret
from pvenet.settings.profiles import profile_of
from pvenet.settings.secrets import credentials
from pvenet.settings.sources import explained, sourced

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from conftest import Ran
    from keyring.backend import KeyringBackend

SECRET = "11111111-1111-1111-1111-111111111111"
ID = "pvenet@pve!here"
LAB = {"endpoints": ["https://lab1:8006"], "token_id": ID, "token_command": 'pass show "lab\\1"', "fingerprint": "AA"}


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """One without any configuration yet."""
    return {"XDG_CONFIG_HOME": str(tmp_path / "config")}


@pytest.fixture
def config(environment: dict[str, str], tmp_path: Path) -> Path:
    """The configuration file, with the profile `old`."""
    assert environment
    path = tmp_path / "config" / "pvenet" / "config.toml"
    path.parent.mkdir(parents=True)
    path.write_text("[profiles.old]\nendpoints = ['https://old:8006']\n")
    return path


def made(environment: dict[str, str], name: str = "lab") -> Path:
    """The file of a new profile."""
    prepare(name, environment)
    return write_profile(name, LAB, environment)


def test_a_profile_of_its_own_is_read_like_any_other(environment: dict[str, str], config: Path) -> None:
    """By its name, beside those of the configuration file, whose bytes stay as they are."""
    before = config.read_bytes()
    path = made(environment)
    assert path == config.parent / "profiles.d" / "lab.toml"
    found = {name: each.value for name, each in sourced(environment, "lab").items()}
    assert found == {
        "PVENET_ENDPOINT": "https://lab1:8006",
        "PVENET_TOKEN_ID": ID,
        "PVENET_TOKEN_COMMAND": 'pass show "lab\\1"',
        "PVENET_FINGERPRINT": "AA",
    }
    assert sourced(environment, "old")["PVENET_ENDPOINT"].value == "https://old:8006"
    assert config.read_bytes() == before


def test_it_is_its_owners_alone(environment: dict[str, str]) -> None:
    """The folder, the profile and the secret, whatever the umask; nothing else is left there."""
    paths = [made(environment), write_secret("lab", SECRET, environment)]
    assert [stat.S_IMODE(path.stat().st_mode) for path in paths] == [0o600, 0o600]
    assert stat.S_IMODE(paths[0].parent.stat().st_mode) == 0o700
    assert sorted(path.name for path in paths[0].parent.iterdir()) == ["lab.token", "lab.toml"]


def test_a_profile_in_two_places_is_refused(environment: dict[str, str], config: Path) -> None:
    """Both places are named; and no new one is made of a name that the configuration file has."""
    path = made(environment)
    config.write_text("[profiles.lab]\nendpoints = ['https://other:8006']\n")
    with pytest.raises(errors.UsageError, match="the profile lab is in") as caught:
        profile_of("lab", environment)
    assert str(config) in caught.value.message
    assert str(path) in caught.value.message
    path.unlink()
    with pytest.raises(errors.UsageError, match="leaves alone"):
        prepare("lab", environment)


def test_a_file_holds_the_profile_that_it_is_called_by(environment: dict[str, str]) -> None:
    """Another's, or two, are refused with what stands there."""
    path = made(environment)
    path.rename(path.with_name("other.toml"))
    with pytest.raises(errors.UsageError, match=r"for \[profiles.other\] alone, and holds: lab"):
        profile_of("other", environment)


def test_the_only_one_is_meant_where_nothing_is_named(environment: dict[str, str], config: Path) -> None:
    """Not where the environment or an option says where to go, nor beside another profile: then its name is told."""
    config.unlink()
    made(environment)
    assert read_settings(Options(), environment).endpoints == ("https://lab1:8006",)
    assert explained(Options(), environment)["PVENET_ENDPOINT"].source == "profile lab"
    elsewhere = read_settings(Options(endpoint=("https://x:8006",)), environment)
    assert (elsewhere.endpoints, elsewhere.identity.token_id, elsewhere.fingerprints) == (("https://x:8006",), "", ())
    assert not read_settings(Options(), {**environment, "PVENET_ENDPOINT": "https://y:8006"}).identity
    assert not read_settings(Options(), {**environment, "PROXMOX_HOST": "z"}).identity
    config.write_text("[profiles.old]\nendpoints = ['https://old:8006']\n")
    with pytest.raises(errors.UsageError, match="no endpoint") as caught:
        read_settings(Options(), environment)
    assert "lab, old" in caught.value.hint


def test_one_of_the_configuration_file_is_never_meant_unnamed(environment: dict[str, str], config: Path) -> None:
    """It was written by hand for --profile, as ever."""
    assert config.exists()
    with pytest.raises(errors.UsageError, match="no endpoint"):
        read_settings(Options(), environment)


@pytest.mark.parametrize("name", ["", ".", "..", "../x", "a/b", "-x", ".hidden", "a b", "a\n", "é", "x" * 64])
def test_a_name_leads_nowhere_else(environment: dict[str, str], name: str) -> None:
    """What could be another path, or an option, is no name."""
    with pytest.raises(errors.UsageError, match="is not a valid profile name"):
        write_profile(name, LAB, environment)


@given(text=st.text(max_size=20))
def test_what_is_written_is_what_is_read(tmp_path_factory: pytest.TempPathFactory, text: str) -> None:
    """Any text of a person comes back as it was, or is refused for a character that nobody sees."""
    environment = {"XDG_CONFIG_HOME": str(tmp_path_factory.mktemp("config"))}
    prepare("lab", environment)
    if not text.isprintable():
        with pytest.raises(errors.UsageError, match="can't be written to a profile"):
            write_profile("lab", {"token_command": text}, environment)
        return
    write_profile("lab", {"token_command": text, "node": "pve1"}, environment)
    found = profile_of("lab", environment)
    assert (found["PVENET_TOKEN_COMMAND"].value if text else "") == text
    assert found["PVENET_NODE"].value == "pve1"


def test_a_folder_that_cant_be_written_is_told(tmp_path: Path) -> None:
    """In a sentence, before anything else happens."""
    (tmp_path / "config").write_text("a file")
    with pytest.raises(errors.UsageError, match="can't be written"):
        prepare("lab", {"XDG_CONFIG_HOME": str(tmp_path / "config")})


@pytest.mark.parametrize(
    ("error", "raised"),
    [(OSError(28, "No space left on device"), errors.UsageError), (KeyboardInterrupt(), KeyboardInterrupt)],
)
def test_a_write_that_fails_leaves_what_was_there(
    environment: dict[str, str], monkeypatch: pytest.MonkeyPatch, error: BaseException, raised: type[BaseException]
) -> None:
    """The profile from before, whole, and no draft beside it; also where a person ends it."""
    path = made(environment)
    before = path.read_bytes()

    def full(*_: object) -> None:
        raise error

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(raised) as caught:
        write_profile("lab", {"node": "pve2"}, environment)
    assert str(error.args[-1] if error.args else "") in str(caught.value)
    assert path.read_bytes() == before
    assert [each.name for each in path.parent.iterdir()] == ["lab.toml"]


def test_what_is_removed_is_gone(environment: dict[str, str]) -> None:
    """A second time there is nothing to remove, and that is no error."""
    path = made(environment)
    assert secret_file("lab", environment).parent == path.parent
    assert (remove(path), remove(path)) == (True, False)


# --- the keyring -----------------------------------------------------------------------------------------------------


class Locked(Memory):
    """One that nobody unlocks, and that tells too much."""

    def get_password(self, service: str, username: str) -> str | None:
        raise RuntimeError(f"{service} {username} {SECRET}")


@pytest.fixture
def use() -> Callable[[KeyringBackend], None]:
    """Put a keyring in the system's place."""
    return keyring.set_keyring


def test_a_secret_may_be_in_the_keyring(environment: dict[str, str], use: Callable[[KeyringBackend], None]) -> None:
    """The profile names the service; the token's name is the user's there."""
    use(Memory())
    keychain.keep("pvenet", ID, SECRET)
    prepare("lab", environment)
    write_profile("lab", {"endpoints": "https://x:8006", "token_id": ID, "token_keyring": "pvenet"}, environment)
    identity = read_settings(Options(profile="lab"), environment).identity
    found: Any = credentials(identity)
    assert (found.id, found.secret) == (ID, SECRET)
    keychain.forget("pvenet", ID)
    keychain.forget("pvenet", ID)
    with pytest.raises(errors.UsageError, match="the keyring has no secret"):
        credentials(identity)


def test_a_keyring_that_refuses_is_told_without_its_words(use: Callable[[KeyringBackend], None]) -> None:
    """Locked, or broken: a sentence and a way out; what the backend says may hold anything."""
    use(Locked())
    for ask in (lambda: keychain.fetch("pvenet", ID), lambda: keychain.forget("pvenet", ID)):
        with pytest.raises(errors.UsageError, match=r"can't be used \(RuntimeError\)") as caught:
            ask()
        assert SECRET not in caught.value.message + caught.value.hint
        assert "--store file" in caught.value.hint


def test_without_the_package_there_is_no_keyring(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is an extra: none is used, and one that a profile names is told how to be had."""
    monkeypatch.setitem(sys.modules, "keyring", None)
    assert not keychain.usable()
    with pytest.raises(errors.UsageError, match="the package `keyring`") as caught:
        keychain.fetch("pvenet", ID)
    assert "pvenet[keyring]" in caught.value.hint


def test_a_keyring_that_keeps_nothing_is_not_used(
    use: Callable[[KeyringBackend], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The backend that stands for none has a low priority; one that fails is none either."""
    from keyring.backends.fail import Keyring as Fail

    use(Fail())  # type: ignore[no-untyped-call]
    assert not keychain.usable()
    use(Memory())
    assert keychain.usable()
    monkeypatch.setattr(keyring, "get_keyring", SimpleNamespace)
    assert not keychain.usable()


def test_config_show_names_the_keyring_and_no_secret(
    environment: dict[str, str],
    use: Callable[[KeyringBackend], None],
    run: Callable[..., Ran],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Which service, from which profile."""
    use(Memory())
    monkeypatch.setenv("XDG_CONFIG_HOME", environment["XDG_CONFIG_HOME"])
    keychain.keep("pvenet", ID, SECRET)
    prepare("lab", environment)
    write_profile("lab", {"token_id": ID, "token_keyring": "pvenet", "endpoints": "https://x:8006"}, environment)
    ran = run("config", "show", "--json")
    assert ran.data["PVENET_TOKEN_KEYRING"] == {"value": "pvenet", "source": "profile lab"}
    assert SECRET not in ran.out
