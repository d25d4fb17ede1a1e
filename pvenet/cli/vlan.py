"""`pvenet vlan`: create, set, delete."""

from __future__ import annotations

import typer

from pvenet.cli.staging import noun
from pvenet.model import Vlan


def _fields(
    *,
    raw_device: str | None = typer.Option(None, help="What it sits on.", metavar="IFACE"),
    tag: int | None = typer.Option(None, help="The VLAN's id, 1 to 4094.", metavar="TAG"),
) -> None: ...


app = noun(Vlan, word="VLAN", fields=_fields, naming="bond0.50, vlan50 or a free name; DEVICE.TAG unless given.")
