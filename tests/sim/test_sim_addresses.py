"""A node answers at the addresses that it has, where somebody wants that."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import requests

from pvenet.sim.adapter import SimAdapter
from pvenet.sim.machine.node_addresses import address_of, addresses_of
from pvenet.sim.server import At, Server
from pvenet.sim.state import Sim, SimError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

OLD, NEW = "127.0.0.11", "127.0.0.12"
FILE = f"""auto lo
iface lo inet loopback

iface ens33 inet manual

auto vmbr0
iface vmbr0 inet static
\taddress {OLD}/24
\tbridge-ports ens33
\tbridge-stp off
\tbridge-fd 0
"""
NETWORK = "nodes/pve1/network"


class Reached:
    """A client that asks by address."""

    def __init__(self, folder: Path, faults: Sequence[str] = ()) -> None:
        self.now = 1_800_000_000.0
        sim = Sim.init(folder, interfaces=FILE)
        adapter = SimAdapter(sim, clock=lambda: self.now, sleep=self.sleep, faults=faults, by_address=True)
        self.session = requests.Session()
        self.session.trust_env = False
        self.session.mount("https://", adapter)
        self.session.headers["Authorization"] = "PVEAPIToken={}={}".format(*adapter.credentials)

    def sleep(self, seconds: float) -> None:
        self.now += seconds

    def ask(self, method: str, path: str, at: str = OLD, **form: str) -> requests.Response:
        return self.session.request(method, f"https://{at}:8006/api2/json/{path}", data=form or None, timeout=(3, 5))

    def answering(self) -> list[str]:
        """Which of the two addresses answer."""
        found = []
        for at in (OLD, NEW):
            try:
                self.ask("GET", "version", at)
            except requests.ConnectTimeout:
                continue
            found.append(at)
        return found

    def move(self) -> None:
        """Stage the new address, and reload."""
        form = {"type": "bridge", "cidr": f"{NEW}/24", "bridge_ports": "ens33", "autostart": "1"}
        assert self.ask("PUT", f"{NETWORK}/vmbr0", **form).status_code == 200
        assert self.ask("PUT", NETWORK).status_code == 200


def test_a_reload_moves_a_node(tmp_path: Path) -> None:
    """The old address answers until half of it is over, and the new one from then on."""
    client = Reached(tmp_path)
    assert client.answering() == [OLD]
    client.move()
    assert client.answering() == [OLD]
    client.now = 1_800_000_000.0 + 100
    assert client.answering() == [NEW]
    assert client.ask("GET", f"{NETWORK}/vmbr0", NEW).json()["data"]["address"] == NEW


def test_names_are_answered_as_ever(tmp_path: Path) -> None:
    """Only an address is held against what the node has."""
    client = Reached(tmp_path)
    client.move()
    client.sleep(10)
    assert client.ask("GET", "version", "pve1.invalid").status_code == 200


@pytest.mark.parametrize("fault", ["reload-hangs", "reload-fails", "never-up=vmbr0"])
def test_a_reload_that_does_not_get_there(fault: str, tmp_path: Path) -> None:
    """Half a reload leaves the old address; where the link does not come up there is none."""
    client = Reached(tmp_path, [f"{fault}@PUT network"])
    client.move()
    client.sleep(100)
    assert client.answering() == ([] if "never" in fault else [OLD])


def test_a_reload_that_finds_another_running(tmp_path: Path) -> None:
    """It has made the new file the file, and changes no address."""
    client = Reached(tmp_path, ["reload-hangs@PUT network"])
    client.ask("PUT", NETWORK)
    client.move()
    client.sleep(10)
    assert client.ask("GET", f"{NETWORK}/vmbr0").json()["data"]["address"] == NEW
    assert client.answering() == [OLD]


def test_a_reboot_takes_the_address_of_the_file(tmp_path: Path) -> None:
    """What is staged is what boots."""
    client = Reached(tmp_path, ["reboot=1@GET network"])
    client.ask("PUT", f"{NETWORK}/vmbr0", type="bridge", cidr=f"{NEW}/24", bridge_ports="ens33", autostart="1")
    with pytest.raises(requests.ConnectTimeout):
        client.ask("GET", NETWORK)
    client.sleep(10)
    assert client.answering() == [NEW]


def test_each_node_answers_at_its_own(tmp_path: Path) -> None:
    """Of a cluster's nodes the one that has the address."""
    client = Reached(tmp_path)
    Sim.init(tmp_path, node="pve2", interfaces=FILE.replace(OLD, NEW))
    assert client.answering() == [OLD, NEW]
    local = {entry["name"]: entry["local"] for entry in client.ask("GET", "cluster/status", NEW).json()["data"][1:]}
    assert local == {"pve1": 0, "pve2": 1}


