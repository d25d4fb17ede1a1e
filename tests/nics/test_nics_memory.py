"""What is remembered of NICs, and which names the file means otherwise than they are."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from pvenet.model import Bond, Bridge, Ethernet, Link, Network, Vlan
from pvenet.nics.cards import Card, cards, mac_in
from pvenet.nics.memory import MOST, Known, accepted, remembered, renames
from pvenet.nics.names import renamed
from pvenet.nics.sight import Sight
from pvenet.nics.words import meant

if TYPE_CHECKING:
    from pvenet.nics.memory import Memory

A, B, C, D = (f"bc:24:11:00:00:0{digit}" for digit in "abcd")
BARE = [Ethernet(name=name, autostart=False) for name in ("eno1", "eno2", "eno3")]
VMBR0 = Bridge(name="vmbr0", ports=("eno1",))
BOND0 = Bond(name="bond0", slaves=("eno2", "eno3"))
USES = "a port of vmbr0 and the raw device of eno1.20"
VLAN = Vlan(name="eno1.20", raw_device="eno1", tag=20)


def network(*interfaces: Ethernet | Bridge | Bond | Vlan, exist: str = "") -> Network:
    links = {each.name: Link(exists=each.name in exist.split()) for each in interfaces}
    return Network(interfaces={each.name: each for each in interfaces}, links=links)


def there(**macs: str) -> tuple[Card, ...]:
    return tuple(Card(name=name, mac=mac) for name, mac in macs.items())


BEFORE = network(*BARE, VMBR0, BOND0, VLAN)
FIRST = there(eno1=A, eno2=B, eno3=C)
MEMORY = remembered({}, FIRST, BEFORE, "2026-01-01")


def moved(memory: Memory, found: tuple[Card, ...], net: Network = BEFORE) -> dict[str, str]:
    return {each.old: each.new for each in renames(memory, found, net)}


def staged(names: dict[str, str]) -> Network:
    """The network with the names exchanged in its stanzas."""
    desired = renamed(BEFORE, names)
    interfaces = {**BEFORE.interfaces, **desired}
    return Network(interfaces={name: each for name, each in interfaces.items() if each is not None})


@pytest.mark.parametrize(
    ("found", "names"),
    [
        pytest.param(FIRST, {}, id="nothing has changed"),
        pytest.param(there(enp5s0=A, eno2=B, eno3=C), {"eno1": "enp5s0"}, id="one has another name"),
        pytest.param(there(eno2=A, eno1=B, eno3=C), {"eno1": "eno2", "eno2": "eno1"}, id="two are swapped"),
        pytest.param(
            there(eno2=A, eno3=B, eno4=C), {"eno1": "eno2", "eno2": "eno3", "eno3": "eno4"}, id="all have moved on"
        ),
        pytest.param(
            there(eno1=D, eno2=A, eno3=B, eno4=C), {"eno1": "eno2", "eno2": "eno3", "eno3": "eno4"}, id="a new"
        ),
        pytest.param(there(eno2=B, eno3=C), {}, id="one was taken out"),
        pytest.param(there(eno1=D, eno2=B, eno3=C), {}, id="one was replaced under its name"),
        pytest.param(there(eno1=A, eno2=C, eno3=B), {}, id="two that are there for the same are swapped"),
        pytest.param(there(enp5s0=A, enp6s0=A, eno2=B, eno3=C), {}, id="two have its MAC"),
    ],
)
def test_a_card_is_known_by_its_mac(found: tuple[Card, ...], names: dict[str, str]) -> None:
    """What the file means by a name is the card that had it, unless another of the same use has it now."""
    assert moved(MEMORY, found) == names


@pytest.mark.parametrize(
    "found", [there(enp5s0=A, eno2=B, eno3=C), there(eno2=A, eno1=B, eno3=C), there(eno1=D, eno2=A, eno3=B, eno4=C)]
)
def test_it_is_remembered_until_the_file_has_followed(found: tuple[Card, ...]) -> None:
    """However often the node is read; then the new names are what is remembered, and the old ones what was."""
    memory = MEMORY
    for _ in range(3):
        memory = remembered(memory, found, BEFORE, "2026-02-02")
    names = moved(memory, found)
    assert names == moved(MEMORY, found) != {}
    after = staged(names)
    assert moved(memory, found, after) == {}
    memory = remembered(memory, found, after, "2026-03-03")
    assert moved(memory, found, after) == {}
    assert {mac: memory[mac].name for mac in (A, B, C)} == {card.mac: card.name for card in found if card.mac != D}
    assert memory[A].was == ("eno1",)
    assert memory[A].since == "2026-03-03"


def test_what_is_only_staged_settles_nothing() -> None:
    """It may be thrown away again, and the file means the old cards then."""
    found = there(eno2=A, eno1=B, eno3=C)
    after = staged(moved(MEMORY, found))
    memory = remembered(MEMORY, found, after, "2026-02-02", pending=True)
    assert memory == MEMORY
    assert moved(memory, found, BEFORE) == {"eno1": "eno2", "eno2": "eno1"}


def test_names_can_be_meant_as_they_are() -> None:
    """Whoever has swapped two on purpose says so, once."""
    found = there(eno2=A, eno1=B, eno3=C)
    memory = accepted(MEMORY, found, BEFORE, "2026-02-02")
    assert moved(memory, found) == {}
    assert memory[A].was == ("eno1",)


def test_a_card_that_comes_back_takes_no_name_away() -> None:
    """Its name is another's since, which was met under it alone."""
    memory = remembered(MEMORY, there(eno1=D, eno2=B, eno3=C), BEFORE, "2026-02-02")
    assert memory[D].name == "eno1"
    assert moved(memory, there(eno1=D, eno2=B, eno3=C, eno9=A)) == {}


