"""A text that is not as `ip` printed it: unreadable, or without a fact, but never with a wrong one.

What can't be told is left out: a whole link, or a name or an address with all of its lines, that is missing, and lines
of one form that links far apart have exchanged.
"""

from __future__ import annotations

import re
from dataclasses import fields, is_dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from kernel_texts import RELEASES, moment

from pvenet.kernel.ip_lines import LONGEST_ALIAS
from pvenet.kernel.ip_text import read_links
from pvenet.kernel.unreadable import Unreadable

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pvenet.kernel.links import KernelLink

SOME = ("misc-fresh", "lacp-partner", "active-backup-vlan-aware")
TEXTS = [(scenario, release) for scenario in SOME for release in RELEASES]
every_text = pytest.mark.parametrize(("scenario", "release"), TEXTS)


@cache
def text_of(scenario: str, release: str) -> str:
    return moment(scenario).text(release)


@cache
def truth_of(scenario: str, release: str) -> Mapping[str, KernelLink]:
    """Also of what an alias might have made up, and has not."""
    return read_links(re.sub(r"^(?: {4}alias |# ).*\n", "", text_of(scenario, release), flags=re.MULTILINE))


def is_wrong(read: Any, true: Any) -> bool:
    """Whether something is said that is not so; what is not said is not wrong."""
    if read is None or (isinstance(read, tuple) and isinstance(true, tuple) and set(read) <= set(true)):
        return False
    if is_dataclass(read) and type(read) is type(true):
        return any(is_wrong(getattr(read, each.name), getattr(true, each.name)) for each in fields(read))
    return bool(read != true)


def wrong_in(text: str, truth: Mapping[str, KernelLink], *, whole: bool = True) -> list[str] | None:
    """The links about which a text says what is not so, or that it has lost where it is `whole`; None: unreadable."""
    try:
        links = read_links(text)
    except Unreadable:
        return None
    lost = [name for name in truth if name not in links] if whole else []
    return lost + [name for name, link in links.items() if name not in truth or is_wrong(link, truth[name])]


def hold(mutated: Sequence[str], truth: Mapping[str, KernelLink], *, whole: bool = True) -> int:
    """None of the texts says what is not so; how many are unreadable."""
    found = [(text, wrong_in(text, truth, whole=whole)) for text in mutated]
    bad = [(wrong, text) for text, wrong in found if wrong]
    assert not bad, f"{len(bad)} of {len(found)}: {bad[0][0]}"
    return sum(wrong is None for _, wrong in found)


@every_text
def test_a_line_that_is_missing_is_no_fact(scenario: str, release: str) -> None:
    """Whichever it is. Only a further name, a line of an alias, or the kind of a port may be missing unseen."""
    lines = text_of(scenario, release).split("\n")
    mutated = ["\n".join(lines[:at] + lines[at + 1 :]) for at in range(len(lines) - 1)]
    unseen = [line for line in lines if line.startswith(("    altname", "    alias", "# ", "    tun "))]
    assert hold(mutated, truth_of(scenario, release)) >= len(mutated) - len(unseen)


@every_text
@pytest.mark.parametrize("away", [1, 2, 3])
def test_a_line_in_another_place_is_no_fact(scenario: str, release: str, away: int) -> None:
    """One that stands twice, or further down, or changes places with another."""
    lines = text_of(scenario, release).removesuffix("\n").split("\n")
    mutated = []
    for at in range(len(lines) - away):
        there = at + away
        mutated.append("\n".join([*lines[:there], lines[at], *lines[there:]]))
        mutated.append("\n".join([*lines[:at], *lines[at + 1 : there + 1], lines[at], *lines[there + 1 :]]))
        swapped = [*lines]
        swapped[at], swapped[there] = lines[there], lines[at]
        mutated.append("\n".join(swapped))
    changed = [text for text in mutated if text.split("\n") != lines]
    assert hold(changed, truth_of(scenario, release)) > len(changed) * 0.9


@every_text
def test_links_in_another_order_are_the_same_links(scenario: str, release: str) -> None:
    """Kernels before 6.9 list them by the last byte of their index."""
    text = text_of(scenario, release)
    truth = read_links(text)
    lines = text.removesuffix("\n").split("\n")
    starts = [at for at, line in enumerate(lines) if line[:1].isdigit()]
    links = ["\n".join(lines[at:end]) for at, end in zip(starts, [*starts[1:], len(lines)], strict=True)]
    assert read_links("\n".join(reversed(links))) == truth
    assert wrong_in("\n".join([*links, links[-1]]), truth) is None


