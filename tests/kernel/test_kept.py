"""What of a look is kept on disk."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from kernel_texts import REPORTS, report

from pvenet.kernel.judgement import Look
from pvenet.kernel.kept import kept
from pvenet.kernel.links import BridgePorts, Report
from pvenet.kernel.report import read_report
from pvenet.model import Network
from pvenet.plain import frozen, plain
from pvenet.sim.interfaces import Host, listing, parse
from pvenet.wire import network

WORDS = {each.__name__: each for each in (BridgePorts, Report)}
SECRET = "wpa-psk hunter2-hunter2"


def listed(read: Report) -> Network:
    """What PVE would list of the file in a report."""
    host = Host(nics=dict.fromkeys((name for name, link in read.links.items() if link.kind == ""), ()), up=frozenset())
    return network(listing(parse(read.interfaces, host)))


@pytest.mark.parametrize("name", REPORTS)
def test_what_is_kept_differs_from_a_network_in_the_same(name: str) -> None:
    """Of every recorded report, also once it was on disk: from its own file, and from one that names nothing of it."""
    look = Look(report=read_report(report(name)))
    again: Look = frozen(Look, json.loads(json.dumps(plain(kept(look)))), WORDS)
    assert again == kept(look)
    for wanted in (listed(read_report(report(name))), Network(interfaces={})):
        assert again.differences(wanted) == look.differences(wanted)


def test_no_secret_of_a_file_is_kept() -> None:
    """Whatever a stanza says besides its name and addresses stays on the node."""
    read = read_report(report(REPORTS[0]))
    text = f"iface wlan0 inet static\n\taddress 192.0.2.7/24\n\t{SECRET}\n"
    files = {"/etc/network/interfaces.d/wlan": text}
    found = kept(Look(report=replace(read, interfaces=read.interfaces + text, sourced=files)))
    said = json.dumps(plain(found))
    assert "hunter2" not in said
    assert "192.0.2.7" in said
    assert "iface wlan0" in said
