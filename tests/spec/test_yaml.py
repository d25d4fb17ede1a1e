"""What a text says is what YAML 1.2 says, though the parsers that read it know YAML 1.1."""

from __future__ import annotations

from io import StringIO
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from ruamel.yaml import YAML
from wrong_files import WRONG
from yaml12 import Refused, judged, placed

from pvenet.spec import events
from pvenet.spec.load import examine
from pvenet.spec.parse import parse
from pvenet.spec.tree import DEEPEST, Unreadable, plain

PARSERS = (events.LIBYAML, events.PYTHON)
quick = settings(
    max_examples=400, derandomize=True, database=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@pytest.fixture(params=PARSERS)
def parser(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Each of PyYAML's parsers in turn."""
    monkeypatch.setattr(events, "PARSER", request.param)
    return str(request.param)


def read(text: str) -> Any:
    """What a text without a mistake says."""
    tree, diagnostics = parse(text)
    assert not diagnostics
    return plain(tree)


def refusal(text: str) -> str:
    """Why and where a text is refused."""
    with pytest.raises(Unreadable) as caught:
        parse(text)
    return caught.value.diagnostic.text("f")


# --- what is read ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "data"),
    [
        ("{cidr6: fd00::1/64, gateway6: fe80::1}", {"cidr6": "fd00::1/64", "gateway6": "fe80::1"}),
        ("gateway6: ::1\ncidr6: fd00::/64", {"gateway6": "::1", "cidr6": "fd00::/64"}),
        ("{a: '::', b: \"fd00::\"}", {"a": "::", "b": "fd00::"}),
        ("[a:b]", ["a:b"]),
        ("{a:1}", {"a:1": None}),
        ("{\"a\":1, 'b': 2}", {"a": 1, "b": 2}),
        ('["a":b]', [{"a": "b"}]),
        ("{a, b: , c: d}", {"a": None, "b": None, "c": "d"}),
        ("a: b#c\nd: e #f", {"a": "b#c", "d": "e"}),
        ('"\\/\\x41\\u00e9\\U0001F600\\e\\_\\L"', "/Aé\U0001f600\x1b\xa0\u2028"),
        ("'it''s'", "it's"),
        ("a: 'b\n\n  c'\nd: e\n  f", {"a": "b\nc", "d": "e f"}),
        ("a: |\n  x\n   y\nb: >-\n  z\n  w\nc: |2+\n    v\n\n", {"a": "x\n y\n", "b": "z w", "c": "  v\n\n"}),
        ("a: |\n \n  x\n", {"a": "\nx\n"}),
        ("\ufeffa: b\r\nc: d\re: f", {"a": "b", "c": "d", "e": "f"}),
        ("%YAML 1.2\n---\na: b\n...\n", {"a": "b"}),
        ("- &a-b_1 [x]\n- *a-b_1\n- [&c d, *c]", [["x"], ["x"], ["d", "d"]]),
        ("? a\n: b\n? c\n", {"a": "b", "c": None}),
        ("[-, -1, 0x, 1_000, 0b1, 017, 0o17, +1, -.5, .inf]", ["-", -1, "0x", "1_000", "0b1", 17, 15, 1, -0.5, ".inf"]),
        ("'" + "k" * 1000 + "': v", {"k" * 1000: "v"}),
    ],
)
def test_it_means_what_yaml_1_2_says(parser: str, text: str, data: Any) -> None:
    """Colons within words, quoted keys, escapes, folded lines, line ends, anchors: by either parser."""
    assert read(text) == data, parser


@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_columns_are_counted_in_characters(parser: str, mark: str) -> None:
    """However many bytes one takes, and behind a byte order mark."""
    text = f"{mark}é: \U0001f600 # é\nb: {{\U0001f600: é, c: d}}"
    assert placed(parse(text)[0]) == judged(text), parser
    assert refusal(f"{mark}é: [\U0001f600, *a]").startswith("f:1:8: *a refers")
    assert refusal(f"{mark}é: [\U0001f600, \x07]").startswith("f:1:8: a character")
    assert refusal(f"{mark}é: [\U0001f600, &a:b]").startswith("f:1:8: put a space")
    assert refusal(f"{mark}é: [\U0001f600, @]").startswith("f:1:8: a word that begins with @")


WORDS = (
    *("a", "fd00::1", "::", "1", "-.5", "~", "true", "802.3ad", "x y", "é", "\U0001f600", "'q'", '"q"', "''"),
    *("<<", "k: ", ": ", ":", "- ", "-", "? ", "?", "{", "}", "[", "]", ",", ", ", "&a ", "&a", "*a", "*a ", "!"),
    *("#", " # c", "'", '"', "|", "|-\n", "|2\n", ">\n", ">+\n", "\\", "\\n", "\\x41", "\\ud800", "\\U00110000"),
    *("\n", "\n  ", "\n ", "\n- ", "\na: ", "\n  b: ", "\n---\n", "\n...\n", "---", "\r\n", "\r", "\t", " "),
    *("  ", "%YAML 1.2\n", "\\/", "%", "@", "`", "\u2028", "\x85", "\ufeff", "\xa0", "\x07", "\x00", "\ud800"),
    *("\uffff", "{a: b}", "[a, b]"),
)
"""What texts that are nearly YAML are made of."""
texts = st.lists(st.sampled_from(WORDS), max_size=14).map("".join) | st.text(max_size=30)


@pytest.mark.parametrize("used", PARSERS)
@quick
@example("[?::]")
@example("[? :a]")
@example("[a:]")
@example("{a :}")
@example("&a: b")
@example("a: &a:b c")
@example("- a\u2028- b")
@example("# c\n\ufeffa: b")
@example('"\\Ua00110000"')
@example("a: |\n\u2028 b")
@given(texts)
def test_what_is_read_is_what_a_parser_of_yaml_1_2_reads(used: str, text: str) -> None:
    """Values and places are the judge's wherever both read a text; nothing but a diagnostic comes of any other."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(events, "PARSER", used)
        try:
            tree, _ = parse(text)
        except Unreadable:
            return
    if isinstance(tree.value, dict | list):
        try:
            expected = judged(text)
        except Refused:
            return
        assert placed(tree) == expected


letters = st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="\ufeff\u2028\u2029")
names = st.text(letters, min_size=1, max_size=9).filter(lambda name: name != "<<" and name[0] != ":")
words = names | st.sampled_from(["no", "802.3ad", "fd00::", "1:2", "- a", "a: b", "#", "~", "1", "<", "'", '"', "\\"])
said = st.recursive(words, lambda of: st.lists(of, max_size=3) | st.dictionaries(names, of, max_size=3), max_leaves=9)


@pytest.mark.parametrize("flow", [True, False], ids=["brackets", "blocks"])
@quick
@given(st.dictionaries(st.just("nodes"), said, min_size=1))
def test_what_another_program_writes_is_read(flow: bool, data: dict[str, Any]) -> None:  # noqa: FBT001 - of a table
    """In brackets and without, whatever it puts in quotes; but for what begins with a colon, which needs them."""
    writer = YAML(typ="safe", pure=True)
    writer.default_flow_style, writer.allow_unicode = flow, True
    stream = StringIO()
    writer.dump(data, stream)
    assert read(stream.getvalue()) == data


# --- what is refused -------------------------------------------------------------------------------------------------


COLON = "a word that begins or ends with a colon needs quotes"
NO_PLACE = "this is not YAML: this has no place here; mind its indentation, or put the whole value in quotes"
REFUSED = [
    ("nodes: {a: {gateway6: fd00::}}", f"f:1:28: {COLON}"),
    ("{a: fd00:: }", f"f:1:10: {COLON}"),
    ("{a: ::1}", f"f:1:5: {COLON}"),
    ("[::]", f"f:1:2: {COLON}"),
    ("gateway6: fd00::\na: b", f"f:1:16: {COLON}"),
    ("[b:]", f"f:1:3: {COLON}"),
    ("{a :}", f"f:1:4: {COLON}"),
    ("a: &b:c d", "f:1:4: put a space between &b and `:`"),
    ("a: &b c\nd: *b%c", "f:2:4: put a space between *b and `%`"),
    ("a: &é b", "f:1:5: the name of an anchor has A to Z, digits, - and _ only"),
    ("a: &b.c d", "f:1:6: the name of an anchor has A to Z, digits, - and _ only"),
    ("a:\n  x\u2028y", "f:2:4: the invisible U+2028 ends a line for some programs and not for others; leave it out"),
    ("a: 'x\x85'", "f:1:6: the invisible U+0085 ends a line for some programs and not for others; leave it out"),
    ("\ufeffa: b\n\ufeffc: d", "f:2:1: the invisible U+FEFF marks the beginning of a file; leave it out here"),
    ("a:\r\nb: \x00", "f:2:4: a character that YAML does not allow"),
    ("a: \ud800", "f:1:4: a character that YAML does not allow"),
    ("? \n: b", "a key is missing here"),
    ("{? : b}", "a key is missing here"),
    ("{: b}", "f:1:2: this is not YAML: a value is missing before :"),
    ("%YAML 1.1\n---\na: b", "f:1:1: the file is YAML 1.2; leave this line out"),
    ("%TAG !e! tag:x,2000:\n---\na: b", "f:1:1: tags have no meaning here; leave this line out"),
    ("a: !b c", "f:1:4: the tag !b has no meaning here; leave it out"),
    ("a\n---\nb", "f:2:1: a second document begins here; the file holds one"),
    ("\ta: b", "f:1:1: a tab: YAML is indented with spaces only"),
    ("a:\n  b: c\n\td: e", "f:3:1: a tab: YAML is indented with spaces only"),
    ("a: 'b' c", f"f:1:8: {NO_PLACE}"),
    ("a:\n  b: 1\n c: 2", f"f:3:2: {NO_PLACE}"),
    ("- a\nb: c", f"f:2:1: {NO_PLACE}"),
    ("a: [b] c", f"f:1:8: {NO_PLACE}"),
    ("'a' b", f"f:1:5: {NO_PLACE}"),
    ("{a: b", "f:1:6: this is not YAML: expected ',' or '}'"),
    ("[a", "f:1:3: this is not YAML: expected ',' or ']'"),
    ("a: [b,, c]", "f:1:7: this is not YAML: a value is missing before ,"),
    ("{", "f:1:2: this is not YAML: a value is missing before the end"),
    ("a: @b", "f:1:4: a word that begins with @ needs quotes"),
    ("a: >b", "f:1:5: a text that begins with | or > needs quotes"),
    ("a: - b", "f:1:4: this is not YAML: no list can begin here"),
    ("a: 'b", "f:1:6: this is not YAML: found unexpected end of stream"),
    ("a:\n  - b\n  c", "f:3:4: this is not YAML: could not find expected ':'"),
    ('a: "\\z"', r"in double quotes a \ is written \\, or use single quotes"),
    ('a: "\\U00110000"', "this is not YAML: an escape in double quotes stands for no character"),
    ('a: "\\UFFFFFFFF"', "this is not YAML: an escape in double quotes stands for no character"),
    ("[" * 100_000, f"this is nested deeper than {DEEPEST} levels; a network file needs five"),
]


@pytest.mark.parametrize(("text", "message"), REFUSED, ids=[repr(text)[:60] for text, _ in REFUSED])
def test_what_is_no_yaml_or_not_the_same_to_all_is_refused(parser: str, text: str, message: str) -> None:
    """With what to write instead, where that is known; where it stands, and by either parser in the same words."""
    assert message in refusal(text), parser


@pytest.mark.parametrize("text", [text for text, _ in WRONG])
def test_nobody_sees_which_parser_was_there(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is wrong with a file is the same to both."""
    told = []
    for each in PARSERS:
        monkeypatch.setattr(events, "PARSER", each)
        told.append(examine(text, "f"))
    assert told[0] == told[1]
