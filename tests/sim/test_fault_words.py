"""How a fault is written: its words, its value, and the request that it is for."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import quote

import pytest
import requests
from sim_client import NETWORK, Client, exitstatus, reload, stage

from pvenet.sim.faults import KINDS, Address, Fault, parse, usage
from pvenet.sim.state import SimError

if TYPE_CHECKING:
    from pathlib import Path

VALUES = {
    "SECONDS": "=1",
    "PRIVILEGE": "=Sys.Audit",
    "LINK": "=bond0",
    "IFACE": "=vmbr0",
    "NIC": "=ens38",
    "BOND": "=bond0",
    "SLAVE": "=ens38",
    "PORT": "=bond0",
    "STATUS[:after]": "=520",
    "JSON": "=[]",
    "IFACE:FIELD=VALUE": "=vmbr0:mtu=1400",
    "ID": "=101",
    "NUMBER": "=1",
    "ID[:NODE]": "=101:pve2",
}
"""For the kinds that need one."""


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("drop-before@1", Fault(kind="drop-before", at=1)),
        ("595@4", Fault(kind="595", at=4)),
        ("599=after@12", Fault(kind="599", at=12, value="after")),
        ("delay=2.5@3", Fault(kind="delay", at=3, value="2.5")),
        ("lacks=Sys.Modify@2", Fault(kind="lacks", at=2, value="Sys.Modify")),
        ("reload-fails=1:x : error: x: a@b @1", Fault(kind="reload-fails", at=1, value="1:x : error: x: a@b ")),
        ("drop-after@PUT network", Fault(kind="drop-after", at=1, address=Address(method="PUT", path="network"))),
        (
            "599=after@GET network+2",
            Fault(kind="599", at=2, value="after", address=Address(method="GET", path="network")),
        ),
    ],
)
def test_faults_are_words(text: str, fault: Fault) -> None:
    """A fault reads as it is written."""
    assert parse(text) == fault
    assert str(fault) == text


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("drop-before", "does not say at which request"),
        ("drop-before@0", "does not say at which request"),
        ("drop-before@x", "does not say at which request"),
        ("@1", "does not say at which request"),
        ("600@1", "unknown fault '600'; there are: drop-before"),
        ("restart=1@1", "fault restart takes no value: restart@1"),
        ("delay@1", "fault delay needs a value: delay=SECONDS@1"),
        ("delay=long@1", "'long' is not a number of seconds"),
        ("delay=-1@1", "'-1' is not a number of seconds"),
        ("report-slow=inf@1", "'inf' is not a number of seconds"),
        ("lacp-takes=nan@PUT network", "'nan' is not a number of seconds"),
        ("595=before@1", "'before' does not go with an answer"),
        ("reload-fails=x@1", "'x' is not an exit code"),
        ("gateway=abc@1", "'abc' is not an HTTP status, from 200 to 599"),
        ("gateway=99@1", "'99' is not an HTTP status"),
        ("gateway=520:before@1", "'before' does not go with an answer"),
        ("lacks=Sys.Adit@1", "'Sys.Adit' is not a privilege"),
        ("trickle=slow@1", "'slow' is not a number of seconds"),
        ("foreign-set=vmbr0@1", "'vmbr0' does not set a field: write IFACE:FIELD=VALUE"),
        ("foreign-set=vmbr0:colour=red@1", "PVE would refuse 'vmbr0:colour=red'"),
        ("foreign-set=vmbr0:mtu=9@1", "mtu: value must have a minimum value of 1280"),
        ("drop-after@FETCH network", "no method FETCH, only DELETE, GET, POST, PUT"),
        ("drop-after@PUT netwrok", r"there is no request `PUT netwrok`; with PUT there are: network, network/\*"),
        ("drop-after@PUT", "does not say at which request"),
        ("drop-after@PUT network+0", "counted from 1"),
        ("drop-after@GET network?type=bridge", "is not a request: write KIND@METHOD PATH"),
        ("drop-after@GET network/a/b", "there is no request"),
    ],
)
def test_what_is_no_fault_is_refused(text: str, complaint: str) -> None:
    """The complaint says what to write instead."""
    with pytest.raises(SimError, match=complaint):
        parse(text)


class TestAddresses:
    """A fault is for what is asked."""

    def test_the_reload_and_nothing_else(self, tmp_path: Path) -> None:
        """However many requests come before it, and whatever else is put."""
        client = Client(tmp_path, "drop-after@PUT network")
        stage(client)
        assert client.ask("PUT", f"{NETWORK}/vmbr1", type="bridge", comments="x").status_code == 200
        with pytest.raises(requests.ConnectionError):
            reload(client)
        assert "vmbr1" in client.node.applied()
        client.sleep(1)
        assert exitstatus(client, reload(client)) == "OK"

    def test_any_interface(self, tmp_path: Path) -> None:
        """`*` is one part of a path, and not none."""
        client = Client(tmp_path, "599@PUT network/*")
        stage(client)
        assert client.ask("PUT", NETWORK).status_code == 200
        assert client.ask("PUT", f"{NETWORK}/vmbr0", type="bridge").status_code == 599
        assert client.ask("PUT", f"{NETWORK}/vmbr0", type="bridge").status_code == 200

    @pytest.mark.parametrize(
        ("where", "path"),
        [
            ("GET network", "/nodes/pve1/network?type=bridge"),
            ("get /network/", "/nodes/pve1/network"),
            ("GET nodes/pve1/network", "/nodes/pve1/network"),
            ("GET api2/json/nodes/*/network", "/nodes/localhost/network"),
            ("GET cluster/status", "/cluster/status"),
            ("GET access/permissions", "/access/permissions"),
            ("GET network/vmbr0", "/nodes/pve1/network/vmbr0"),
        ],
    )
    def test_the_second_match(self, where: str, path: str, tmp_path: Path) -> None:
        """Others are not counted; a path is the node's or the whole, its query aside."""
        client = Client(tmp_path, f"599@{where}+2")
        asked = [path, "/version", path, path]
        assert [client.ask("GET", each).status_code for each in asked] == [200, 200, 599, 200]

    def test_the_name_of_a_task(self, tmp_path: Path) -> None:
        """It has an @ of its own, and comes with or without percent signs."""
        client = Client(tmp_path)
        upid = reload(client)
        client = Client(tmp_path, f"599@GET tasks/{upid}/log", "595@GET tasks/*/status")
        assert client.ask("GET", f"/nodes/pve1/tasks/{upid}/status").status_code == 595
        assert client.ask("GET", f"/nodes/pve1/tasks/{quote(upid, safe='')}/log").status_code == 599

    def test_a_reload_that_is_ordered_to_fail(self, tmp_path: Path) -> None:
        """The addressed one, not the first."""
        client = Client(tmp_path, "reload-fails=3@PUT network+2", "never-up=ens38@POST network")
        ends = [exitstatus(client, reload(client)) for _ in range(3)]
        assert ends == ["OK", "command 'ifreload -a' failed: exit code 3", "OK"]

    def test_what_lasts(self, tmp_path: Path) -> None:
        """It begins with the addressed request."""
        client = Client(tmp_path, "lacks=Sys.Modify@POST network+2")
        assert [stage(client, f"vmbr{n}").status_code for n in (1, 2, 3)] == [200, 403, 403]


def test_every_kind_can_be_ordered() -> None:
    """Each kind has words that order it."""
    for name, kind in KINDS.items():
        value = VALUES.get(kind.value, "")
        assert parse(f"{name}{value}@1").kind == name


def test_the_usage_names_every_kind() -> None:
    """A person can read what can be ordered, and what it does."""
    lines = dict(usage())
    assert len(lines) == len(KINDS)
    assert lines["delay=SECONDS@WHERE"] == "the answer takes longer"
    assert "path-lost[=SECONDS]@WHERE" in lines