def test_an_old_name_that_nothing_says_any_more_is_settled() -> None:
    """A card that nobody uses may be called whatever it wants."""
    found = there(eno1=A, eno2=B, eno3=C, enx1=D)
    memory = remembered(MEMORY, found, BEFORE, "2026-02-02")
    now = (*found[:3], Card(name="enx2", mac=D))
    assert moved(memory, now) == {}
    assert remembered(memory, now, BEFORE, "2026-03-03")[D] == Known(name="enx2", since="2026-03-03", was=("enx1",))


def test_what_is_remembered_has_a_bound() -> None:
    """The cards that are there stay, of the others the youngest."""
    old = {f"00:00:00:00:{n // 256:02x}:{n % 256:02x}": Known(name=f"eth{n}", since="2025") for n in range(MOST + 9)}
    told = remembered(old, FIRST, BEFORE, "2026-01-01")
    assert len(told) == MOST
    assert {A, B, C} <= told.keys()


@pytest.mark.parametrize(
    ("found", "texts"),
    [
        (
            there(enp5s0=A, eno2=B, eno3=C),
            [f"eno1, {USES}, is gone; the NIC with its MAC is enp5s0 now"],
        ),
        (
            there(eno2=B, eno3=C),
            [f"eno1, {USES}, is gone; no NIC has its MAC, {A}"],
        ),
        (
            there(eno2=A, eno1=B, eno3=C),
            [
                f"eno1, {USES}, is another NIC now; the NIC with its MAC is eno2 now",
                "eno2, a slave of bond0, is another NIC now; the NIC with its MAC is eno1 now",
            ],
        ),
        (
            there(eno1=B, eno3=C),
            [
                f"eno1, {USES}, is another NIC now; no NIC has its MAC, {A}",
                "eno2, a slave of bond0, is gone; the NIC with its MAC is eno1 now",
            ],
        ),
        (
            there(enp5s0=A, enp6s0=A, eno2=B, eno3=C),
            [f"eno1, {USES}, is gone; its MAC, {A}, is that of enp5s0 and enp6s0"],
        ),
        (
            (*there(eno2=B, eno3=C), Card(name="eno4")),
            [f"eno1, {USES}, is gone; which NIC has its MAC, {A}, the list does not say"],
        ),
        (there(eno1=D, eno2=B, eno3=C), []),
        (there(eno4=B, eno3=C, eno1=A), ["eno2, a slave of bond0, is gone; the NIC with its MAC is eno4 now"]),
    ],
)
def test_what_is_gone_is_told_with_what_it_was_for(found: tuple[Card, ...], texts: list[str]) -> None:
    """And where the card is now, if that is known."""
    assert [each.text for each in Sight(network=BEFORE, cards=found, memory=MEMORY).gone] == texts


