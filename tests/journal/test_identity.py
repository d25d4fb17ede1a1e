"""Whose node a journal is of."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pvenet.journal import Journal, Match, Place, Route, match

A, B, C = ("AA:" * 31 + "AA", "BB:" * 31 + "BB", "CC:" * 31 + "CC")
PVE1, PVE2, THERE = "https://pve1.example.com:8006", "https://pve2.example.com:8006", "https://192.0.2.9:8006"
JOURNAL = Journal(id="1", node="pve1", endpoint=PVE1, begun="", baseline=(), certificate=A)
OLD = replace(JOURNAL, certificate=None)
PEER = Route(host="192.0.2.2", port=8006, scheme="https")
PINNED = replace(JOURNAL, routes=(replace(PEER, fingerprint=B),))
NAMED = replace(JOURNAL, routes=(replace(PEER, known_as="pve2.example.com"),))


def at(endpoint: str, certificate: str | None, *hosts: str, **others: str | None) -> Place:
    given = {f"https://{name}.example.com:8006": each for name, each in others.items()}
    return Place(
        endpoint=endpoint,
        certificate=certificate,
        certificates={**given, endpoint: certificate},
        hosts=frozenset(hosts),
    )


@pytest.mark.parametrize(
    ("journal", "place", "found"),
    [
        pytest.param(JOURNAL, at(PVE1, A), Match.SAME, id="the same certificate"),
        pytest.param(JOURNAL, at(THERE, A.replace(":", "").lower()), Match.SAME, id="however it is written, anywhere"),
        pytest.param(JOURNAL, at(PVE1, B), Match.OTHER, id="another one at the same endpoint"),
        pytest.param(JOURNAL, at(THERE, B), Match.OTHER, id="another one elsewhere"),
        pytest.param(JOURNAL, at(PVE1, None), Match.LIKELY, id="not known here"),
        pytest.param(JOURNAL, at(THERE, None), Match.UNKNOWN, id="not known, elsewhere"),
        pytest.param(OLD, at(PVE1, A), Match.LIKELY, id="an old journal at its endpoint"),
        pytest.param(OLD, at(THERE, A), Match.UNKNOWN, id="an old journal elsewhere"),
        pytest.param(PINNED, at("https://192.0.2.2:8006", B), Match.SAME, id="a peer, as the cluster names it"),
        pytest.param(PINNED, at(PVE2, B), Match.SAME, id="a peer by its name"),
        pytest.param(PINNED, at("https://192.0.2.2:8006", C), Match.OTHER, id="another one at the peer's address"),
        pytest.param(NAMED, at("https://192.0.2.2:8006", B), Match.LIKELY, id="a peer that a CA vouches for"),
        pytest.param(NAMED, at(PVE2, B, "pve2.example.com"), Match.LIKELY, id="the same by its name"),
        pytest.param(JOURNAL, at(PVE2, B, pve1=None), Match.LIKELY, id="one of several endpoints that were given"),
        pytest.param(JOURNAL, at(PVE2, B, pve1=A), Match.SAME, id="one of several that are pinned"),
        pytest.param(JOURNAL, at(PVE2, B, pve1=C), Match.OTHER, id="one of several that are pinned otherwise"),
        pytest.param(JOURNAL, at("sim:lab", None), Match.OTHER, id="a simulated node is no real one"),
        pytest.param(replace(OLD, endpoint="sim:lab"), at("pve2 of sim:./lab", None), Match.SAME, id="the same folder"),
        pytest.param(replace(OLD, endpoint="sim:lab"), at("sim:lab2", None), Match.OTHER, id="another folder"),
        pytest.param(
            replace(OLD, endpoint="https://sim:8006"), at("https://sim:8006", A), Match.LIKELY, id="a host sim"
        ),
    ],
)
def test_a_certificate_decides_and_without_one_the_place(journal: Journal, place: Place, found: Match) -> None:
    """What is known on both sides proves; what is known on one only makes likely."""
    assert match(journal, place) is found
