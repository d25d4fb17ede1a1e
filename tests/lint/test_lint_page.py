"""`pvenet help lint-rules`: each rule with its reason and an example, from its docstring; and each example is one."""

from __future__ import annotations

import os
from textwrap import fill
from typing import TYPE_CHECKING

import documents
import pytest

from pvenet.lint import RULES, Nodes, Rule, find
from pvenet.model import Link, Network
from pvenet.model.cluster import ClusterLink
from pvenet.spec.desired import merged
from pvenet.spec.linting import lint_file
from pvenet.spec.load import examine
from pvenet.spec.network_spec import InterfaceSpec

if TYPE_CHECKING:
    from collections.abc import Mapping

HEAD = "## The rules\n"
LINKS = tuple(
    ClusterLink(node="pve1", number=number, address=ip, ip=ip) for number, ip in enumerate(("10.0.1.1", "10.0.2.1"))
)
LIVE: Mapping[str, dict[str, object]] = {"corosync-cable": {"cluster_links": LINKS}, "missing-nic": {}}
"""The rules that a file alone can't be held to, and what the comment of their example says."""


def section(rule: Rule) -> str:
    about = fill(f"{rule.summary} {rule.reason}", 118, break_on_hyphens=False, break_long_words=False)
    return f"\n### {rule.name}\n\n{about}\n\n```yaml\n{rule.example}```\n"


def test_the_page_has_every_rule() -> None:
    """All that stands beneath its last heading is made of the docstrings."""
    page = documents.page("lint-rules")
    written, head, _ = documents.text_of(page).partition(HEAD)
    made = f"{written}{head}{''.join(map(section, RULES.values()))}"
    if os.environ.get("UPDATE"):
        page.write_text(made, encoding="utf8")
    assert head
    assert documents.text_of(page) == made


@pytest.mark.parametrize("rule", RULES.values(), ids=lambda rule: rule.name)
def test_the_example_of_a_rule_is_found_by_it_alone(rule: Rule) -> None:
    """The rule finds something in it, and no other does."""
    spec, diagnostics = examine(rule.example, "f")
    assert not diagnostics
    if rule.name not in LIVE:
        assert {each.rule for each, _ in lint_file(spec).found} == {rule.name}
        return
    links = {name: Link(exists=True) for name in ("enp5s0", "enp6s0")} if rule.name == "missing-nic" else {}
    networks = {
        node: Network(
            interfaces={
                name: merged(each, None) for name, each in said.interfaces.items() if isinstance(each, InterfaceSpec)
            },
            links=links,
        )
        for node, said in spec.nodes.items()
    }
    found = find(Nodes(networks=networks, **LIVE[rule.name]))  # type: ignore[arg-type]
    assert {each.rule for each in found} == {rule.name}
    assert not lint_file(spec).found
