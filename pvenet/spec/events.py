"""The events of a YAML text: what PyYAML finds in it, where that is what YAML 1.2 says.

PyYAML reads YAML 1.1, with libyaml or by itself. What would mean something else by that than by YAML 1.2 is refused,
so that whatever comes out of here means the same to both.
"""

from __future__ import annotations

import re
from functools import partial
from typing import TYPE_CHECKING, Any

import yaml

from pvenet.spec.diagnostics import Position
from pvenet.spec.tree import TOO_DEEP, Unreadable

if TYPE_CHECKING:
    from collections.abc import Iterator

LIBYAML = "CSafeLoader"
PYTHON = "SafeLoader"
"""PyYAML's parsers, by its names; the events are the same, the former takes a tenth of the time."""
PARSER = LIBYAML if yaml.__with_libyaml__ else PYTHON

_REFUSED = re.compile("[\0-\x08\v\f\x0e-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff\ufeff\ufffe\uffff]")
"""What is no character of YAML's, ends a line in YAML 1.1 alone (U+0085, U+2028, U+2029), or marks a byte order.

Listed and not left over from those that are allowed: that takes a tenth of the time to compile.
"""
_ENDS_LINES = "\x85\u2028\u2029"
_BYTE_ORDER_MARK = "\ufeff"
_DIRECTIVE = re.compile(r"^%(?:TAG|YAML(?! +1\.2\s*$))", re.MULTILINE)
_LINE_END = re.compile("\r\n?|\n")
_COLON_AT_END = re.compile(r"\s*:[,\[\]{}]")
_COLON = "a word that begins or ends with a colon needs quotes"
_NO_PLACE = "this is not YAML: this has no place here; mind its indentation, or put the whole value in quotes"
_NO_CHARACTER = "this is not YAML: an escape in double quotes stands for no character"
_SAID: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(".*nesting depth"), TOO_DEEP),  # libyaml looks ahead, and ends at a thousand by itself
    (re.compile("found invalid Unicode"), _NO_CHARACTER),
    (re.compile(".*cannot start any token"), "a word that begins with {} needs quotes"),
    (re.compile(".*expected alphabetic"), "the name of an anchor has A to Z, digits, - and _ only"),
    (re.compile(".*expected (?:comment or|chomping)"), "a text that begins with | or > needs quotes"),
    (re.compile(".*expected (?:the )?node content"), "this is not YAML: a value is missing before {}"),
    (re.compile(".*expected (?:key|<block end>|'-' indicator|'?<document start>)"), _NO_PLACE),
    (re.compile("mapping values are not allowed"), "this is not YAML: mapping values are not allowed here"),
    (re.compile("(?:block )?sequence entries are not allowed"), "this is not YAML: no list can begin here"),
    (re.compile("found unknown escape"), r"in double quotes a \ is written \\, or use single quotes"),
)
"""What libyaml and PyYAML's own parser object to, and how that is told; `{}` is the character where they stopped."""
_EXPECTED = re.compile(r"(?:did not find )?(expected .*?)(?:, but .*)?", re.DOTALL)


def events_of(text: str) -> Iterator[Any]:
    """PyYAML's events, one by one. Raises Unreadable where the text is no YAML, or not by both versions of it."""
    text = text.removeprefix(_BYTE_ORDER_MARK)
    _check_characters(text)
    if found := _DIRECTIVE.search(text):
        of = "tags have no meaning here" if found.group() == "%TAG" else "the file is YAML 1.2"
        raise Unreadable(_place(text, found.start()), f"{of}; leave this line out")
    try:
        found_by = yaml.parse(text, Loader=getattr(yaml, PARSER))
        yield from found_by if PARSER == LIBYAML else map(partial(_colon_checked, text), found_by)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        raise Unreadable(*_explained(text, mark.line, mark.column, str(error.problem or error.context))) from None
    except (ValueError, OverflowError):  # of chr(), by PyYAML's own parser
        raise Unreadable(Position(1, 1), _NO_CHARACTER) from None


def check_anchor(text: str, event: Any) -> None:
    """Raises Unreadable where YAML 1.2 has more in the name of an anchor than PyYAML took: `&a:b`."""
    text = text.removeprefix(_BYTE_ORDER_MARK)
    begin = event.start_mark.index
    after = begin + 1 + len(event.anchor)
    if text[after : after + 1] not in "\t\n\r ,[]{}":
        raise Unreadable(_place(text, begin), f"put a space between {text[begin:after]} and `{text[after]}`")


def _check_characters(text: str) -> None:
    found = _REFUSED.search(text)
    if not found:
        return
    at, character = _place(text, found.start()), found.group()
    code = f"U+{ord(character):04X}"
    if character in _ENDS_LINES:
        raise Unreadable(at, f"the invisible {code} ends a line for some programs and not for others; leave it out")
    if character == _BYTE_ORDER_MARK:
        raise Unreadable(at, f"the invisible {code} marks the beginning of a file; leave it out here")
    raise Unreadable(at, "a character that YAML does not allow")


def _colon_checked(text: str, event: Any) -> Any:
    """The event, unless it is a word in brackets before a colon: `[fd00:]`, of which parsers make this and that."""
    is_word = isinstance(event, yaml.ScalarEvent) and event.implicit[0] and event.value
    if is_word and (found := _COLON_AT_END.match(text, event.end_mark.index)):
        raise Unreadable(_place(text, found.end() - 2), _COLON)
    return event


def _explained(text: str, line: int, column: int, problem: str) -> tuple[Position, str]:
    """Where a parser stopped, and why. libyaml counts a line behind the last one."""
    lines = _LINE_END.split(text)
    if line >= len(lines):
        line, column = len(lines) - 1, len(lines[-1])
    at, rest = Position(line + 1, column + 1), lines[line][column:]
    indent = lines[line][: len(lines[line]) - len(lines[line].lstrip(" \t"))]
    if rest.startswith("\t") or "\t" in indent[:column]:
        return at, "a tab: YAML is indented with spaces only"
    if rest.startswith(":") and (rest[1:2].strip() or lines[line][:column].endswith(":")):
        return at, _COLON
    for pattern, told in _SAID:
        if pattern.match(problem):
            return at, told.replace("{}", rest[:1] or "the end")
    expected = _EXPECTED.fullmatch(problem)
    return at, f"this is not YAML: {expected[1] if expected else problem}"


def _place(text: str, index: int) -> Position:
    lines = _LINE_END.split(text[:index])
    return Position(len(lines), len(lines[-1]) + 1)
