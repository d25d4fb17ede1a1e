"""`pvenet bridge`: create, set, delete."""

from __future__ import annotations

import typer

from pvenet.cli.staging import noun
from pvenet.model import Bridge


def _fields(
    *,
    ports: list[str] | None = typer.Option(None, help="Its ports, with commas or repeated.", metavar="IFACE[,IFACE]"),
    vlan_aware: bool | None = typer.Option(None, "--vlan-aware/--no-vlan-aware", help="Whether it filters VLANs."),
    vids: list[str] | None = typer.Option(
        None, help="The VLANs that its ports let through, as 7,100-200; 2-4094 unless told otherwise.", metavar="TAGS"
    ),
) -> None: ...


app = noun(Bridge, word="bridge", fields=_fields, naming="The next free vmbr<N> unless given.")
