"""What the doctor makes of what it is told: the clock, releases, rights, certificates, hosts; and checks that break."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from ipaddress import IPv4Interface
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pvenet import errors
from pvenet.access import ZONE
from pvenet.connection.certificate import Certificate
from pvenet.connection.endpoint import Endpoint
from pvenet.connection.session import Trust
from pvenet.doctor import endpoint as endpoints
from pvenet.doctor.clock import LIMIT, SLACK, clock
from pvenet.doctor.endpoint import endpoint_findings, judged, softened
from pvenet.doctor.entry import expiry
from pvenet.doctor.finding import Finding, Looks, State, bad, good
from pvenet.doctor.kernel import hosts
from pvenet.doctor.release import packages, version
from pvenet.doctor.rights import CHECKS, right_findings
from pvenet.model import Bridge, Network, OvsBridge

NOW = datetime(2026, 11, 26, 5, 0, 0, tzinfo=UTC)


@given(st.integers(-100_000, 100_000), st.floats(0, 20))
def test_a_clock_is_judged_by_how_far_it_is_off(ahead: int, took: float) -> None:
    """Whatever the answer took: a date within that time says nothing."""
    asked, answered = NOW, NOW + timedelta(seconds=took)
    state = clock(format_datetime(NOW + timedelta(seconds=ahead), usegmt=True), asked, answered).state
    if -1 <= ahead <= took + SLACK:
        assert state is State.GOOD
    if ahead > took + SLACK or ahead < -SLACK - 1:
        assert state in (State.WARNING, State.BAD)
    if ahead > took + LIMIT or ahead < -LIMIT - 1:
        assert state is State.BAD


def test_a_clock_says_which_way_it_is_off() -> None:
    """Ahead or behind, in a unit that a person reads."""
    late = format_datetime(NOW - timedelta(hours=3), usegmt=True)
    assert clock(late, NOW, NOW).text.startswith("the node's clock is 3 h behind this machine's")
    soon = format_datetime(NOW + timedelta(seconds=90), usegmt=True)
    assert clock(soon, NOW, NOW).text == "the node's clock is 90 s ahead of this machine's"


@pytest.mark.parametrize("date", ["", "yesterday", "Thu, 99 Nov 2026 05:00:00 GMT", "\x1b[31m"])
def test_a_date_that_is_none_is_not_known(date: str) -> None:
    """Nothing is said of the clock then."""
    assert clock(date, NOW, NOW).state is State.UNKNOWN


@pytest.mark.parametrize(
    ("told", "state", "lacks"),
    [
        ("9.2.11", State.GOOD, []),
        ("9.2.0", State.GOOD, ["the speed of NICs"]),
        ("9.1.4", State.GOOD, ["SDN's dry-run", "the speed of NICs"]),
        ("9.0.3", State.WARNING, ["the ports of each bridge"]),
        ("8.4.1", State.WARNING, ["the SDN lock", "the ports of each bridge"]),
        ("10.0.1", State.GOOD, []),
        ("7.4-3", State.BAD, []),
        ("nine", State.UNKNOWN, []),
    ],
)
def test_a_release_says_what_it_offers(told: str, state: State, lacks: list[str]) -> None:
    """By its number, as numbers compare."""
    found = version(told)
    assert found.state is state
    assert all(what in found.text for what in lacks)
    assert bool(lacks) == ("does not offer" in found.text)


def row(name: str, release: str, state: str = "Installed") -> dict[str, str]:
    """A package of the node's list."""
    return {"Package": name, "Version": release, "CurrentState": state}


def test_open_vswitch_is_missed_where_it_is_used() -> None:
    """And nowhere else; a list without ifupdown2 proves nothing, for it may be short."""
    switched = Network(interfaces={"vmbr1": OvsBridge(name="vmbr1")})
    plain = Network(interfaces={"vmbr1": Bridge(name="vmbr1")})
    there = [row("ifupdown2", "3.3.0"), row("openvswitch-switch", "3.5.0-1+b1")]
    assert [each.state for each in packages(there, switched)] == [State.GOOD, State.GOOD]
    assert [each.text for each in packages(there, plain)] == ["ifupdown2 3.3.0", "Open vSwitch 3.5.0-1+b1"]
    assert [each.state for each in packages(there[:1], plain)] == [State.GOOD, State.GOOD]
    assert [each.state for each in packages(there[:1], switched)] == [State.GOOD, State.WARNING]
    assert next(packages([row("ifupdown2", "3.3.0", "ConfigFiles")], None)).state is State.UNKNOWN


