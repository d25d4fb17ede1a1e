"""What of a look is kept on disk: as much as its differences rest on. Pure."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from pvenet.kernel.addressing import written
from pvenet.kernel.files import stanza_names

if TYPE_CHECKING:
    from pvenet.kernel.judgement import Look


def kept(look: Look) -> Look:
    """The same look, from which every network differs as it did before. Of a node's files it has the names of stanzas
    and the addresses alone: whatever else stands there may be a secret.
    """
    if look.report is None:
        return look
    sourced = {path: _needed(text) for path, text in look.report.sourced.items()}
    return replace(look, report=replace(look.report, interfaces=_needed(look.report.interfaces), sourced=sourced))


def _needed(text: str) -> str:
    names = [f"iface {name}" for name in stanza_names(text)]
    return "\n".join([*names, *sorted(map(str, written([text])))])
