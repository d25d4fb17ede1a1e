"""`pvenet bond`: create, set, delete."""

from __future__ import annotations

import typer

from pvenet.cli.staging import noun
from pvenet.model import Bond, BondMode, XmitHashPolicy


def _fields(
    *,
    slaves: list[str] | None = typer.Option(None, help="Its NICs, with commas or repeated.", metavar="NIC[,NIC]"),
    mode: BondMode | None = typer.Option(None, help="How the slaves share traffic; balance-rr unless told otherwise."),
    primary: str | None = typer.Option(None, help="The preferred slave; active-backup only.", metavar="NIC"),
    xmit_hash_policy: XmitHashPolicy | None = typer.Option(
        None, help="What picks the slave; balance-xor and 802.3ad only."
    ),
) -> None: ...


app = noun(Bond, word="bond", fields=_fields, naming="bond<N>; the next free one unless given.")