HELD = {
    "/nodes/pve1": {"Sys.Audit": True, "Sys.Modify": True},
    ZONE: {"SDN.Audit": True},
    "/vms": {"VM.Audit": True},
    "/": {"Sys.Audit": False},
    "/sdn": {"SDN.Allocate": False},
}
WORST = {"/nodes/pve1": State.BAD, ZONE: State.BAD}


def test_rights_that_are_all_held_are_good() -> None:
    """Also one that is not handed down, where it is not needed beneath."""
    found = list(right_findings(HELD, "u@pve!t", "pve1"))
    assert [each.state for each in found] == [State.GOOD] * len(CHECKS)
    assert [each.check for each in found] == list(CHECKS)


@pytest.mark.parametrize(("path", "privilege"), [(path, each) for path, held in HELD.items() for each in held])
def test_a_right_that_is_missing_is_one_line(path: str, privilege: str) -> None:
    """Bad where nothing can be done without it, else a warning; with the lines that grant it to user and token."""
    held = {
        place: {name: down for name, down in row.items() if (place, name) != (path, privilege)}
        for place, row in HELD.items()
    }
    (wrong,) = [each for each in right_findings(held, "u@pve!t", "pve1") if each.state is not State.GOOD]
    assert wrong.check.startswith(privilege)
    assert wrong.state is WORST.get(path, State.WARNING)
    assert path in wrong.text
    lines = [line.strip() for line in wrong.todo.splitlines()]
    for who in ("--users 'u@pve'", "--tokens 'u@pve!t'"):
        assert any(line.startswith(f"pveum acl modify {path} {who}") for line in lines)


def test_the_lines_for_the_sdn_lock_hide_no_right_from_above() -> None:
    """An entry on /sdn that was handed down would replace what a role on / gives beneath it."""
    (wrong,) = [each for each in right_findings({**HELD, "/sdn": {}}, "u@pve", "pve1") if each.state is not State.GOOD]
    assert "--propagate 0" in wrong.todo
    assert "--propagate 1" not in wrong.todo


def certificate(since: int, until: int) -> Certificate:
    """One that is valid from and to so many days from now."""
    return Certificate(
        subject="pve1", issuer="ca", since=NOW + timedelta(days=since), until=NOW + timedelta(days=until)
    )


@pytest.mark.parametrize(
    ("since", "until", "state", "word"),
    [
        (-9, 300, State.GOOD, "until 2027"),
        (-9, 12, State.WARNING, "within 13 days"),
        (-9, -1, State.WARNING, "has expired"),
        (1, 300, State.WARNING, "is not valid yet"),
    ],
)
def test_a_certificate_is_judged_by_its_time(since: int, until: int, state: State, word: str) -> None:
    """One that nears its end is worth a word before it has."""
    found = judged(certificate(since, until), NOW, "pinned")
    assert found.state is state
    assert word in found.text
    assert bool(found.todo) == (state is not State.GOOD)


def test_a_certificate_that_nobody_checks_is_a_warning() -> None:
    """However good it looks."""
    assert judged(certificate(-9, 300), NOW, "not checked (--insecure)", insecure=True).state is State.WARNING


@pytest.mark.parametrize(
    ("days", "state", "word"),
    [(None, State.GOOD, "does not expire"), (90, State.GOOD, ""), (3, State.WARNING, "4 days")],
)
def test_a_token_is_judged_by_its_end(days: int | None, state: State, word: str) -> None:
    """0 is for ever."""
    expire = int((NOW + timedelta(days=days, hours=1)).timestamp()) if days is not None else 0
    found = expiry("u@pve!t has rights of its own", expire, NOW, "look")
    assert found.state is state
    assert word in found.text


