"""`pvenet ovs-port`: create, set, delete of internal ports; set also of a NIC that an OVS bridge lists."""

from __future__ import annotations

import typer

from pvenet.cli.staging import addressing, common, noun
from pvenet.model import OvsIntPort


def _fields(
    *,
    bridge: str | None = typer.Option(
        None, help="The OVS bridge that it is a port of; another makes it anew there.", metavar="IFACE"
    ),
    tag: int | None = typer.Option(None, help="The VLAN that it is in, 1 to 4094.", metavar="TAG"),
    options: str | None = typer.Option(None, help="Words for ovs-vsctl.", metavar="TEXT"),
) -> None: ...


app = noun(
    OvsIntPort,
    name="ovs-port",
    word="OVS port",
    fields=_fields,
    naming="A free name, as mgmt0.",
    shared=(addressing, common),  # its bridge starts it
)