@pytest.mark.parametrize("scenario", SOME)
@pytest.mark.parametrize("change", ["missing", "twice", "swapped"])
def test_a_word_in_another_place_is_no_fact(scenario: str, change: str) -> None:
    """Whichever is missing, stands twice, or changes places with the next."""
    words = re.split(r"(?<=[^ \n])(?=[ \n])", text_of(scenario, "6.15"))
    free = {at for at, word in enumerate(words) if word.startswith(("\n    alias", "\n    altname", "\n#"))}
    for at in sorted(set(range(len(words) - 1)) - free - {at + 1 for at in free}):
        word, following = words[at], words[at + 1]
        new = {"missing": [following], "twice": [word, word, following], "swapped": [following, word]}[change]
        hold(["".join([*words[:at], *new, *words[at + 2 :]])], truth_of(scenario, "6.15"))


@settings(max_examples=150)
@given(data=st.data())
def test_an_answer_that_is_cut_is_no_fact(data: st.DataObject) -> None:
    """Wherever it ends, what is left is unreadable, or whole links."""
    which = data.draw(st.sampled_from(TEXTS))
    text = text_of(*which)
    hold([text[: data.draw(st.integers(0, len(text) - 3))]], truth_of(*which), whole=False)


ODD = ["\r", "\x00", "\x0b", "\x1c", "\x85", "\u2028", "\u00a0", "\u0661", "\ud800", "\t", "\x1b[2K", "é"]


@settings(max_examples=300)
@given(data=st.data())
def test_odd_letters_make_no_fact(data: st.DataObject) -> None:
    """Control characters, blanks and digits of Unicode, halves of letters: put in anywhere, or in a letter's place."""
    which = data.draw(st.sampled_from(TEXTS))
    text, odd = text_of(*which), data.draw(st.sampled_from(ODD))
    at, place = data.draw(st.integers(0, len(text) - 1)), data.draw(st.sampled_from([0, 1]))
    hold([text[:at] + odd + text[at + place :]], truth_of(*which))


@settings(max_examples=300)
@given(text=st.text() | st.lists(st.sampled_from(text_of("misc-fresh", "6.15").split("\n"))).map("\n".join))
def test_whatever_text_is_links_or_unreadable(text: str) -> None:
    """Never another exception."""
    wrong_in(text, {}, whole=False)


# --- aliases ---------------------------------------------------------------------------------------------------------


COUNTERS = (
    "    RX:  bytes packets errors dropped  missed   mcast           \n"
    "             0       0      0       0       0       0 \n"
    "    TX:  bytes packets errors dropped carrier collsns           \n"
    "             0       0      0       0       0       0 "
)
SHORT_COUNTERS = "    RX: bytes packets errors dropped\n    1 1 1 1\n    TX: bytes packets errors dropped\n    1 1 1 1"
PIECES = {
    "counters": COUNTERS,
    "short counters": SHORT_COUNTERS,
    "half counters": "\n".join(COUNTERS.split("\n")[:2]),
    "header": "99: ens99: <UP,LOWER_UP> mtu 1500 qdisc x state UP group default",
    "short header": "99: a: <> mtu 1 qdisc a state DOWN group a",
    "link": "    link/ether 52:54:00:00:00:99 brd ff:ff:ff:ff:ff:ff numtxqueues 1",
    "short link": "    link/a numtxqueues",
    "kind": "    bond mode 802.3ad numtxqueues 1",
    "slave": "    bond_slave state ACTIVE mii_status UP numtxqueues 1",
    "alias": "    alias again",
    "altname": "    altname enp99s0",
    "taken altname": "    altname ens33",
    "address": "    inet 10.9.9.9/24 scope global ens37\n       valid_lft forever preferred_lft forever",
    "address of IPv6": "    inet6 fd00::9/64 scope global \n       valid_lft forever preferred_lft forever",
    "half an address": "    inet 10.9.9.9/24 scope global ens37",
    "command": "# ethtool ens40",
    "next command": "\n# ip -details -4 route show",
    "blank": "",
    "words": "to switch 3 port 12",
}


