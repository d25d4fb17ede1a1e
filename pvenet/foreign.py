r"""Foreign text made harmless: comments, logs, errors, names and files that somebody else wrote.

Whatever a terminal obeys or hides is shown as an escape (`\x1b`, `\u202e`), so that nothing is done and nothing is
concealed. Letters of every script stay. The escapes mean the same in a string of JSON (where `\x1b` is written
`\u001b`) and in a quoted one of YAML.
"""

from __future__ import annotations

import re

_UNSAFE = re.compile(
    "["
    "\x00-\x08\x0b-\x1f\x7f-\x9f"  # controls, except tab and line feed
    "\u2028\u2029"  # ends of lines
    "\xad\u0600-\u0605\u061c\u06dd\u070f\u0890\u0891\u08e2\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff"
    "\ufff0-\ufffb\U000110bd\U000110cd\U00013430-\U0001343f\U0001bca0-\U0001bca3\U0001d173-\U0001d17a"  # format
    "\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u3164\ufe00-\ufe0f\uffa0\U000e0000-\U000e0fff"  # shown as nothing
    "\ud800-\udfff\ufdd0-\ufdef\ufffe\uffff"  # no characters: halves, and what never is one
    "]"
)
_COMMAND = re.compile(r"^(\s*):(?=:)|##(?=\[)", re.MULTILINE)
"""What GitHub's runner obeys, on stderr, too: `::` at the beginning of a line, also after blanks, and `##[` in any."""
_HEAD = re.compile(r"\n(?=\S)((?i:error|hint|warning|debug)\b)")
_NAMED = {"\t": "\\t", "\n": "\\n", "\r": "\\r"}
_LARGEST_PAIR = 0x10000


def harmless(text: str) -> str:
    """A text of lines: its own line feeds and tabs stay, everything else that is no letter shows as an escape."""
    return _UNSAFE.sub(lambda found: escaped(found[0]), text)


def one_line(text: str) -> str:
    """A text that has to stay on its line: line feeds and tabs show as escapes, too."""
    return harmless(text).replace("\n", "\\n").replace("\t", "\\t")


def indented(text: str) -> str:
    """A text of lines, of which no second one begins where a message of ours does."""
    first, *rest = text.split("\n")
    return "\n".join([first, *(line if not line or line[0] == " " else f"  {line}" for line in rest)])


def guarded(text: str) -> str:
    """A text of lines of ours, none of which begins a message of its own: they may hold what PVE said."""
    return _HEAD.sub(r"\n  \1", text)


def inert(text: str) -> str:
    """A text of lines, none of which is a command to a runner that reads it: an escape stands in its place."""
    return _COMMAND.sub(lambda found: "#\\x23" if found[0] == "##" else f"{found[1]}\\x3a", text)


def json_safe(text: str) -> str:
    """A JSON text that shows the same: what `harmless` escapes in its strings is escaped as JSON does."""
    return _UNSAFE.sub(lambda found: json_escaped(found[0]), text)


def escaped(letter: str) -> str:
    """One character as Python and YAML escape it."""
    code = ord(letter)
    if letter in _NAMED:
        return _NAMED[letter]
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < _LARGEST_PAIR else f"\\U{code:08x}"  # noqa: PLR2004 - two digits


def json_escaped(letter: str) -> str:
    """One character as JSON escapes it: a large one as a pair."""
    code = ord(letter)
    if code < _LARGEST_PAIR:
        return f"\\u{code:04x}"
    return f"\\u{0xD800 + (code - _LARGEST_PAIR >> 10):04x}\\u{0xDC00 + (code & 0x3FF):04x}"


def fitting(text: str, encoding: str, *, json: bool = False) -> str:
    """A text without the characters that an encoding lacks: they are escaped."""
    try:
        text.encode(encoding)
    except UnicodeEncodeError:
        escape = json_escaped if json else escaped
        return "".join(letter if _holds(encoding, letter) else escape(letter) for letter in text)
    return text


def _holds(encoding: str, letter: str) -> bool:
    try:
        letter.encode(encoding)
    except UnicodeEncodeError:
        return False
    return True
