"""Exit codes and messages: what a script and a person can rely on."""

from __future__ import annotations

import documents

from pvenet import errors


def every_class(kind: type[errors.PvenetError] = errors.PvenetError) -> list[type[errors.PvenetError]]:
    return [kind, *(each for child in kind.__subclasses__() for each in every_class(child))]


def test_exit_codes_are_unique() -> None:
    """A code means one thing: no two families share one, and nothing fails with 0."""
    codes = [kind.exit_code for kind in documents.families()]
    assert len(codes) == len(set(codes))
    assert 0 not in codes


def test_a_kind_has_the_code_of_its_family() -> None:
    """Only the families set a code; what is beneath inherits it."""
    families = list(documents.families())
    for kind in every_class():
        if kind.__module__ == "pvenet.errors" and kind not in families:
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
