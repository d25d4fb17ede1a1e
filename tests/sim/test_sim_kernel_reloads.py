"""What reloads make of the kernel of a made-up machine: step by step, in place, half, and with guests on bridges."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from sim_client import NETWORK, Client, exitstatus, reload
from sim_kernel import differences, kernel, link

from pvenet.sim.machine.hardware import Guest, Nic
from pvenet.sim.machine.machine import Machine
from pvenet.sim.machine.settings import Settings, Told, after, masters
from pvenet.sim.machine.tasks import TaskFolder
from pvenet.sim.state import Sim

if TYPE_CHECKING:
    from pathlib import Path

NEW = ("links", "hardware", "guests", "lacp_takes", "partnerless", "split")
GUEST = Guest(vmid=101, index=0, bridge="vmbr1", tag=30)


def made(place: Path, *forms: dict[str, str], faults: tuple[str, ...] = ()) -> Client:
    """A node on which these interfaces were made, when the reload is over."""
    client = Client(place, *faults)
    change(client, *forms)
    return client


def change(client: Client, *forms: dict[str, str]) -> None:
    """Create or update these interfaces, and apply."""
    for form in forms:
        there = {entry["iface"] for entry in client.ask("GET", NETWORK).json()["data"]}
        name = form["iface"]
        method, path = ("PUT", f"{NETWORK}/{name}") if name in there else ("POST", NETWORK)
        fields = {key: value for key, value in form.items() if method == "POST" or key != "iface"}
        reply = client.ask(method, path, autostart="1", **fields)
        assert reply.status_code == 200, reply.reason
    assert exitstatus(client, reload(client)) == "OK"


def bond(mode: str, slaves: str = "ens38 ens39", **more: str) -> dict[str, str]:
    return {"iface": "bond0", "type": "bond", "slaves": slaves, "bond_mode": mode, **more}


def bridge(ports: str = "", name: str = "vmbr1", **more: str) -> dict[str, str]:
    return {"iface": name, "type": "bridge", "bridge_ports": ports, **more}


def plug(client: Client, *guests: Guest) -> None:
    """Guests start on the node."""
    client.node.save(client.node.machine().but(guests=guests))


def test_a_reload_of_the_same_file_changes_nothing(tmp_path: Path) -> None:
    """Neither with nothing staged nor with what says the same again."""
    client = made(tmp_path, bond("802.3ad"), bridge("bond0", mtu="9000"))
    before = kernel(client)
    assert exitstatus(client, reload(client)) == "OK"
    client.ask("PUT", f"{NETWORK}/vmbr1", type="bridge", bridge_ports="bond0", mtu="9000", autostart=1)
    assert client.node.staged.exists()
    assert exitstatus(client, reload(client)) == "OK"
    assert kernel(client) == before


def test_what_is_staged_is_in_no_kernel(tmp_path: Path) -> None:
    """The file that counts is the one of the last reload."""
    client = made(tmp_path, bridge())
    before = kernel(client)
    client.ask("PUT", f"{NETWORK}/vmbr1", type="bridge", mtu="9000", autostart=1)
    assert kernel(client) == before


def test_a_reload_that_runs_has_made_a_part(tmp_path: Path) -> None:
    """The lower links come first, and each with its settings; what is new is never there without them."""
    client = Client(tmp_path)
    bridges = [bridge(name=f"vmbr{number}", mtu="9000") for number in range(2, 9)]
    for form in (bond("active-backup", mtu="9000"), bridge("bond0", mtu="9000"), *bridges):
        client.ask("POST", NETWORK, autostart=1, **form)
    upid = reload(client)
    found = TaskFolder(client.node.tasks).find(upid)
    assert found is not None
    _number, task = found
    rises = {step.link: step.at for step in task.steps}
    assert [told.at for told in task.told] == [rises[told.link] for told in task.told]
    seen = []
    for _ in range(100):
        client.sleep(0.003)
        seen.append(tuple(each for each in kernel(client).links if each.kind and each.name != "vmbr0"))
    made = [tuple(each.name for each in moment) for moment in dict.fromkeys(seen)]
    names = ("bond0", *(f"vmbr{number}" for number in range(1, 9)))
    assert list(dict.fromkeys(made)) == [names[:count] for count in range(10)]
    assert {(each.mtu, each.kind) for moment in seen for each in moment} == {(9000, "bond"), (9000, "bridge")}


def test_a_change_in_place_takes_its_time(tmp_path: Path) -> None:
    """An interface that was there before keeps what it had until its turn comes."""
    client = made(tmp_path, bridge(), bridge(name="vmbr2"))
    for name in ("vmbr1", "vmbr2"):
        client.ask("PUT", f"{NETWORK}/{name}", type="bridge", mtu="9000", autostart=1)
    reload(client)
    seen = []
    for _ in range(30):
        client.sleep(0.01)
        seen.append(tuple(link(kernel(client), name).mtu for name in ("vmbr1", "vmbr2")))
    assert list(dict.fromkeys(seen)) == [(1500, 1500), (9000, 1500), (9000, 9000)]


def test_a_failing_reload_leaves_what_it_did_not_reach(tmp_path: Path) -> None:
    """What is new is missing, and a bridge that was to get it has no port; the file says otherwise."""
    client = made(tmp_path, bridge(), faults=("reload-fails@PUT network+2",))
    client.ask("POST", NETWORK, autostart=1, **bond("active-backup", **{"bond-primary": "ens39"}))
    client.ask("PUT", f"{NETWORK}/vmbr1", type="bridge", bridge_ports="bond0", mtu="1400", autostart=1)
    assert exitstatus(client, reload(client)) != "OK"
    assert kernel(client).link("bond0") is None
    assert (link(kernel(client), "vmbr1").mtu, kernel(client).ports("vmbr1")) == (1400, ())
    change(client, bond("active-backup", **{"bond-primary": "ens38"}))  # it is a new one still
    state = link(kernel(client), "bond0").bond
    assert state is not None
    assert (state.primary, link(kernel(client), "bond0").master) == ("ens38", "vmbr1")


def test_an_mtu_goes_with_its_line(tmp_path: Path) -> None:
    """Slaves and VLANs without their own go with the bond's, up and down. pve-api#reload-normal."""
    client = made(tmp_path, bond("balance-rr", mtu="9000"), {"iface": "bond0.5", "type": "vlan"})
    assert [link(kernel(client), name).mtu for name in ("ens38", "bond0", "bond0.5")] == [9000] * 3
    client.ask(
        "PUT",
        f"{NETWORK}/bond0",
        delete="mtu",
        autostart="1",
        **{k: v for k, v in bond("balance-rr").items() if k != "iface"},
    )
    assert exitstatus(client, reload(client)) == "OK"
    assert [link(kernel(client), name).mtu for name in ("ens38", "bond0", "bond0.5")] == [1500] * 3


