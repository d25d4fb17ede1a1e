"""What is to be made for a token: only what is missing, with the least rights, and the same as lines for a shell."""

from __future__ import annotations

import shlex
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pvenet import errors
from pvenet.access import ROLES, ZONE
from pvenet.login.plan import USER, Found, Grant, Step, Wanted, removal, steps
from pvenet.login.rights import Right, lacking, rights

if TYPE_CHECKING:
    from pvenet.login.rights import Scope

SCOPES: tuple[Scope, ...] = ("change", "read-only", "full")
CHANGING = {"Sys.Modify", "SDN.Allocate"}


def want(scope: Scope = "change", *nodes: str, name: str = "ci") -> Wanted:
    """A token of a scope."""
    return Wanted(rights=rights(scope, nodes), token_name=name, read_only=scope == "read-only")


def made(found: Found, step: Step) -> Found:
    """What is there after a step, by what it sends."""
    form = step.form
    match step.method, *step.path:
        case "POST", "access", "roles":
            return replace(found, roles={**found.roles, str(form["roleid"]): frozenset(str(form["privs"]).split(","))})
        case "PUT", "access", "roles", name:
            return replace(found, roles={**found.roles, name: frozenset(str(form["privs"]).split(","))})
        case "POST", "access", "users":
            return replace(found, enabled=True)
        case "POST", "access", "users", _, "token", _:
            return replace(found, separated=True)
        case "PUT", "access", "users", _, "token", _:
            return replace(found, separated=found.separated or form.get("privsep") == 1)
        case _:
            assert (step.method, *step.path) == ("PUT", "access", "acl")
            who = str(form.get("users") or form.get("tokens"))
            grant = Grant(path=str(form["path"]), who=who, role=str(form["roles"]), propagate=form["propagate"] == 1)
            others = {each for each in found.grants if replace(each, propagate=grant.propagate) != grant}
            return replace(found, grants=frozenset({*others, grant}))


def whole(wanted: Wanted) -> Found:
    """All of it is there."""
    found = Found()
    for step in steps(wanted, found, secret=True):
        found = made(found, step)
    return found


@st.composite
def partly(draw: st.DrawFn) -> tuple[Wanted, Found]:
    """Something wanted, and any part of it there; roles may have more or less, a grant may not be handed down."""
    wanted = want(draw(st.sampled_from(("change", "full"))), *draw(st.sampled_from(((), ("pve1",), ("a", "b")))))
    there = whole(wanted)
    roles = {
        name: frozenset(draw(st.sets(st.sampled_from(sorted({*ROLES[name], "Sys.Syslog"})))))
        for name in draw(st.sets(st.sampled_from(sorted(ROLES))))
    }
    enabled = draw(st.sampled_from((None, True)))
    grants = draw(st.sets(st.sampled_from(sorted(there.grants, key=str)))) if there.grants else set()
    grants = {replace(grant, propagate=grant.propagate and draw(st.booleans())) for grant in grants}
    separated = draw(st.sampled_from((None, True, False))) if enabled else None
    return wanted, Found(roles=roles, enabled=enabled, separated=separated, grants=frozenset(grants))


@given(case=partly(), secret=st.booleans())
def test_after_the_steps_nothing_is_missing(case: tuple[Wanted, Found], *, secret: bool) -> None:
    """From whatever was there; and nothing that was there is less afterwards."""
    wanted, found = case
    for step in steps(wanted, found, secret=secret):
        before, found = found, made(found, step)
        assert all(found.roles[name] >= privileges for name, privileges in before.roles.items())
    assert steps(wanted, found, secret=False) == ()
    for right in wanted.rights:
        assert set(right.privileges) <= found.roles[right.role]


