"""A plan as Markdown, for the comment of a pull request or the summary of a job: whom it affects on top, a node folded.

Whatever is not ours stands in code, as HTML or in a fence: there no forge makes a link, a mention or a tag of it.
"""

from __future__ import annotations

import re
from itertools import groupby
from string import punctuation
from typing import TYPE_CHECKING, Any

from pvenet.foreign import harmless, one_line
from pvenet.impact import Effect
from pvenet.render.impact import RUNNING
from pvenet.render.saved_plan import impact_of, remarks, risky_step
from pvenet.render.values import counted, plain

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from pvenet.errors import PvenetError
    from pvenet.impact import GuestImpact

LONGEST = 60_000
"""Characters. A comment on GitHub takes 65536, and has to have room for what a pipeline puts around it."""
WIDTH = 120
"""Where long lists of guests are folded, in a block that scrolls."""
LONG = 200
"""Characters of a name or a sentence within a line."""
FEW = 5
"""Guests of a node that are named on top; beneath, with the node, they all are."""
_LAST = 100
"""Characters that are kept for the word about those that do not fit."""
_ACTIONS = {"create": "create", "update": "change", "delete": "delete"}
_PLAIN = "-,.()/%+=?"
_ESCAPES = {ord(letter): f"&#{ord(letter)};" for letter in punctuation if letter not in _PLAIN}
_WWW = re.compile(r"(?i)(?<=ww)w(?=\.)")
"""Of what forges make a link without any sign."""


def plan_markdown(
    data: Mapping[str, Any], warnings: Sequence[str] = (), *, drift: bool = False, longest: int = LONGEST
) -> str:
    """What `plan --json` prints, or a saved plan, as Markdown. `warnings`: what is worth a second look in the file.

    `drift`: it is what `drift --json` prints. What would make it longer than `longest` is counted. Raises KeyError,
    TypeError, AttributeError or ValueError for what `plan -o` does not write.
    """
    nodes, failed = data["nodes"], data.get("errors", {})
    word = "drift" if drift else "plan"
    parts = [f"### pvenet {word}: {_counts(nodes, every=len(nodes) + len(failed))}", _origin(data)]
    parts += _top(nodes, failed, longest)
    if warnings:
        parts.append(f"**Worth a second look**\n\n{_block('text', _some(warnings, longest // 8, 'warning'))}")
    room = longest - sum(len(part) + 2 for part in parts)
    return "\n\n".join([*parts, *_some([_node(node) for node in nodes if _tells(node)], room, "node")])


def failed_markdown(error: PvenetError) -> str:
    """What stands there where there is no plan."""
    hint = [f"\nhint: {error.hint}"] if error.hint else []
    return f"### pvenet has no plan\n\n{_block('text', [error.message, *hint])}"


def code(text: str) -> str:
    """A text of others within a line, as it is, and as nothing else; the beginning of a long one."""
    cut = one_line(text if len(text) <= LONG else f"{text[: LONG - 3]}...")
    return f"<code>{_WWW.sub(lambda found: f'&#{ord(found[0])};', cut.translate(_ESCAPES))}</code>"


# --- on top ----------------------------------------------------------------------------------------------------------


def _counts(nodes: Sequence[Mapping[str, Any]], *, every: int) -> str:
    touched = [node for node in nodes if node["steps"]]
    if not touched:
        return "no changes" if every == len(nodes) else "no changes on those nodes that could be read"
    return f"{_counted(touched)} on {len(touched)} of {counted(every, 'node')}"


def _counted(nodes: Iterable[Mapping[str, Any]]) -> str:
    """`2 to create, 3 to change, 0 to delete`: interfaces, each once also where it takes two steps."""
    steps = {(node["node"], step["action"], step["name"]) for node in nodes for step in node["steps"]}
    return ", ".join(f"{sum(each[1] == action for each in steps)} to {word}" for action, word in _ACTIONS.items())


def _origin(data: Mapping[str, Any]) -> str:
    if "made" not in data:
        return f"What {code(data['file'])} would change on the nodes as they are now. Nothing was sent."
    # whoever reads a comment is in any zone
    when = f"{data['made']}".replace("T", " ").partition(".")[0]
    return f"Made from {code(data['file'])} at {code(f'{when} UTC')}, with the nodes as they were then."


