"""What a node says, of any type: a value, or an error in a sentence."""

from __future__ import annotations

import contextlib
import json
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from loopback import TOKEN, Says

from pvenet import errors
from pvenet.access import NotKnown
from pvenet.cluster import fingerprints, highly_available, links, members, names
from pvenet.connection import AnswerLost, Connection
from pvenet.connection.endpoint import Endpoint
from pvenet.guests import list_guests, read_guests, running_cards
from pvenet.model import Other
from pvenet.node import Node

if TYPE_CHECKING:
    from collections.abc import Callable

UPID = "UPID:pve1:0000:0000:0000:srvreload:networking:root@pam:"
READS: dict[str, Callable[[Node], object]] = {
    "network": Node.read,
    "permissions": Node.permissions,
    "tasks": Node.reloads,
    "task": lambda node: node.task(UPID),
    "log": lambda node: node.log(UPID),
    "members": lambda node: members(node.connection),
    "names": lambda node: names(node.connection),
    "fingerprints": lambda node: fingerprints(node.connection),
    "links": lambda node: links(node.connection),
    "guests": lambda node: list_guests(node.connection),
    "cards": running_cards,
    "services": lambda node: highly_available(node.connection, "pve1"),
}
KEYS = tuple(
    "iface type priority families options altnames active method cidr mtu bond_mode bond-primary slaves bridge_ports "  # noqa: SIM905
    "bridge_vids vlan-raw-device vlan-id ovs_bridge ovs_tag comments upid status exitstatus endtime t n name node "
    "online ip sid state vmid dev template key value pending ring0_addr net0 "
    "ssl_fingerprint /nodes/pve1 Sys.Audit".split()
)
WORDS = (
    "qemu",
    "lxc",
    "net0",
    "virtio,bridge=vmbr0,tag=7",
    "eth",
    "bond",
    "bridge",
    "vlan",
    "OVSPort",
    "srvreload",
    "node",
    "service",
    "pve1",
    "started",
    "stopped",
    "1",
)
SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.sampled_from(WORDS)
ANY = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner) | st.dictionaries(st.sampled_from(KEYS) | st.text(), inner),
    max_leaves=30,
)
ROWS = st.lists(
    st.fixed_dictionaries(
        {"iface": st.sampled_from(("vmbr0", "ens33")), "type": st.sampled_from(WORDS)},
        optional={key: SCALARS | st.lists(SCALARS) | st.just({"a": "b"}) for key in KEYS[2:]},
    ),
    max_size=3,
)


def saying(data: object, **beside: object) -> Node:
    adapter = Says(json.dumps({"data": data, **beside}))
    return Node(Connection([Endpoint(host="pve1", adapter=adapter)], TOKEN), "pve1")


@pytest.mark.parametrize("read", READS.values(), ids=READS.keys())
@settings(max_examples=60)
@given(data=ANY | ROWS)
def test_whatever_is_said_is_a_value_or_an_error(read: Callable[[Node], object], data: object) -> None:
    """Any JSON as `data` of any read: never an exception of another kind."""
    with contextlib.suppress(errors.PvenetError):
        read(saying(data))


@settings(max_examples=60)
@given(data=ANY | ROWS)
def test_reading_guests_fails_for_nothing_that_is_said(data: object) -> None:
    """They are for a person to know: what makes no sense is not known."""
    read_guests(saying(data))


@pytest.mark.parametrize("data", [None, 7, "text", [[]], [None], {"/": []}])
def test_links_of_the_wrong_type_are_not_known(data: object) -> None:
    """No apply fails for what a person should hear of; and "not known" is never "none"."""
    assert isinstance(links(saying(data).connection), NotKnown)


@pytest.mark.parametrize("read", [name for name in READS if name not in ("services", "links")])
@pytest.mark.parametrize("data", [None, 7, "text", [[]], [None], {"/": []}])
def test_data_of_the_wrong_type_is_not_pves(read: str, data: object) -> None:
    """The error names what was asked, and where."""
    with pytest.raises(errors.NotPVE, match=r"does not answer GET /.* as PVE does") as caught:
        READS[read](saying(data))
    assert "pve1" in caught.value.message


@pytest.mark.parametrize("data", [None, [], {}, {"status": None}, {"status": "odd"}, {"status": ["stopped"]}])
def test_a_task_without_a_state_has_not_ended(data: object) -> None:
    """It is asked again, rather than taken for one that runs, or for one that has ended."""
    with pytest.raises(errors.NotPVE):
        saying(data).task(UPID)