@given(case=partly())
def test_a_secret_is_given_once_where_one_is_needed(case: tuple[Wanted, Found]) -> None:
    """By a new token, or by a new secret of one that is there, which is said."""
    wanted, found = case
    giving = [step for step in steps(wanted, found, secret=True) if step.gives_secret]
    assert len(giving) == 1
    assert ("stops working" in giving[0].text) == (found.separated is not None)
    without = [step for step in steps(wanted, found, secret=False) if step.gives_secret]
    assert len(without) == (found.separated is None)


def test_no_role_begins_as_pves_own() -> None:
    """PVE refuses names that begin with PVE in any case."""
    assert not [name for name in ROLES if name.upper().startswith("PVE")]


@pytest.mark.parametrize("scope", SCOPES)
@pytest.mark.parametrize("nodes", [(), ("pve1",), ("pve1", "pve2")])
def test_each_right_is_least(scope: Scope, nodes: tuple[str, ...]) -> None:
    """What K7 found to be enough and no more; on the named nodes alone; at / and /sdn nothing is handed down."""
    found = {(right.path, right.propagate): set(right.privileges) for right in rights(scope, nodes)}
    at_nodes = {"Sys.Audit"} if scope == "read-only" else {"Sys.Audit", "Sys.Modify"}
    places = [f"/nodes/{node}" for node in nodes] or ["/nodes"]
    expected = {
        **{(place, True): at_nodes for place in places},
        (ZONE, True): {"SDN.Audit"},
        ("/", False): {"Sys.Audit"},
    }
    more = {("/vms", True): {"VM.Audit"}, ("/sdn", False): {"SDN.Allocate"}} if scope == "full" else {}
    assert found == expected | more


def test_a_token_that_can_only_look_has_no_role_that_changes() -> None:
    """Nor may it have been given one before: then it is refused, with the line that takes it away."""
    wanted = want("read-only")
    assert not [role for role in wanted.roles if CHANGING & set(ROLES[role])]
    assert steps(wanted, whole(wanted), secret=False) == ()
    with pytest.raises(errors.RefusedByPvenet, match="would not be read-only") as caught:
        steps(wanted, whole(want("change")), secret=False)
    assert "pveum acl delete /nodes --tokens 'pvenet@pve!ci' --roles NetAdminPvenet" in caught.value.hint


def test_anothers_rights_are_no_obstacle() -> None:
    """The user has what another token of it needs; a token has only what it was given itself."""
    other = replace(whole(want("full", name="other")), separated=None)
    found = steps(want("read-only"), other, secret=True)
    assert "token pvenet@pve!ci, with rights of its own" in [step.text for step in found]


def test_a_disabled_user_is_told() -> None:
    """Its tokens would open nothing, and who disabled it meant that."""
    with pytest.raises(errors.RefusedByPvenet, match="disabled") as caught:
        steps(want(), replace(whole(want()), enabled=False), secret=False)
    assert "pveum user modify pvenet@pve --enable 1" in caught.value.hint


@pytest.mark.parametrize("scope", SCOPES)
def test_the_lines_say_what_the_calls_do(scope: Scope) -> None:
    """A line a step, with every value of its form; the token's `!` is quoted for a shell."""
    for step in steps(want(scope), Found(), secret=True):
        words = shlex.split(step.line)
        assert words[0] == "pveum"
        for value in step.form.values():
            assert str(value) in words, step.line
        assert "!" not in step.line.replace("'pvenet@pve!ci'", "")
    assert removal(f"{USER}!ci") == "pveum user token remove pvenet@pve ci"
    assert shlex.split(removal("a b@pve!x;y"))[-2:] == ["a b@pve", "x;y"]


def test_what_is_lacking_is_told_by_path() -> None:
    """A right without one of its privileges, or on a path of which nothing was told."""
    wanted = rights("change")
    held = {right.path: frozenset(right.privileges) for right in wanted}
    assert lacking(wanted, held) == ()
    assert [right.path for right in lacking(wanted, {**held, "/nodes": frozenset({"Sys.Audit"})})] == ["/nodes"]
    assert lacking(wanted, {}) == wanted
    assert isinstance(wanted[0], Right)