def test_a_primary_arrives_only_with_its_bond(tmp_path: Path) -> None:
    """Set on a bond that is there it is ignored, as recorded; on a new one it is there. pve-api#bond-primary."""
    client = made(tmp_path, bond("active-backup"))
    change(client, bond("active-backup", **{"bond-primary": "ens39"}))
    late = link(kernel(client), "bond0").bond
    assert late is not None
    assert (late.primary, late.active_slave) == (None, "ens38")
    client.ask("DELETE", f"{NETWORK}/bond0")
    assert exitstatus(client, reload(client)) == "OK"
    change(client, bond("active-backup", **{"bond-primary": "ens39"}))
    fresh = link(kernel(client), "bond0").bond
    assert fresh is not None
    assert (fresh.primary, fresh.active_slave) == ("ens39", "ens39")


def test_modes_change_in_place(tmp_path: Path) -> None:
    """Every mode follows every other. real/3-modes-inplace."""
    client = made(tmp_path, bond("balance-rr"))
    for mode in ("active-backup", "balance-xor", "broadcast", "802.3ad", "balance-tlb", "balance-alb", "balance-rr"):
        change(client, bond(mode))
        state = link(kernel(client), "bond0").bond
        assert state is not None
        assert state.mode == mode


def test_a_slave_that_moves_has_one_master(tmp_path: Path) -> None:
    """It leaves its bond, has its own MAC again, and is the bridge's."""
    client = made(tmp_path, bond("balance-rr"), bridge())
    assert link(kernel(client), "ens39").permaddr
    change(client, bond("balance-rr", slaves="ens38"), bridge("ens39"))
    moved = link(kernel(client), "ens39")
    assert (moved.master, moved.slave, moved.permaddr) == ("vmbr1", None, "")
    assert [port.name for port in kernel(client).ports("bond0")] == ["ens38"]