def _top(nodes: Sequence[Mapping[str, Any]], failed: Mapping[str, str], longest: int) -> Iterator[str]:
    """Whom it hits, what an apply asks for, and which nodes are not among them."""
    live = [node for node in nodes if node["steps"] or node["staged"]]
    if live:
        rows = [f"| {code(node['node'])} | {_to_do(node)} | {_risk(node)} | {_hit(node)} |" for node in live]
        first, *rest = _some(rows, longest // 3, "node")
        yield "\n".join(["| node | to do | risk | whom it affects |", "|---|---|---|---|", first, *rest])
    if options := _asks_for(live):
        *most, last = (f"`{option}`" for option in options)
        yield f"An apply needs {' and '.join([', '.join(most), last] if most else [last])}."
    if failed:
        lines = [f"- {code(name)}: {code(message)}" for name, message in failed.items()]
        yield "**Not read, so not planned**\n\n" + "\n".join(_some(lines, longest // 8, "node"))
    if same := [code(node["node"]) for node in nodes if not _tells(node)]:
        yield f"No changes: {', '.join(_some(same, longest // 8, 'node'))}"


def _risk(node: Mapping[str, Any]) -> str:
    return {"management": "**management**", "guests": "guests"}.get(node["risk"], "none")


def _to_do(node: Mapping[str, Any]) -> str:
    more = ", and what is staged already" if node["staged"] else ""
    return f"{_counted([node])}{more}"


def _hit(node: Mapping[str, Any]) -> str:
    """Those who lose something, the worst first; beneath the table stands how."""
    found = impact_of(node["impact"])
    lines = ["the management path"] if node.get("management") else []
    cards = sorted((card for bridge in found.hit for card in bridge.guests), key=lambda card: card.effect, reverse=True)
    for effect, group in groupby(cards, key=lambda card: card.effect):
        if effect > Effect.UNTOUCHED:
            lines += _guests(str(effect), list(group))
    lines += [f"{each.effect}: link {each.link.number} of the cluster" for each in found.links_hit]
    lines += [f"not known: {code(each.what)}" for each in found.unknown]
    return ";<br>".join(lines) or "nobody"


def _guests(effect: str, cards: Sequence[GuestImpact]) -> Iterator[str]:
    """`cut: 101 web, 102 db (running)`, each guest once."""
    for running, word in RUNNING.items():
        names = dict.fromkeys(f"{card.vmid} {card.name}".rstrip() for card in cards if card.running is running)
        if names:
            more = f" and {len(names) - FEW} more" if len(names) > FEW else ""
            yield f"{effect}: {', '.join(map(code, list(names)[:FEW]))}{more} ({word})"


def _asks_for(nodes: Sequence[Mapping[str, Any]]) -> list[str]:
    """The options without which an apply of this is refused."""
    cut = sorted({vmid for node in nodes for vmid in node["impact"]["guests_cut"]})
    asked = {
        "--allow-management": any(node.get("management") or node["risk"] == "management" for node in nodes),
        f"--allow-guests {','.join(map(str, cut))}": bool(cut),
        "--lossy": any(node["losses"] for node in nodes),
        "--adopt": any(node["pending"] and not node["ours"] and node["steps"] for node in nodes),
    }
    return [option for option, wanted in asked.items() if wanted]


# --- a node ----------------------------------------------------------------------------------------------------------


def _tells(node: Mapping[str, Any]) -> bool:
    return bool(node["steps"] or node["pending"] or node["kept"])


def _node(node: Mapping[str, Any]) -> str:
    """A node's steps as a diff, and what is worth knowing before, beneath a line that unfolds them."""
    parts = [_block("diff", [risky_step(step, plain) for step in node["steps"]])] if node["steps"] else []
    if node["staged"]:
        steps = [risky_step(step, plain) for step in node["staged"]]
        parts += ["Staged there already, from here:", _block("diff", steps)]
    elif node["pending"] and not node["ours"]:
        parts += ["Pending there, not staged from here:", _block("diff", f"{node['changes']}".split("\n"))]
    elif node["armed"]:
        parts += ["The way back of an apply that was armed is pending there: `pvenet status` says what to do."]
    elif node["pending"]:
        parts += ["Pending there already, from here, is what changes no interface: `pvenet diff` shows it."]
    if said := list(remarks(node, WIDTH)):
        parts.append(_block("text", said))
    title = f"{code(node['node'])}: {_to_do(node)}" if node["steps"] else code(node["node"])
    return "\n\n".join([f"<details>\n<summary>{title}</summary>", *parts, "</details>"])


def _block(language: str, lines: Iterable[str]) -> str:
    """Lines in a fence that none of them can end."""
    text = harmless("\n".join(lines)).strip("\n")
    fence = "`" * max([3, *(len(run) + 1 for run in re.findall("`+", text))])
    return f"{fence}{language}\n{text}\n{fence}"


def _some(parts: Sequence[str], room: int, what: str) -> list[str]:
    """Those that fit, and how many there are besides."""
    room -= _LAST
    for count, part in enumerate(parts):
        room -= len(part) + 2
        if room < 0:
            left = counted(len(parts) - count, f"more {what}")
            return [*parts[:count], f"and {left} for which there is no room here: the job's log has all"]
    return list(parts)