def test_the_addresses_of_a_file() -> None:
    """All of what starts by itself, of both families, each once."""
    text = "auto lo a\niface lo inet loopback\niface a inet static\n address 10.0.0.1/24\n address 10.0.0.2\n"
    text += "iface a inet6 static\n\taddress fe80::1/64\niface b inet static\n address 10.0.0.3/24\n"
    assert addresses_of(text) == ("10.0.0.1", "10.0.0.2", "fe80::1")
    assert addresses_of(text, {"a"}) == ()


@pytest.mark.filterwarnings("ignore:Unverified HTTPS")  # the certificate is for localhost
@pytest.mark.parametrize("tls", [True, False])
def test_a_server_on_both_addresses(tmp_path: Path, *, tls: bool) -> None:
    """Over sockets: the old one falls silent and the new one speaks."""
    sim = Sim.init(tmp_path, interfaces=FILE)
    with Server(sim, host=OLD, also=[At(host=NEW)], tls=tls) as server:
        at = server.endpoint
        old, new = f"{at.url}/api2/json", f"{at.also[0]}/api2/json"
        assert (OLD in old, NEW in new) == (True, True)
        session = requests.Session()
        session.trust_env, session.verify = False, False
        session.headers["Authorization"] = f"PVEAPIToken={at.token_id}={at.token_secret}"
        with pytest.raises((requests.Timeout, requests.ConnectionError)):
            session.get(f"{new}/version", timeout=0.1)
        assert session.get(f"{old}/version", timeout=5).status_code == 200
        form = {"type": "bridge", "cidr": f"{NEW}/24", "bridge_ports": "ens33", "autostart": "1"}
        assert session.put(f"{old}/{NETWORK}/vmbr0", data=form, timeout=5).status_code == 200
        assert session.put(f"{old}/{NETWORK}", timeout=5).status_code == 200
        assert session.get(f"{new}/version", timeout=5).status_code == 200  # it waits for the reload
        with pytest.raises((requests.Timeout, requests.ConnectionError)):
            session.get(f"{old}/version", timeout=0.1)
        session.close()


def test_a_server_that_stands_for_an_address(tmp_path: Path) -> None:
    """An address that this machine does not have is answered for at one that it has."""
    sim = Sim.init(tmp_path, interfaces=FILE.replace(OLD, "192.0.2.11"))
    new = At(host=NEW, address="192.0.2.12")
    with Server(sim, host=OLD, address="192.0.2.11", also=[new], tls=False) as server:
        token = {"Authorization": f"PVEAPIToken={server.endpoint.token_id}={server.endpoint.token_secret}"}
        assert requests.get(f"{server.endpoint.url}/api2/json/version", headers=token, timeout=5).status_code == 200
        with pytest.raises((requests.Timeout, requests.ConnectionError)):
            requests.get(f"{server.endpoint.also[0]}/api2/json/version", headers=token, timeout=0.1)


def test_a_server_at_addresses_that_no_node_has(tmp_path: Path) -> None:
    """Told before anything is served, with the addresses that there are."""
    sim = Sim.init(tmp_path, interfaces=FILE)
    with pytest.raises(SimError, match=rf"no node .* answers at 127.0.0.1 or {NEW}, only at {OLD}"):
        Server(sim, also=[At(host=NEW)])


def test_a_blank_before_the_prefix_is_no_part_of_the_address() -> None:
    """Some people's files have it, and a cluster never names an address with it."""
    assert (
        address_of("auto vmbr0\niface vmbr0 inet static\n\taddress 192.0.2.7 /24\n\tgateway 192.0.2.1\n") == "192.0.2.7"
    )
