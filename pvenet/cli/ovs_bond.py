"""`pvenet ovs-bond`: create, set, delete."""

from __future__ import annotations

import typer

from pvenet.cli.staging import common, noun
from pvenet.model import OvsBond, OvsBondMode


def _fields(
    *,
    bridge: str | None = typer.Option(
        None, help="The OVS bridge that it is a port of; another makes it anew there.", metavar="IFACE"
    ),
    slaves: list[str] | None = typer.Option(None, help="Its NICs, with commas or repeated.", metavar="NIC[,NIC]"),
    mode: OvsBondMode | None = typer.Option(
        None, help="How the slaves share traffic; active-backup unless told otherwise."
    ),
    tag: int | None = typer.Option(None, help="The VLAN that it is in, 1 to 4094.", metavar="TAG"),
    options: str | None = typer.Option(None, help="Words for ovs-vsctl.", metavar="TEXT"),
) -> None: ...


app = noun(
    OvsBond,
    name="ovs-bond",
    word="OVS bond",
    fields=_fields,
    naming="The next free bond<N> unless given.",
    shared=(common,),  # it has no address, and its bridge starts it
)