@pytest.mark.parametrize("expire", [253_402_300_800, 10**18, 10**30])
def test_a_token_may_end_when_no_calendar_goes_on(expire: int) -> None:
    """A number has no end: it is far away, and no check that breaks."""
    found = expiry("u@pve!t has rights of its own", expire, NOW, "look")
    assert (found.state, "expires on 9999-12-31" in found.text) == (State.GOOD, True)


def network(cidr: str) -> Network:
    """One bridge with this address."""
    return Network(interfaces={"vmbr0": Bridge(name="vmbr0", cidr=IPv4Interface(cidr))})


@pytest.mark.parametrize(
    ("text", "state"),
    [
        ("192.0.2.11 pve1.lan pve1\n", State.GOOD),
        ("192.0.2.11 PVE1\n# 192.0.2.9 pve1\n", State.GOOD),
        ("127.0.1.1 pve1\n192.0.2.11 pve1\n", State.GOOD),
        ("192.0.2.9 pve1.lan pve1\n", State.BAD),
        ("192.0.2.11 pve10\n", State.BAD),
        ("", State.BAD),
    ],
)
def test_the_hosts_file_has_to_name_an_address_of_the_node(text: str, state: State) -> None:
    """Of a node whose addresses nobody knows nothing is said."""
    assert hosts(text, "pve1", network("192.0.2.11/24"), None).state is state
    assert hosts(text, "pve1", None, None).state is State.UNKNOWN or not text


# --- how it is looked -------------------------------------------------------------------------------------------------


def broken() -> list[Finding]:
    raise ValueError("no sense")


def spent() -> list[Finding]:
    raise OSError(24, "Too many open files", "/somewhere")


def dead() -> list[Finding]:
    raise errors.Unreachable("pve1 can't be reached", hint="look at it")


def odd() -> list[Finding]:
    raise errors.NotPVE("pve1 says something else")


def test_a_check_that_breaks_is_not_known_and_the_others_go_on() -> None:
    """Whose fault it is, is said: pvenet's own, the machine's; an answer that is none of PVE's stops nothing either."""
    looks = Looks()
    looks.look(["a", "b"], broken)
    looks.look(["c"], odd)
    looks.look(["d"], lambda: [good("d", "fine")])
    looks.look(["e"], spent)
    assert [(each.check, each.state) for each in looks.found] == [
        ("a", State.UNKNOWN),
        ("b", State.UNKNOWN),
        ("c", State.UNKNOWN),
        ("d", State.GOOD),
        ("e", State.UNKNOWN),
    ]
    assert looks.found[0].text.startswith("this is a bug in pvenet itself: ValueError at pvenet/doctor/finding.py:")
    assert "no sense" not in looks.found[0].text  # it may hold anything
    assert looks.found[4].text == "this machine refuses what pvenet needs: Too many open files (/somewhere)"


def test_who_does_not_answer_is_not_asked_again() -> None:
    """The rest is not known at once, with the reason."""
    looks = Looks()
    looks.look(["a"], dead)
    looks.look(["b"], broken)
    assert [each.text for each in looks.found] == ["pve1 can't be reached", "not checked: pve1 can't be reached"]


def test_beside_another_endpoint_a_dead_one_is_a_warning() -> None:
    """A certificate that is not to be trusted stays what it is."""
    found = list(softened([bad("port", "x"), bad("certificate", "y")], others=True))
    assert [each.state for each in found] == [State.WARNING, State.BAD]
    assert [each.state for each in softened([bad("port", "x")], others=False)] == [State.BAD]


def test_a_name_that_does_not_resolve_is_one_bad_line(monkeypatch: pytest.MonkeyPatch) -> None:
    """And neither port nor certificate is looked at."""
    monkeypatch.setattr(Endpoint, "addresses", lambda _self: frozenset())
    found = endpoint_findings(Endpoint(host="pve9.invalid"), Trust(ca_file=Path("/nowhere")))
    assert [each.state for each in found] == [State.BAD, State.UNKNOWN, State.UNKNOWN]
    assert [each.check for each in found] == list(endpoints.CHECKS)
