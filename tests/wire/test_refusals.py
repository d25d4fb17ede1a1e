"""Which files make PVE refuse every write is told from their listings, and never of one that it writes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from file_replay import files

from pvenet.sim import interfaces
from pvenet.wire import Request, foreseen

if TYPE_CHECKING:
    from collections.abc import Callable

    from pvenet.wire import Entry

NIC: Entry = {"type": "eth", "method": "manual", "method6": "manual", "families": ["inet"], "exists": 1}
BOND: Entry = {"iface": "bond0", "type": "bond", "slaves": "eno1 eno9", "families": ["inet"]}


def test_each_recorded_refusal_is_foreseen_and_no_other(told: Callable[[str], None]) -> None:
    """All 700 files, by their listings alone, in the words of the recorded answer."""
    refused, unforeseen, false = 0, [], []
    for file in files():
        write = file.first_write[-1]
        form = {key: value for key, value in write.form.items() if key != "iface"}
        request = Request(method="PUT", path=("network", write.iface), form={"type": "eth", **form})
        found = foreseen([dict(entry) for entry in file.listing], request)
        if write.recorded.get("new"):
            false += [(file.name, found)] if found else []
            continue
        refused += 1
        answers = [str(each.get("message")).strip() for each in write.recorded.get("any", [write.recorded])]
        if not set(found) & set(answers):
            unforeseen.append((file.name, found, answers))
    told(
        f"refusals of files.jsonl: {refused}, {len(unforeseen)} not foreseen in PVE's words, {len(false)} false alarms"
    )
    assert false == []
    assert unforeseen == []
    assert refused > 80


def test_a_request_that_mends_the_fault_is_let_through() -> None:
    """PVE checks the file with the change in it."""
    listing = [{"iface": "eno1", **NIC}, BOND]
    other = Request(method="PUT", path=("network", "eno1"), form={"type": "eth", "comments": "x"})
    assert foreseen(listing, other) == ("bond 'bond0' - wrong interface type on slave 'eno9' ('' != 'eth or bond')",)
    assert foreseen(listing, Request(method="DELETE", path=("network", "bond0"))) == ()
    mended = Request(method="PUT", path=("network", "bond0"), form={"type": "bond", "slaves": "eno1"})
    assert foreseen(listing, mended) == ()


def test_no_update_that_pve_took_is_foreseen_as_refused(told: Callable[[str], None]) -> None:
    """The recorded updates of all files, one after another."""
    count, false = 0, []
    for file in files():
        text = file.text
        for write in file.updates:
            if write.recorded.get("status") != 200 or (write.method == "PUT" and "type" not in write.form):
                continue
            path = ("network",) if write.method == "POST" else ("network", write.iface)
            listing = interfaces.listing(interfaces.parse(text, file.host))
            request = Request(method=write.method, path=path, form=dict(write.form))
            found = foreseen([dict(entry) for entry in listing], request)
            false += [(file.name, write, found)] if found else []
            count += 1
            text = write.recorded.get("new") or text
    told(f"updates of files.jsonl that PVE took: {count}, {len(false)} foreseen as refused")
    assert false == []
    assert count > 1500