def test_a_member_is_taken_from_whoever_had_it() -> None:
    """As soon as one is told to take it, and before the other is told to let it go."""
    had = {"vmbr1": Settings(kind="bridge", members=("ens38", "ens39"))}
    wants = Told(at=0.5, link="bond0", settings=Settings(kind="bond", members=("ens39",)))
    assert masters(after(had, wants)) == masters(after({"bond0": Settings(kind="bond")} | had, wants))
    assert masters(after(had, wants)) == {"ens38": "vmbr1", "ens39": "bond0"}


def test_a_link_that_is_down_has_no_route(tmp_path: Path) -> None:
    """Its address is there, and leads nowhere."""
    client = Client(tmp_path, "never-up=ens40@PUT network")
    change(client, {"iface": "ens40", "type": "eth", "cidr": "10.9.0.1/24"})
    found = kernel(client)
    assert (link(found, "ens40").up, [each.cidr for each in link(found, "ens40").addresses]) == (False, ["10.9.0.1/24"])
    assert "ens40" not in {route.dev for route in found.routes}


def test_stp_takes_its_time(tmp_path: Path) -> None:
    """A port listens, learns, then forwards; so long the bridge has no carrier. pve-api#stp-listening."""
    client = Client(tmp_path)
    text = "\nauto vmbr1\niface vmbr1 inet manual\n\tbridge-ports ens38\n\tbridge-stp on\n\tbridge-fd 15\n"
    client.node.stage(client.node.applied() + text)
    assert exitstatus(client, reload(client)) == "OK"
    seen = []
    for _ in range(40):
        seen.append((link(kernel(client), "ens38").port_state, link(kernel(client), "vmbr1").carrier))
        client.sleep(1)
    assert list(dict.fromkeys(seen)) == [("listening", False), ("learning", False), ("forwarding", True)]


class TestGuests:
    """Guests hang on bridges."""

    def test_a_guest_keeps_its_bridge_up(self, tmp_path: Path) -> None:
        """With both cables out, the bridge has carrier and its uplink none. pve-api#bridge-carrier."""
        client = made(tmp_path, bond("active-backup"), bridge("bond0"))
        pulled = dict.fromkeys(("ens38", "ens39"), Nic(carrier=False))
        client.node.save(client.node.machine().but(hardware=pulled))
        assert not link(kernel(client), "vmbr1").carrier
        plug(client, GUEST)
        found = kernel(client)
        state = link(found, "bond0").bond
        assert state is not None
        assert (link(found, "vmbr1").carrier, link(found, "bond0").carrier, state.active_slave) == (True, False, None)

    def test_a_removed_bridge_loses_its_guests(self, tmp_path: Path) -> None:
        """They have no bridge, and get none when one of that name is made again."""
        client = made(tmp_path, bridge())
        plug(client, GUEST)
        assert [port.name for port in kernel(client).ports("vmbr1")] == ["tap101i0"]
        client.ask("DELETE", f"{NETWORK}/vmbr1")
        assert exitstatus(client, reload(client)) == "OK"
        assert link(kernel(client), "tap101i0").master is None
        change(client, bridge())
        assert kernel(client).ports("vmbr1") == ()

    def test_a_changed_bridge_keeps_its_guests(self, tmp_path: Path) -> None:
        """Its ports of the file may come and go."""
        client = made(tmp_path, bridge("ens38"))
        plug(client, GUEST)
        change(client, bridge("ens39"))
        assert {port.name for port in kernel(client).ports("vmbr1")} == {"ens39", "tap101i0"}
        change(client, bridge("ens39", mtu="1400"))
        assert link(kernel(client), "tap101i0").mtu == 1400

    @pytest.mark.parametrize(
        ("guest", "port", "vlans"),
        [
            (GUEST, "tap101i0", (30, ())),
            (GUEST.but(tag=None), "tap101i0", (1, ("2-4094",))),
            (GUEST.but(trunks=("30", "40", "41", "42")), "tap101i0", (30, ("40-42",))),
            (GUEST.but(container=True), "veth101i0", (30, ())),
            (GUEST.but(firewall=True), "fwpr101p0", (30, ())),
        ],
    )
    def test_a_guest_has_its_vlans(
        self, guest: Guest, port: str, vlans: tuple[int, tuple[str, ...]], tmp_path: Path
    ) -> None:
        """On a bridge that knows VLANs, and behind the firewall by another name; on another bridge none."""
        client = made(tmp_path, bridge(bridge_vlan_aware="1"), bridge(name="vmbr2"))
        plug(client, guest)
        found = link(kernel(client), port)
        assert (found.master, found.primary_vlan, found.vlans) == ("vmbr1", *vlans)
        plug(client, guest.but(bridge="vmbr2"))
        found = link(kernel(client), port)
        assert (found.master, found.primary_vlan, found.vlans) == ("vmbr2", None, ())