@pytest.mark.parametrize(
    "entry",
    [
        {},
        {"iface": None},
        {"iface": ["vmbr0"]},
        {"iface": "vmbr0", "priority": "first"},
        {"iface": "vmbr0", "priority": False},
        {"iface": "vmbr0", "priority": {}},
        {"iface": "vmbr0", "type": ["bridge"]},
        {"iface": "vmbr0", "type": "bridge", "method": ["static"]},
        {"iface": "vmbr0", "altnames": 7},
        {"iface": "vmbr0", "options": "mtu 9000"},
        {"iface": "vmbr0", "families": {"inet": 1}},
        {"iface": "bond0", "type": "bond", "bond-primary": ["ens33"]},
        {"iface": "vmbr0", "families": ["inet", 7]},
        {"iface": "vmbr0", "families": ["inet", "ipx"]},
    ],
)
def test_an_entry_that_can_not_be_read_at_all_is_not_pves(entry: object) -> None:
    """A listing is believed whole or not at all."""
    with pytest.raises(errors.NotPVE):
        saying([{"iface": "vmbr0", "type": "bridge"}, entry]).glance()


@pytest.mark.parametrize("address", ["pve1.example.com", "::1::", "\x1b[31m", 1e308])
def test_a_member_has_an_address_or_none(address: object) -> None:
    """It is compared with the node's, and spoken to: what is none is not PVE's answer."""
    entry = {"type": "node", "name": "pve1", "online": 1}
    assert members(saying([entry | {"ip": ""}]).connection)[0].address is None
    with pytest.raises(errors.NotPVE, match="not an address"):
        members(saying([entry | {"ip": address}]).connection)


def test_changes_that_are_no_text_are_not_pves() -> None:
    """Beside the listing stands a diff, or nothing."""
    assert saying([], changes=None).glance().changes is None
    assert saying([], changes="").glance().changes is None
    with pytest.raises(errors.NotPVE):
        saying([], changes=["+auto vmbr1"]).glance()


def test_a_line_that_no_diff_has_is_set_in() -> None:
    """It can't be taken for one that pvenet says; what a diff has stays to the letter."""
    diff = "--- a\n+++ b\n@@ -1 +1 @@\n context\n\n-old\n+new\n\\ No newline at end of file\n"
    assert saying([], changes=diff).glance().changes == diff
    changes = saying([], changes=f"{diff}error: faked\n\napplied and verified on pve1\n").glance().changes
    assert changes == f"{diff}  error: faked\n\n  applied and verified on pve1\n"


def test_the_end_of_a_task_begins_no_line() -> None:
    """A text of several lines is set in, in the task's state and in the list."""
    row = {"upid": UPID, "type": "srvreload", "status": "stopped", "endtime": 7, "exitstatus": "bad\nrolled back"}
    assert saying(row).task(UPID).exitstatus == "bad\n  rolled back"
    assert saying([row | {"status": "bad\nrolled back"}]).reloads()[UPID].exitstatus == "bad\n  rolled back"


def test_a_value_that_can_not_be_read_begins_no_line() -> None:
    """It stands in the message that says so."""
    network = saying([{"iface": "vmbr0", "type": "bridge", "gateway": "x\nrolled back"}]).glance().network
    found = network.interfaces["vmbr0"]
    assert isinstance(found, Other)
    assert found.unread == ("gateway x\n  rolled back",)


@pytest.mark.parametrize("data", [None, 7, [], "done"])
def test_a_reload_that_names_no_task_may_have_been_started(data: object) -> None:
    """Whatever stands there instead."""
    with pytest.raises(AnswerLost):
        saying(data).reload()


def test_numbers_may_be_texts_and_texts_numbers() -> None:
    """As Perl sends them."""
    node = saying([{"upid": UPID, "type": "srvreload", "endtime": "1764000000", "status": "OK"}])
    assert node.reloads()[UPID].ok
    node = saying([{"upid": UPID, "type": "srvreload", "endtime": 0}])
    assert node.reloads()[UPID].running
    assert saying([{"t": 7}, {}]).log(UPID) == ("7", "")
    assert members(saying([{"type": "node", "name": "pve1", "online": 1}, {"type": "cluster"}]).connection)[0].online
