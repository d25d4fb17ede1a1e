"""`pvenet ovs-bridge`: create, set, delete."""

from __future__ import annotations

import typer

from pvenet.cli.staging import noun
from pvenet.model import OvsBridge


def _fields(
    *,
    ports: list[str] | None = typer.Option(
        None,
        help="Its NICs, internal ports and OVS bonds, with commas or repeated. A new bond or internal port comes in by "
        "its own command, and leaves when it is deleted.",
        metavar="IFACE[,IFACE]",
    ),
    options: str | None = typer.Option(None, help="Words for ovs-vsctl.", metavar="TEXT"),
) -> None: ...


app = noun(
    OvsBridge, name="ovs-bridge", word="OVS bridge", fields=_fields, naming="The next free vmbr<N> unless given."
)