class TestDescription:
    """What `machine.json` keeps."""

    def test_one_from_before_opens(self, tmp_path: Path) -> None:
        """Without the new keys the kernel is as the file says, also after a reload."""
        client = made(tmp_path, bond("802.3ad"), bridge("bond0", mtu="9000"))
        path = client.node.folder / "machine.json"
        before = kernel(client)
        old = {key: value for key, value in json.loads(path.read_text()).items() if key not in NEW}
        path.write_text(json.dumps(old))
        assert differences(before, kernel(client)) == {}
        assert exitstatus(client, reload(client)) == "OK"
        assert differences(before, kernel(client)) == {}

    def test_it_is_read_as_it_was_written(self, tmp_path: Path) -> None:
        """All of it."""
        client = made(tmp_path, bond("802.3ad", bond_xmit_hash_policy="layer3+4"), bridge("bond0", cidr="10.9.0.1/24"))
        hardware = {"ens38": Nic(mac="bc:24:11:00:00:01", speed=10000, carrier=False, partner=None)}
        machine = client.node.machine().but(
            hardware=hardware, guests=(GUEST,), lacp_takes=3.5, partnerless=frozenset({"bond0"}), split=frozenset({"b"})
        )
        assert Machine.of(json.loads(json.dumps(machine.data()))) == machine

    def test_a_power_cycle_keeps_the_cables(self, tmp_path: Path) -> None:
        """What is staged goes live, the guests start where they were, the NICs are what they are."""
        client = made(tmp_path, bridge("ens38"), faults=("reboot@GET tasks", "no-carrier=ens38@GET access/permissions"))
        plug(client, GUEST)
        client.ask("GET", "/access/permissions")
        client.ask("PUT", f"{NETWORK}/vmbr1", type="bridge", bridge_ports="ens38", mtu="1400", autostart=1)
        with pytest.raises(OSError):  # noqa: PT011  no answer, in whatever words
            client.ask("GET", "/nodes/pve1/tasks")
        client.sleep(60)
        found = kernel(client)
        assert (link(found, "vmbr1").mtu, link(found, "tap101i0").master) == (1400, "vmbr1")
        assert not link(found, "ens38").carrier

    def test_two_nodes_have_no_mac_in_common(self, tmp_path: Path) -> None:
        """And each NIC its own, the same at every look."""
        nodes = [Sim.init(tmp_path, node=name).node(name) for name in ("pve1", "pve2")]
        client = Client(tmp_path)
        first = kernel(client)
        client.node = nodes[1]
        macs = [each.mac for found in (first, kernel(client)) for each in found.links if each.physical]
        assert len(set(macs)) == len(macs) == 12
        assert all(mac.startswith("bc:24:11:") for mac in macs)