def aliased(text: str, link: str, alias: str) -> str:
    """A text in which a link has an alias, in the place of one that it had."""
    lines = text.split("\n")
    at = next(at for at, line in enumerate(lines) if re.match(rf"\d+: {re.escape(link)}[:@]", line)) + 1
    while lines[at].startswith("    ") and lines[at].split()[0] not in ("alias", "altname", "inet", "inet6", "RX:"):
        at += 1
    end = at
    while lines[end].split()[:1] not in (["altname"], ["inet"], ["inet6"], ["RX:"]):
        end += 1
    return "\n".join([*lines[:at], f"    alias {alias}", *lines[end:]])


@settings(max_examples=800)
@given(data=st.data())
def test_an_alias_makes_no_fact(data: st.DataObject) -> None:
    """Whatever lines it has: of links, of names, of addresses, of the next command; on whichever link."""
    which = data.draw(st.sampled_from(TEXTS))
    truth = truth_of(*which)
    pieces = data.draw(st.lists(st.sampled_from(sorted(PIECES)), min_size=1, max_size=5))
    alias = "\n".join(("x", *(PIECES[piece] for piece in pieces)))
    alias = alias[: data.draw(st.sampled_from([LONGEST_ALIAS, len(alias) // 2 + 1]))][:LONGEST_ALIAS]
    hold([aliased(text_of(*which), data.draw(st.sampled_from(list(truth))), alias)], truth)


@pytest.mark.parametrize("piece", ["altname", "address", "address of IPv6"])
@pytest.mark.parametrize("link", ["ens37", "vmbr9", "wg9"])
def test_what_an_alias_may_have_made_up_is_not_to_be_had(link: str, piece: str) -> None:
    """A further name or an address behind a short alias may be its own; everything else about the link is known."""
    text = text_of("misc-fresh", "6.15")
    read = read_links(aliased(text, link, f"x\n{PIECES[piece]}".replace("ens37", link)))[link]
    assert (read.altnames if piece == "altname" else read.addresses) is None
    assert not is_wrong(read, truth_of("misc-fresh", "6.15")[link])


def test_what_stands_behind_the_longest_alias_is_known() -> None:
    """It has no room for more."""
    text = text_of("misc-fresh", "6.15")
    assert read_links(aliased(text, "ens38.100", "x" * 255))["ens38.100"].addresses
    assert read_links(aliased(text, "ens39", "x" * 255))["ens39"].altnames == ("enp9s0", "nic-storage-left")
    assert read_links(aliased(text, "ens39", "x" * 200))["ens39"].altnames is None


def test_an_alias_of_one_line_takes_nothing_from_a_link_without_addresses() -> None:
    """As most links of a node have none."""
    read = read_links(aliased(text_of("misc-fresh", "6.15"), "ens38", "to switch 3 port 12"))["ens38"]
    assert read == truth_of("misc-fresh", "6.15")["ens38"]


@pytest.mark.parametrize("counters", [COUNTERS, SHORT_COUNTERS])
def test_no_alias_ends_a_link_and_begins_another(counters: str) -> None:
    """The shortest of all that would be read is longer than Linux allows; what is shorter is none of `ip`'s."""
    alias = "\n".join(("x", counters, PIECES["short header"], PIECES["short link"]))
    assert (len(alias) > LONGEST_ALIAS) == (counters == COUNTERS)
    for end in range(min(len(alias), LONGEST_ALIAS) + 1):
        hold([aliased(text_of("misc-fresh", "6.15"), "ens37", alias[:end])], truth_of("misc-fresh", "6.15"))


def test_an_alias_is_no_longer_than_linux_allows() -> None:
    """A text with a longer one is not `ip`'s."""
    assert wrong_in(aliased(text_of("misc-fresh", "6.15"), "ens37", "x" * 256), {}) is None


CONTRADICTIONS: dict[str, tuple[str, str, str]] = {
    "a master that is not there": ("misc-fresh", "master vmbr0", "master vmbr7"),
    "a master of another kind": ("lacp-partner", "master bond0", "master vmbr0"),
    "a parent that is not there": ("misc-fresh", "ens38.100@ens38", "ens38.100@ens3"),
    "a VLAN on nothing": ("misc-fresh", "storage@vmbr1", "storage"),
    "a NIC on another": ("misc-fresh", " ens37: <", " ens37@ens38: <"),
    "an index twice": ("misc-fresh", "3: ens37:", "2: ens37:"),
    "a name twice": ("misc-fresh", "3: ens37:", "3: ens33:"),
    "an altname that is a name": ("misc-fresh", "altname enp9s0", "altname ens33"),
    "an altname twice": ("misc-fresh", "altname enp9s0", "altname nic-storage-left"),
    "no carrier, and up": ("lacp-partner", "<BROADCAST,MULTICAST,UP,LOWER_UP>", "<NO-CARRIER,BROADCAST,MULTICAST,UP>"),
    "a carrier, and down": ("misc-fresh", "<NO-CARRIER,BROADCAST,MULTICAST,UP>", "<BROADCAST,MULTICAST,UP,LOWER_UP>"),
    "down with carrier": ("misc-fresh", "tap102i0: <BROADCAST,MULTICAST>", "tap102i0: <BROADCAST,MULTICAST,LOWER_UP>"),
    "up, and neither": ("misc-fresh", "tap102i0: <BROADCAST,MULTICAST>", "tap102i0: <BROADCAST,MULTICAST,UP>"),
    "a flag that there is not": ("misc-fresh", "BROADCAST,MULTICAST,UP,", "BROADCAST,MULTICAST,U,"),
    "a port that forwards without carrier": (
        "active-backup-vlan-aware",
        "bridge_slave state disabled",
        "bridge_slave state forwarding",
    ),
    "a bond without its flag": ("lacp-partner", "MULTICAST,MASTER,UP", "MULTICAST,UP"),
    "a slave without its flag": ("lacp-partner", "MULTICAST,SLAVE,UP", "MULTICAST,UP"),
    "an active slave of no bond": ("active-backup-vlan-aware", "active_slave ens38", "active_slave ens41"),
    "a primary that is no slave": ("active-backup-vlan-aware", "primary ens38", "primary ens3"),
    "a mode that there is not": ("lacp-partner", "mode 802.3ad", "mode 802.3a"),
    "a state of LACP against its number": ("lacp-partner", "port_state 61", "port_state 60"),
    "a VLAN that there is not": ("misc-fresh", " id 77 ", " id 7777 "),
    "a MAC that is cut": ("misc-fresh", "link/ether 52:54:00:00:00:37", "link/ether 52:54:00:00:00:3"),
    "an address that is cut": ("misc-fresh", "inet 10.100.0.1/24", "inet 10.100.0./24"),
    "an address of another link": ("misc-fresh", "scope global vmbr0", "scope global ens37"),
    "an address twice": ("misc-fresh", "inet 10.100.1.1/32", "inet 10.100.0.1/24"),
    "a lifetime that ends of what does not": ("misc-fresh", "scope site dynamic", "scope site"),
    "fewer counters than names": ("misc-fresh", "0      0       0       0       0 \n", "0      0       0       0 \n"),
    "a partner without its MAC": ("lacp-partner", "ad_partner_mac 52:54:00:00:00:38 ", ""),
    "an address of an aliased link without its line": (
        "misc-fresh",
        "    inet6 fe80::5054:ff:fe00:37/64 scope link ",
        "    fe80::5054:ff:fe00:37/64 scope link ",
    ),
    "counters that are cut": ("misc-fresh", "bytes packets errors dropped  missed   mcast           ", "bytes packets"),
}


@pytest.mark.parametrize("name", CONTRADICTIONS)
@pytest.mark.parametrize("release", RELEASES)
def test_a_text_that_contradicts_itself_is_unreadable(name: str, release: str) -> None:
    """What the kernel never has at the same time."""
    scenario, old, new = CONTRADICTIONS[name]
    text = text_of(scenario, release)
    assert old in text
    with pytest.raises(Unreadable):
        read_links(text.replace(old, new, 1))


@pytest.mark.parametrize("scenario", SOME[:2])
def test_an_unknown_kind_is_not_guessed(scenario: str) -> None:
    """Nor is a link without hardware and without a kind a NIC."""
    text = text_of(scenario, "6.15")
    assert read_links(text.replace("    tun type tap", "    un type tap"))["tap102i0"].kind is None
    assert read_links(text.replace(" parentbus virtio parentdev virtio7", ""))["ens41"].kind is None
