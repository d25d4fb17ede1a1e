"""Whatever PVE lists can be shown, exported, planned for and judged."""

from __future__ import annotations

import json
from dataclasses import replace
from ipaddress import ip_interface
from typing import TYPE_CHECKING

from file_replay import files

from pvenet import wire
from pvenet.apply.verify import expect, judge
from pvenet.changes.pending import PendingView
from pvenet.model import Network, Other
from pvenet.plan import inverse, management_path, plan, problems, removals_on
from pvenet.render.network import details, network_data, table
from pvenet.render.values import as_json, plain
from pvenet.sim.diff import changes
from pvenet.spec.export import exported

if TYPE_CHECKING:
    from collections.abc import Callable

    from pvenet.changes import Desired


def test_every_recorded_listing_is_read_shown_and_planned_for(told: Callable[[str], None]) -> None:
    """No exception, every interface in the list, none of a modelled kind called another without its reason."""
    odd = 0
    for file in files():
        network = wire.network(dict(entry) for entry in file.listing)
        view = PendingView(network=network)
        shown = table(view, None, plain)
        assert all(name in shown for name in network.interfaces)
        assert json.loads(as_json(network_data(network)))
        assert exported({"pve1": network})
        for interface in network.interfaces.values():
            details(view, interface)
            if isinstance(interface, Other) and interface.kind in {kind.type for kind in wire.SPELLINGS}:
                odd += 1
                assert interface.unread, (file.name, interface)
        wanted: Desired = {
            name: replace(interface, comments="new", mtu=1400)
            for name, interface in network.interfaces.items()
            if not isinstance(interface, Other)
        }
        problems(network, wanted)
        inverse(plan(network, wanted), network)
        assert not judge(expect(before=network, wanted=network, touched=()), network).down
    told(
        f"listings of files.jsonl that are read, shown, exported and planned for: 700; values that can't be read: {odd}"
    )


def test_what_is_lost_on_the_management_path_is_found_and_nothing_else(told: Callable[[str], None]) -> None:
    """Each first write, judged for each address of its listing: an address that goes counts, a comment never."""
    hit = 0
    for file in files():
        new = file.first_write[-1].recorded.get("new")
        if not new:
            continue
        network = wire.network(dict(entry) for entry in file.listing)
        losses = wire.removed([dict(entry) for entry in file.listing], changes(file.text, new) or "")
        gone = [loss for loss in losses if loss.what.startswith("address ")]
        for loss in gone:
            address = str(ip_interface(loss.what.split()[1]).ip)
            assert loss in removals_on(management_path(network, [address]), losses, [address])
        path = management_path(network, [])
        found = removals_on(path, losses, [])
        assert all({loss.name, loss.to} & path.names and not loss.remark for loss in found)
        hit += bool(found)
        assert removals_on(management_path(Network(), []), [loss for loss in losses if loss.remark], []) == ()
    told(f"first writes of files.jsonl that take something from the management path: {hit} of 616")
