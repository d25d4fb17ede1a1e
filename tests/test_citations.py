"""What the code cites of PVE stands in fixtures/pve-api.md, and what stands there was recorded."""

from __future__ import annotations

import json
import re
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parent.parent
FACTS = ROOT / "fixtures" / "pve-api.md"
CITED = re.compile(r"pve-api(?:\.md)?#(?P<anchor>[\w.-]*\w)")
ANCHOR = re.compile(r'<a id="([^"]*)"></a>')
EXCHANGE = re.compile(r"\b[A-EGHI]\d{3}\b")
PLACEHOLDER = "ANCHOR"
"""Stands in texts that say how to cite."""
ELSEWHERE = (
    r"\bfacts(\.md)?,? (sections? )?\d",
    r"\bfacts-(kernel|files)\b",
    r"\bdesign(\.md)?,? (sections? )?\d",
    r"\(section \d+\)",
    r"\bissues? #?\d",
)
"""How documents were cited that are not in the repository, whatever the case and the line breaks."""


def texts() -> Iterator[tuple[Path, str]]:
    """Whatever may cite: code, tests, scripts and documents."""
    places = [path for top in ("pvenet", "tests", "scripts") for path in (ROOT / top).rglob("*")]
    for path in sorted([*places, *ROOT.glob("*.md"), *(ROOT / "fixtures").glob("*.md")]):
        if path.is_file() and "__pycache__" not in path.parts and path != Path(__file__):
            yield path, path.read_text(encoding="utf-8", errors="replace")


@pytest.fixture(scope="module")
def facts() -> str:
    return FACTS.read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def anchors(facts: str) -> list[str]:
    return ANCHOR.findall(facts)


def test_each_citation_has_its_fact(anchors: list[str]) -> None:
    """`pve-api#ANCHOR` names an anchor of fixtures/pve-api.md, wherever it stands."""
    known = {*anchors, PLACEHOLDER}
    cited = [(path, found["anchor"]) for path, text in texts() for found in CITED.finditer(text)]
    assert cited
    assert [f"{path.relative_to(ROOT)}: {anchor}" for path, anchor in cited if anchor not in known] == []


def test_no_anchor_stands_twice(anchors: list[str]) -> None:
    """A citation means one fact."""
    assert [anchor for anchor, times in Counter(anchors).items() if times > 1] == []


def test_anchors_can_be_cited(anchors: list[str]) -> None:
    """They are made of lower-case letters, digits, dashes and dots, with no dot or dash at an end."""
    assert [anchor for anchor in anchors if not re.fullmatch(r"[a-z0-9]+([.-][a-z0-9]+)*", anchor)] == []


def test_links_among_the_facts_lead_to_a_fact(facts: str, anchors: list[str]) -> None:
    """`[words](#anchor)` within the document, its contents included."""
    assert set(re.findall(r"\]\(#([^)]*)\)", facts)) - set(anchors) == set()


def test_each_exchange_that_shows_a_fact_is_recorded(facts: str) -> None:
    """C019 and the like are names in fixtures/exchanges."""
    recorded = {
        json.loads(line)["name"].partition("-")[0]
        for path in (ROOT / "fixtures" / "exchanges").glob("*.jsonl")
        for line in path.read_text(encoding="utf-8").splitlines()
    }
    assert set(EXCHANGE.findall(facts)) - recorded == set()


@pytest.mark.parametrize("form", ELSEWHERE)
def test_no_document_is_cited_that_is_not_here(form: str) -> None:
    """A reader of this repository finds what it names."""
    found = [
        f"{path.relative_to(ROOT)}: {match[0]}"
        for path, text in texts()
        for match in re.finditer(form, re.sub(r"\s+(# )?", " ", text), re.IGNORECASE)
    ]
    assert found == []
