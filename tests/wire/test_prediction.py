"""What the listing must be after a write of ours, and what somebody else has changed."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from conftest import FIXTURES
from file_replay import files

from pvenet.sim import interfaces as sim
from pvenet.sim.interfaces import Host
from pvenet.wire import Request, by_name, differences, predicted, told

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from pvenet.wire import Entry

NICS = ("ens33", "ens37", "ens38", "ens39", "ens40", "ens41")
BOND = Request(
    method="POST", path=("network",), form={"iface": "bond0", "type": "bond", "slaves": "ens38 ens39", "autostart": 1}
)
LISTED: list[Entry] = [
    {"iface": "ens38", "type": "eth", "exists": 1, "method": "manual", "method6": "manual", "families": ["inet"]},
    {"iface": "ens39", "type": "eth", "exists": 1, "method": "manual", "method6": "manual", "families": ["inet"]},
    {
        "iface": "vmbr0",
        "type": "bridge",
        "method": "static",
        "method6": "manual",
        "families": ["inet"],
        "autostart": 1,
        "bridge_ports": "",
        "bridge_stp": "off",
        "bridge_fd": "0",
        "active": 1,
        "cidr": "192.0.2.1/24",
        "address": "192.0.2.1",
        "netmask": "24",
    },
]


def listed(text: str, host: Host) -> list[Entry]:
    return sim.listing(sim.parse(text, host))


def sendable(step: dict[str, Any], after: list[Entry]) -> bool:
    """Whether pvenet could send it: an address as cidr, a type that the name allows, no field of another kind."""
    form = step["form"] or {}
    types = {entry["iface"]: entry.get("type") for entry in after}
    named = types.get(form.get("iface") or step["path"])
    return not {"address", "netmask"} & form.keys() and form.get("type", named) == named


def writes(place: str) -> Iterator[tuple[str, list[Entry], Request, list[Entry]]]:
    """Every write of the recorded walks that PVE took and pvenet could send, with the listings before and after."""
    for line in (FIXTURES / place).read_text(encoding="utf8").splitlines():
        walk = json.loads(line)
        host = Host(nics=dict.fromkeys(NICS, ()), up=frozenset(), ovs="ovs" in place)
        live, pending = walk["initial"], None
        for number, step in enumerate(walk["steps"]):
            one = step["path"] or step["method"] == "POST"
            if step["status"] == 200 and step["method"] in ("POST", "PUT", "DELETE") and one and step["new"]:
                before, after = listed(pending or live, host), listed(step["new"], host)
                path = ("network", step["path"]) if step["path"] else ("network",)
                if sendable(step, after):
                    request = Request(method=step["method"], path=path, form=step["form"] or {})
                    yield f"{walk['seed']}.{number}", before, request, after
            elif step["status"] == 200 and step["method"] == "PUT":
                live = pending or live
            pending = step["new"]


def changes_of_files() -> Iterator[tuple[str, list[Entry], Request, list[Entry]]]:
    """Every write of the recorded files that PVE took and pvenet could send."""
    for file in files():
        before = [dict(entry) for entry in file.listing]
        for number, write in enumerate([*file.first_write[-1:], *file.updates]):
            if write.recorded.get("new") is None:
                continue
            first = number == 0
            after = listed(write.recorded["new"], file.host)
            path = ("network", write.iface) if write.iface and write.method != "POST" else ("network",)
            request = Request(method=write.method, path=path, form=dict(write.form))
            if sendable({"form": write.form, "path": write.iface}, after) and (not first or len(file.first_write) == 1):
                yield f"{file.name} {number}", before, request, after
            before = before if first else after


@pytest.mark.parametrize("place", ["walks.jsonl", "walks-ovs.jsonl", "files.jsonl"])
def test_every_recorded_write_comes_out_as_predicted(place: str, told: Callable[[str], None]) -> None:
    """Field by field, for every interface, with all that PVE does of itself."""
    recorded = changes_of_files() if place == "files.jsonl" else writes(place)
    found = [(name, differences(predicted(before, request), after)) for name, before, request, after in recorded]
    wrong = {name: each for name, each in found if each}
    told(f"predicted writes of {place}: {len(found)}, {len(wrong)} otherwise")
    assert wrong == {}
    assert len(found) > 40


def other(name: str, **fields: object) -> Callable[[dict[str, Entry]], object]:
    def change(there: dict[str, Entry]) -> None:
        there[name] = {**there.get(name, {"iface": name}), **fields}

    return change


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda _: None, ""),
        (other("vmbr9", type="bridge", families=["inet"]), "vmbr9"),
        (lambda there: there.pop("vmbr0"), "vmbr0"),
        (other("vmbr0", mtu="1400"), "vmbr0 (mtu)"),
        (other("vmbr0", comments="theirs\n"), "vmbr0 (comments)"),
        (other("ens38", comments="theirs\n"), "ens38 (comments)"),
        (other("ens38", autostart=None), "ens38 (autostart)"),
        (other("bond0", mtu="1400", comments="theirs\n"), "bond0 (comments, mtu)"),
        (other("vmbr0", options=["post-up true"]), "vmbr0 (options)"),
        (other("vmbr0:1", type="alias", families=["inet"]), "vmbr0:1"),
        (other("vmbr0", active=None), ""),
        (other("ens77", type="eth", exists=1, method="manual", method6="manual", families=["inet"]), ""),
        (lambda there: there.pop("ens38"), "ens38"),
    ],
)
def test_what_is_not_as_predicted_is_somebody_elses(change: Callable[[dict[str, Entry]], object], said: str) -> None:
    """Another interface or the same, a comment, an autostart, a kind that is not modelled; no flag and no new NIC."""
    must = predicted(LISTED, BOND)
    now = {name: {**entry} for name, entry in must.items()}
    change(now)
    assert told(differences(must, now.values())) == said


def test_the_auto_that_pve_gives_to_slaves_is_predicted() -> None:
    """It comes with the bond."""
    assert {name: entry.get("autostart") for name, entry in predicted(LISTED, BOND).items()} == {
        "ens38": 1,
        "ens39": 1,
        "vmbr0": 1,
        "bond0": 1,
    }
    assert by_name(LISTED)["ens38"].get("autostart") is None


CUT = ("\u00e0", "for \u0445", "a\u00a0", "\u00c5\nb")
NOT_CUT = ("a \t\nb ", "\u2003", "a\u3000", "\n\na", "a\n\n", " ", "x\n ", "a\r\nb\r\n", "\u65e5\u672c\u8a9e")


@pytest.mark.parametrize("comments", [*CUT, *NOT_CUT])
def test_comments_come_back_byte_by_byte(comments: str) -> None:
    """PVE takes the last bytes of some letters for blanks, and no blank of Unicode's for one (pve-api#f2)."""
    host = Host(nics={"ens38": ()}, up=frozenset(), ovs=False)
    text = "auto lo\niface lo inet loopback\n"
    for name in ("vmbr1", "vmbr2"):
        parsed = sim.parse(text, host)
        form: dict[str, Any] = {"iface": name, "type": "bridge", "comments": comments}
        must = predicted(sim.listing(parsed), Request(method="POST", path=("network",), form=form))
        text = sim.create(parsed, form, host)
        assert differences(must, sim.listing(sim.parse(text, host))) == ()
