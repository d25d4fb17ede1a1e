"""What is waited for is told on one line."""

from __future__ import annotations

from pvenet.events import Waiting
from pvenet.render.events import waiting_line, waiting_note


def test_a_cause_of_several_lines_reads_as_one() -> None:
    """PVE says several things at once, each on its line: they stand beside each other."""
    event = Waiting(
        reason="no answer from pve3", elapsed=3.0, detail="pve1 says\n  595 Connection refused\n\n  of pve3", silent=3.0
    )
    told = "pve1 says; 595 Connection refused; of pve3"
    assert waiting_note(event).endswith(f"no answer from pve3: {told}")
    assert waiting_line(event, since=0.0).endswith(f": {told}")