def test_a_name_that_the_file_does_not_say_is_not_told() -> None:
    """A card that was taken out, and left a name that nothing used to another."""
    unused = network(*BARE, Bridge(name="vmbr0"), BOND0)
    memory = remembered({}, FIRST, unused, "2026-01-01")
    (gone,) = Sight(network=unused, cards=there(eno1=B, eno3=C), memory=memory).gone
    assert gone.text == "eno2, a slave of bond0, is gone; the NIC with its MAC is eno1 now"


def test_of_two_that_had_a_name_the_one_that_is_gone_is_told() -> None:
    """The other one has it no more, and the file has followed it."""
    memory = {A: Known(name="eno1", users=("vmbr0",)), B: Known(name="eno1", users=("vmbr9",))}
    net = network(*BARE[1:], VMBR0, Bridge(name="vmbr9", ports=("eno2",)))
    (gone,) = Sight(network=net, cards=there(eno2=B), memory=memory).gone
    assert gone.text == f"eno1, a port of vmbr0, is gone; no NIC has its MAC, {A}"


def test_without_a_memory_only_what_looks_like_a_nic_is_gone() -> None:
    """A port that a command of the file makes is no NIC that got lost."""
    net = network(*BARE[1:], Bridge(name="vmbr0", ports=("eno1.20", "tap7", "dummy0")), BOND0)
    (gone,) = Sight(network=net, cards=FIRST[1:]).gone
    assert gone.text == "eno1, a port of vmbr0, is gone; its MAC is not known"


def test_a_listing_alone_tells_macs_by_altnames() -> None:
    """pve-api#altname-mac; a VLAN or an alias that PVE says exists is no card."""
    links = {
        "eno1": Link(exists=True, altnames=("enp5s0", "enxbc241100000a")),
        "eno1.20": Link(exists=True),
        "eno2": Link(exists=True),
        "eno3": Link(),
    }
    found = cards(replace(BEFORE, links=links))
    assert found == (Card(name="eno1", mac=A, altnames=("enp5s0", "enxbc241100000a")), Card(name="eno2"))


@pytest.mark.parametrize(
    ("word", "mac"),
    [
        ("bc:24:11:00:00:0a", A),
        ("BC-24-11-00-00-0A", A),
        ("enxbc241100000a", A),
        ("enxBC241100000A", A),
        ("enxbc24110000", None),
        ("eno1", None),
        ("bc:24:11:00:00", None),
    ],
)
def test_a_mac_is_read_as_people_write_it(word: str, mac: str | None) -> None:
    """With colons or dashes, and as udev makes a name of it."""
    assert mac_in(word) == mac


def test_a_mac_that_two_have_names_neither() -> None:
    """Both are told; a name that the file has is that, whatever else is called so."""
    found = meant([A, "eno1", "vmbr0"], BEFORE, there(ens1=A, ens2=A))
    assert (found.names, found.wrong) == ({}, {A: f"{A} is the MAC of ens1 and of ens2"})


def test_a_name_that_is_an_altname_now_is_no_other_card() -> None:
    """The file may call a NIC by either (pve-api#f36)."""
    found = (Card(name="enp5s0", mac=A, altnames=("eno1",)), *there(eno2=B, eno3=C))
    assert moved(MEMORY, found) == {}


def test_a_file_that_says_nothing_of_the_old_name_has_followed() -> None:
    """Whatever the new one is there for since."""
    bridge = Bridge(name="vmbr9", ports=("enp5s0",))
    assert moved(MEMORY, there(enp5s0=A, eno2=B, eno3=C), network(*BARE[1:], bridge, BOND0)) == {}
