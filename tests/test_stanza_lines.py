"""Whose a line of a node's file is to ifupdown2, and where the hunks of PVE's diff are."""

from __future__ import annotations

import pytest

from pvenet.stanza_lines import NOBODY, begun, hunks


@pytest.mark.parametrize(
    ("line", "owner"),
    [
        ("iface vmbr0 inet static", "vmbr0"),
        ("\tiface  vmbr0", "vmbr0"),
        ("auto vmbr0", NOBODY),
        ("auto", NOBODY),
        ("allow-hotplug eno1", NOBODY),
        ("source /etc/network/interfaces.d/*", NOBODY),
        ("source-directory x", NOBODY),
        ("mapping eth*", NOBODY),
        ("rename a=b", NOBODY),
        ("iface", None),
        ("automatic x", None),
        ("\tup auto x", None),
        ("# iface eno1 inet manual", None),
        ("", None),
    ],
)
def test_a_stanza_goes_on_until_a_line_begins_something_else(line: str, owner: str | None) -> None:
    """A blank line and a comment end none."""
    assert begun(line) == owner


@pytest.mark.parametrize(
    ("head", "start"), [("@@ -3,2 +3,3 @@", 3), ("@@ -3 +3 @@", 3), ("@@ -3,0 +4,2 @@", 4), ("@@ -0,0 +1,2 @@", 1)]
)
def test_a_hunk_begins_at_its_first_old_line(head: str, start: int) -> None:
    """One that only inserts names the line before it."""
    assert hunks(f"--- a\n+++ b\n{head}\n+x\n y\n\\ No newline at end of file\n") == [(start, ["+x", " y"])]
    assert hunks("") == []
