"""The recorded texts of `ip`, in both releases, against the JSON of the same moment."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict, fields
from typing import TYPE_CHECKING, Any

import pytest
from kernel_texts import RELEASES, SCENARIOS, moment

from pvenet.kernel.ip_text import read_links
from pvenet.kernel.links import KernelLink, LinkState

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

UNTOLD = {"addresses", "speed"}
"""What the JSON of the links does not have."""


def facts(link: KernelLink) -> Iterator[tuple[str, Any]]:
    """Every fact about a link that there is, also those of its parts, by name."""
    for name, value in asdict(link).items():
        if isinstance(value, dict):
            yield from ((f"{name}.{part}", of) for part, of in value.items())
        elif name not in UNTOLD:
            yield name, value


@pytest.fixture(scope="module")
def tally() -> Counter[str]:
    """Interfaces, facts and differences."""
    return Counter()


@pytest.mark.parametrize("scenario", SCENARIOS)
@pytest.mark.parametrize("release", RELEASES)
def test_a_text_says_what_the_json_of_the_same_moment_says(scenario: str, release: str, tally: Counter[str]) -> None:
    """On every fact that is read, for every link, in the kernel's order."""
    recorded = moment(scenario)
    read, truth = read_links(recorded.text(release)), recorded.truth
    differing = [
        (name, fact, value)
        for name, link in truth.items()
        for (fact, value), found in zip(facts(link), facts(read[name]), strict=True)
        if (fact, value) != found
    ]
    tally.update(
        interfaces=len(read), facts=sum(len(list(facts(link))) for link in read.values()), wrong=len(differing)
    )
    assert list(read) == list(truth)
    assert differing == []


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_both_releases_say_the_same(scenario: str) -> None:
    """Addresses, too, of which the JSON tells nothing."""
    recorded = moment(scenario)
    older, newer = (read_links(recorded.text(release)) for release in RELEASES)
    assert older == newer
    assert any(link.addresses for link in newer.values())


def test_the_texts_are_told(tally: Counter[str], told: Callable[[str], None]) -> None:
    """How many there are, and how many facts differ."""
    told(f"kernel texts: {tally['interfaces']} interfaces, {tally['facts']} facts; {tally['wrong']} differences")
    assert tally["facts"] > tally["interfaces"] * (len(fields(KernelLink)) - 5 - len(UNTOLD))
    assert tally["wrong"] == 0


def test_a_link_is_up_without_carrier_or_down() -> None:
    """In the words that a person has for it."""
    links = read_links(moment("misc-fresh").text("6.15"))
    assert (links["ens33"].state, links["ens39"].state) == (LinkState.UP, LinkState.NO_CARRIER)
    assert (links["wg9"].state, links["wg9"].carrier) == (LinkState.DOWN, None)


def test_addresses_are_read_with_where_they_came_from() -> None:
    """A file names what is not dynamic: what came by advertisement or was made up by the kernel is."""
    links = read_links(moment("misc-fresh").text("6.1"))
    assert [(str(each.address), each.scope, each.dynamic) for each in links["ens41"].addresses or ()] == [
        ("10.0.3.15/24", "global", False),
        ("fec0::5054:ff:fe00:41/64", "site", True),
        ("fe80::5054:ff:fe00:41/64", "link", True),
    ]
    assert [str(each.address) for each in links["ens38.100"].addresses or ()][:2] == ["10.100.0.1/24", "10.100.1.1/32"]
    assert next(str(each.address) for each in links["dummy0"].addresses or ()) == "10.1.0.1/32"
