"""Exit codes and messages: what a script and a person can rely on."""

from __future__ import annotations

from pvenet import errors
from pvenet.cli.reference import families


def every_class(kind: type[errors.PvenetError] = errors.PvenetError) -> list[type[errors.PvenetError]]:
    return [kind, *(each for child in kind.__subclasses__() for each in every_class(child))]


def test_exit_codes_are_unique() -> None:
    """A code means one thing: no two families share one, and nothing fails with 0."""
    codes = [kind.exit_code for kind in families()]
    assert len(codes) == len(set(codes))
    assert 0 not in codes


def test_a_kind_has_the_code_of_its_family() -> None:
    """Only the families set a code; what is beneath inherits it."""
    known = list(families())
    for kind in every_class():
        if kind.__module__ == "pvenet.errors" and kind not in known:
            assert "exit_code" not in vars(kind), kind


def test_every_kind_says_what_it_is() -> None:
    """The docstrings are the table of `pvenet help exit-codes`, and the tree above the classes names each of them."""
    for kind in every_class():
        if kind.__module__ == "pvenet.errors":
            assert kind.__doc__
            assert kind.__name__ in (errors.__doc__ or "")


def test_an_error_has_a_message_and_a_hint() -> None:
    """Both are text for a person; the message alone is its `str`."""
    error = errors.RefusedByPVE("pve1 refuses: no", hint="look", status=400, errors={"iface": "no"})
    assert (str(error), error.hint, error.errors) == ("pve1 refuses: no", "look", {"iface": "no"})


def test_the_nearest_word_is_found_in_any_case_and_by_its_parts() -> None:
    """As it is written where it is known; where a part fits two words, neither is meant."""
    assert errors.nearest("VMBR1", ["vmbr1", "Vmbr2"]) == "vmbr1"
    assert errors.nearest("alb", ["balance-alb", "balance-tlb"]) == "balance-alb"
    assert errors.nearest("balance", ["balance-alb", "balance-tlb-x"], cutoff=0.9) is None
    assert errors.nearest("4", ["a"], aliases={"4": "b"}) is None


def test_a_hint_without_a_near_word_says_what_else_helps() -> None:
    """It is never empty where there is something to say."""
    assert errors.did_you_mean("xyz", ["list"], otherwise="look") == "look"
    assert errors.did_you_mean("lst", ["list"], shown="`pvenet {}`") == "did you mean `pvenet list`?"


def test_a_reason_has_no_number_of_the_systems() -> None:
    """Nor the path, which the message names itself."""
    assert errors.reason(FileNotFoundError(2, "No such file or directory", "nope")) == "No such file or directory"
    assert errors.reason(OSError("it is gone")) == "it is gone"
    assert errors.reason(ValueError("it is odd")) == "it is odd"
