"""A line behind a blank line is nobody's to PVE: where a write puts it behind another stanza, that is told."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from file_replay import files

from pvenet.sim import interfaces
from pvenet.sim.diff import changes
from pvenet.wire import removed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from pvenet.wire import Entry

HEAD = "--- /etc/network/interfaces\n+++ /etc/network/interfaces.new\n"
NIC: Entry = {"type": "eth", "method": "manual", "method6": "manual", "families": ["inet"], "exists": 1}
NODE: Entry = {"iface": "vmbr0", "type": "unknown", "method": "static", "method6": "manual", "families": ["inet"]}
NODE |= {"address": "192.0.2.11", "netmask": "24", "cidr": "192.0.2.11/24", "gateway": "192.0.2.1"}
LISTING: list[Entry] = [NODE, {"iface": "eno1", **NIC}, {"iface": "eno2", **NIC, "options": ["post-up b"]}]


_MOVES = re.compile(r"which becomes? (\S+'s|another stanza's|no stanza's)$")


MOVES = {
    "behind a new one": (
        " iface vmbr0 inet static\n \taddress 192.0.2.11/24\n \n+iface eno2 inet manual\n+\n \tpost-up a\n",
        "vmbr0: `post-up a`, which becomes eno2's",
    ),
    "several": (
        " \taddress 192.0.2.11/24\n \n+iface eno2 inet manual\n+\n \tup a\n \tup  c\n \tdown a\n",
        "vmbr0: `up a`, `up c` and `down a`, which become eno2's",
    ),
    "a mask, which no stanza has after a write": (
        " iface vmbr0 inet static\n \n+iface eno2 inet manual\n+\n \tnetmask 255.255.255.0\n",
        "vmbr0: `netmask 255.255.255.0`, which becomes eno2's",
    ),
    "owner out of sight": (
        " \tmtu 1400\n \n+iface eno2 inet manual\n+\n \tup a\n",
        "`up a`, which becomes eno2's",
    ),
    "written elsewhere": (
        " iface eno1 inet manual\n+\n+\tup a\n \n iface vmbr0 inet static\n \n-\tup a\n",
        "vmbr0: `up a`, which becomes eno1's",
    ),
    "stanza goes": (
        "-iface vmbr0 inet static\n-\n \tup a\n",
        "vmbr0: `up a`, which becomes no stanza's",
    ),
    "behind lo": (
        " auto lo\n iface lo inet loopback\n+iface eno2 inet manual\n+\n \tup a\n",
        "lo: `up a`, which becomes eno2's",
    ),
    "behind auto": (" iface vmbr0 inet static\n \n+auto eno2\n+iface eno2 inet manual\n+\n auto eno1\n \tup a\n", ""),
    "stays": (" iface eno2 inet manual\n-\tmtu 1400\n \tpost-up b\n \n \tup a\n", ""),
    "the stanza's own": ("-iface eno2 inet manual\n+iface eno1 inet manual\n \tpost-up b\n", ""),
    "same stanza": (" iface vmbr0 inet static\n-\n-\tup a\n+\tup a\n", ""),
    "no option": (
        " iface vmbr0 inet static\n \n+iface eno2 inet manual\n+\n # up a\n }\n source /etc/x\n \tup a\n",
        "",
    ),
}


@pytest.mark.parametrize(("lines", "said"), MOVES.values(), ids=MOVES)
def test_a_line_that_becomes_another_stanzas_is_told(lines: str, said: str) -> None:
    """With whose it was and whose it becomes; what PVE has in its listing is judged by that."""
    start = 1 if lines.startswith("-") else 9
    diff = f"{HEAD}@@ -{start},9 +{start},9 @@\n{lines}"
    assert "; ".join(str(loss) for loss in removed(LISTING, diff) if "become" in loss.what) == said


def owned(text: str) -> Iterator[tuple[str, str]]:
    """The lines of a file with whose they are for ifupdown2, to which a blank line ends no stanza."""
    owner = ""
    for line in text.splitlines():
        words = line.split()
        if words[:1] == ["iface"] and len(words) > 1:
            owner = words[1]
        elif words and re.fullmatch(r"auto|allow-.*|source.*|mapping|template", words[0]):
            owner = ""
        elif len(words) > 1 and re.match(r"\w", words[0]):
            yield owner, " ".join(words)


def test_of_recorded_files_every_move_in_sight_is_told_and_no_other(told: Callable[[str], None]) -> None:
    """Of 616 files and what PVE has made of them: each stanza whose loose lines are another's after the write."""
    moves, unsaid, wrong = 0, [], []
    for file in files():
        new = file.first_write[-1].recorded.get("new")
        if not new or not file.text.isascii():
            continue
        loose = {" ".join(each.line.split()) for each in interfaces.parse(file.text, file.host).loose}
        before, after = set(owned(file.text)), set(owned(new))
        went = {(owner, text) for owner, text in before - after if owner and text in loose}
        went -= {each for each in went if each[1] not in {text for _, text in after}}
        diff = changes(file.text, new) or ""
        losses = [loss for loss in removed([dict(entry) for entry in file.listing], diff) if _MOVES.search(loss.what)]
        said = {(loss.name, text) for loss in losses for text in re.findall(r"`(.*?)`", loss.what)}
        in_sight = {" ".join(line[1:].split()) for line in diff.split("\n")[2:]}
        moves += len(went)
        texts = {text for _, text in said}
        seen = {owner for owner, text in went if text in in_sight}  # of several the diff may show the first ones alone
        unsaid += [(file.name, owner) for owner in seen - {owner for owner, text in went if text in texts}]
        wrong += [(file.name, each) for each in said if each[0] and each not in went]
    told(f"loose lines of recorded files that become another stanza's: {moves}, {len(unsaid)} unsaid")
    assert (unsaid, wrong) == ([], [])
    assert moves > 10
