"""A plan as Markdown: what a reader of the comment finds, and that nothing in it is anybody else's Markdown or HTML."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from pvenet import errors
from pvenet.foreign import one_line
from pvenet.render.markdown import code, failed_markdown, plan_markdown

if TYPE_CHECKING:
    from collections.abc import Callable

HOSTILE = [
    "</code></details><script>alert(1)</script>",
    "```\n````\n# heading\n",
    "a|b\n|---|\n| c",
    "@everyone see #1, !2 and ![x](https://example.org/x.png)",
    "[click](javascript:alert(1)) <img src=x onerror=y> &lt;b&gt;",
    "\r\n\r\n</details>\n\n**bold** ~~gone~~ \\`x\\` $$x$$",
    "\x1b[31m\u202e www.example.org http://example.org",
    "<!-- ",
    "::error::x",
]
WORDS = st.text(max_size=40) | st.sampled_from(HOSTILE) | st.text(alphabet="`*_~[]()<>|!#@&\\\n -", max_size=40)


class Outline(HTMLParser):
    """What is left of HTML without the texts in code: the tags, and our own words between them."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.seen: list[str] = []
        self.coded: list[str] = []
        self._depth = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append(f"<{tag} {attrs}>")
        self._depth += tag == "code"
        if tag == "code":
            self.coded.append("")

    def handle_endtag(self, tag: str) -> None:
        self.seen.append(f"</{tag}>")
        self._depth -= tag == "code"

    def handle_data(self, data: str) -> None:
        if self._depth:
            self.coded[-1] += data
        else:
            self.seen.append(data)

    def handle_comment(self, data: str) -> None:
        self.seen.append(f"<!--{data}")


def outline(markdown: str) -> Outline:
    """What a forge makes of a text."""
    found = Outline()
    found.feed(MarkdownIt("commonmark").enable(["table", "strikethrough"]).render(markdown))
    found.close()
    return found


def plan_of(text: Callable[[int], str]) -> dict[str, Any]:
    """A plan in which every word that may be somebody else's is this one."""
    fields = {text(1): {"before": text(2), "after": [text(3)]}}
    step = {"action": "update", "name": text(4), "type": "bridge", "fields": fields, "risk": "management"}
    guest = {"vmid": 101, "name": text(5), "index": "net0", "running": True, "pending": False, "tag": 7, "trunks": []}
    impact = {
        "bridges": [{"name": text(6), "effect": "cut", "guests": [{**guest, "effect": "cut", "why": text(7)}]}],
        "cluster_links": [],
        "management_path": {"carrier": text(8), "chain": text(9)},
        "guests_cut": [101],
        "guests_perhaps_cut": [],
        "not_known": [{"what": text(10), "why": text(11), "privilege": "", "path": "", "grants": [text(12)]}],
    }
    node = {
        "node": text(13),
        "steps": [step],
        "risk": "management",
        "not_rolled_back": [text(14)],
        "losses": [text(15)],
        "warnings": [],
        "kept": [text(16)],
        "pending": True,
        "ours": False,
        "armed": False,
        "staged": [],
        "changes": text(17),
        "impact": impact,
        "notes": [text(18)],
        "management": [{"chain": [text(19)], "reason": text(20)}],
    }
    idle = {**node, "node": text(21), "steps": [], "kept": [], "pending": False}
    counts = {"create": 0, "update": 1, "delete": 0}
    return {"file": text(22), "nodes": [node, idle], "counts": counts, "errors": {text(23): text(24)}}


@given(WORDS)
def test_foreign_text_is_code_and_nothing_else(word: str) -> None:
    """Whatever names, comments and messages hold: the tags and the words between them are those of any other plan."""
    hostile = outline(plan_markdown(plan_of(lambda number: f"{number}{word}"), [f"w{word}"]))
    plain = outline(plan_markdown(plan_of(lambda number: f"{number}"), ["w"]))
    assert hostile.seen == plain.seen
    assert {tag.split()[0] for tag in hostile.seen if tag.startswith("<")} <= {f"<{each}" for each in TAGS} | CLOSED


TAGS = [
    "h3",
    "p",
    "code",
    "table",
    "thead",
    "tbody",
    "tr",
    "th",
    "td",
    "strong",
    "br",
    "ul",
    "li",
    "pre",
    "details",
    "summary",
]
CLOSED = {f"</{each}>" for each in TAGS}


@given(WORDS)
def test_code_shows_a_text_as_it_is(word: str) -> None:
    """Readable, in a line, with what hides made visible; and no sign is left of which a forge makes a link."""
    found = outline(f"a {code(f'x{word}x')} b")
    assert found.coded == [one_line(f"x{word}x")]
    inner = code(word).removeprefix("<code>").removesuffix("</code>")
    assert not re.search(r"(?i)www\.|[:@#`*_\[\]<>|~\\$]", re.sub(r"&#\d+;", "", inner))


def test_the_top_says_whom_it_hits() -> None:
    """A reader needs to unfold nothing for that; what an apply asks for stands beneath, and the rest is folded."""
    top, _, rest = plan_markdown(plan_of(lambda number: f"n{number}")).partition("<details>")
    assert (
        "| <code>n13</code> | 0 to create, 1 to change, 0 to delete | **management** | the management path;<br>" in top
    )
    assert "cut: <code>101 n5</code> (running)" in top
    assert "An apply needs `--allow-management`, `--allow-guests 101`, `--lossy` and `--adopt`." in top
    assert "- <code>n23</code>: <code>n24</code>" in top
    assert "No changes: <code>n21</code>" in top
    assert "~ bridge n4: n1 n2 -> n3  (risk: management)" in rest
    for said in ("note: n18", "can't be rolled back: n14", "would be lost: n15", "n16", "n17"):
        assert said in rest


@pytest.mark.parametrize("longest", [4000, 20_000, 60_000])
def test_a_plan_of_many_nodes_stays_a_comment(longest: int) -> None:
    """It is no longer than a forge takes, nothing in it is cut open, and how much is missing is said."""
    one = plan_of(lambda number: f"n{number}<|`")
    nodes = [{**one["nodes"][0], "node": f"pve{number}"} for number in range(400)]
    whole = {**one, "nodes": nodes, "errors": {f"down{number}": "no answer" for number in range(400)}}
    text = plan_markdown(whole, ["w" * 50] * 400, longest=longest)
    assert len(text) <= longest
    assert re.search(r"and \d+ more nodes", text)
    seen = outline(text).seen
    for tag in ("details", "table", "pre", "code"):
        opened = sum(each.startswith(f"<{tag} ") for each in seen)
        assert opened == seen.count(f"</{tag}>")


def test_what_failed_is_markdown_too() -> None:
    """The comment says why there is no plan, and what to do."""
    text = failed_markdown(errors.Unreachable("```\npve1 does not answer\n# x", hint="ask"))
    assert [line for line in outline(text).coded[0].splitlines() if line] == [
        "```",
        "pve1 does not answer",
        "# x",
        "hint: ask",
    ]
