"""`pvenet eth`: set. NICs come and go with the hardware."""

from __future__ import annotations

from pvenet.cli.staging import noun
from pvenet.model import Ethernet


def _fields() -> None: ...


app = noun(Ethernet, word="NIC", fields=_fields, naming="")
