"""The characters of the file.

PVE takes it byte by byte, each byte as one character of Latin-1, and writes these as UTF-8 (pve-api#f1). So blanks are
those of Latin-1 as well, two of which are second bytes of letters in UTF-8 (pve-api#f2).
"""

from __future__ import annotations

import re

BLANKS = "\t\n\v\f\r \x85\xa0"
BLANK = r"[\t-\r \x85\xa0]"
"""One blank, in a regular expression."""
INK = r"[^\t-\r \x85\xa0]"
"""One character that is none."""
LETTER = re.compile(r"[0-9A-Za-z_\xaa\xb5\xba\xc0-\xd6\xd8-\xf6\xf8-\xff]")
"""What makes a line outside of all stanzas worth keeping (pve-api#f4)."""

_WORD = re.compile(f"{INK}+")


def as_read(text: str) -> str:
    """The text of a file as PVE sees it."""
    return text if text.isascii() else text.encode("utf-8", "surrogateescape").decode("latin-1")


def as_comment(line: str) -> str:
    """A comment of a stanza, which alone is decoded; what is no UTF-8 becomes U+FFFD."""
    return line if line.isascii() else line.encode("latin-1").decode("utf-8", "replace")


def words(text: str) -> list[str]:
    """The words that blanks separate."""
    return text.split() if text.isascii() and text.isprintable() else _WORD.findall(text)
