"""The journals of nodes: the table, one in full, and both as JSON data."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pvenet import times
from pvenet.changes import Create, Delete, change_data
from pvenet.changes.pending import PendingView
from pvenet.foreign import one_line
from pvenet.render.changes import changes_text, folded, pending_text
from pvenet.render.columns import fitted
from pvenet.render.network import network_data, table
from pvenet.render.values import aligned, briefly, text

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime, tzinfo

    from pvenet.changes import Change
    from pvenet.journal import Past
    from pvenet.render.values import Paint

_HEAD = ("no", "begun", "", "at", "rollout", "what", "how it ended")


def history_text(
    found: Sequence[Past], width: int | None, paint: Paint, *, now: datetime, zone: tzinfo | None = None
) -> str:
    """A line a journal of one node; where they began at several endpoints, each says at which."""
    several = len({past.journal.endpoint for past in found}) > 1
    rows = [
        (
            past.called if past.journal.number else past.called.partition(".")[0],
            times.local(past.journal.begun, zone),
            times.ago(past.journal.begun, now),
            past.journal.endpoint if several else "",
            past.journal.rollout,
            summary(past),
            past.ended,
        )
        for past in found
    ]
    colours = ["yellow" if past.open else "" for past in found]
    return fitted(_HEAD, rows, width, paint, wraps=("at", "what"), colours=colours)


def summary(past: Past) -> str:
    """What it was about: `create bond0, vmbr1; change ens38`."""
    kinds: dict[str, list[str]] = {"create": [], "change": [], "delete": []}
    for change in past.changes:
        kinds[_verb(change)].append(change.name)
    own = "; ".join(f"{verb} {', '.join(names)}" for verb, names in kinds.items() if names)
    if past.journal.adopted:
        return "; ".join(part for part in ("what others had staged", own) if part)
    return own or "nothing that a list shows"


def _verb(change: Change) -> str:
    return "create" if isinstance(change, Create) else "delete" if isinstance(change, Delete) else "change"


def past_text(past: Past, width: int | None, paint: Paint, *, now: datetime, zone: tzinfo | None = None) -> str:
    """One journal, the whole of it."""
    journal = past.journal
    about = [
        ("begun", times.told(journal.begun, now, zone)),
        ("at", journal.endpoint),
        ("rollout", journal.rollout),
        ("ended", past.ended),
        ("task", journal.upid or ""),
        ("journal", f"{past.path}"),
    ]
    head = paint(one_line(f"{journal.node}, journal {past.called}: {past.ended}"), "bold")
    parts = [f"{head}\n{aligned([row for row in about if row[1] and row[0] != 'ended'])}"]
    parts += [_part(_changed(past), changes_text(past.changes, paint), paint)]
    before = table(PendingView(network=journal.network), width, paint) if journal.baseline else ""
    parts += [_part("what was there before", before, paint)]
    parts += [
        _part("PVE's diff, as it was kept", pending_text(folded(past.diff, None)[0], paint) if past.diff else "", paint)
    ]
    parts += [_part("what was sent", "\n".join(_requests(past)), paint)]
    parts += [_part("of /etc/hosts", "\n".join(_hosts(past)), paint), past.todo]
    return "\n\n".join(part for part in parts if part)


def _changed(past: Past) -> str:
    if past.open:
        return "what it changes"
    return "what was staged" if past.dropped else "what was changed"


def _part(title: str, body: str, paint: Paint) -> str:
    return f"{paint(f'{title}:', 'bold')}\n{body}" if body else ""


def _requests(past: Past) -> list[str]:
    back = past.journal.back
    lines = [_request(each.method, each.path, each.form) for each in past.journal.steps]
    if back is not None and lines[back:]:
        lines[back:] = ["to go back:", *lines[back:]]
    return lines + (["a no-op that refreshes flags"] if past.journal.refreshing else [])


def _request(method: str, path: Sequence[str], form: Mapping[str, object]) -> str:
    values = " ".join(f"{key}={text(value)}" for key, value in form.items())
    return one_line(f"{method} {'/'.join(path)} {values}".rstrip())


def _hosts(past: Past) -> list[str]:
    hosts = past.journal.hosts
    lines = hosts.lines if hosts is not None else ()
    return [one_line(f"{sign} {each}") for line in lines for sign, each in (("-", line.old), ("+", line.new))]


def rollout_text(data: Mapping[str, Any], width: int | None, paint: Paint, *, now: datetime) -> str:
    """A rollout: what it was about, and how each of its nodes ended, in their order."""
    about = [
        ("begun", times.told(data["begun"], now)),
        ("ended", times.local(data["ended"]) if data["ended"] else "under way, or killed"),
        ("canary", data["canary"] or ""),
    ]
    head = paint(one_line(f"rollout {data['rollout']} of {data['file']}"), "bold")
    rows = [
        (
            each["node"],
            each["stands"].replace("_", " "),
            each["journal"] or "",
            briefly(each["node"], each["stands"], each["message"]),
        )
        for each in data["nodes"]
    ]
    table = fitted(("node", "state", "journal", ""), rows, width, paint, wraps=("journal",), cuts="")
    return f"{head}\n{aligned([row for row in about if row[1]])}\n\n{table}"


# --- JSON ------------------------------------------------------------------------------------------------------------


def row_data(past: Past) -> dict[str, Any]:
    """A journal as `history --json` gives it in its array."""
    journal = past.journal
    return {
        "node": journal.node,
        "number": journal.number or None,
        "name": journal.id,
        "begun": journal.begun,
        "endpoint": journal.endpoint,
        "state": str(journal.state),
        "open": past.open,
        "ended": past.ended,
        "what": summary(past),
        "todo": past.todo,
        "journal": str(past.path),
        "rollout": journal.rollout or None,
    }


def past_data(past: Past) -> dict[str, Any]:
    """A journal as `history show --json` gives it: a row of the array, and what is in it."""
    journal = past.journal
    return row_data(past) | {
        "upid": journal.upid,
        "adopted": journal.adopted,
        "steps": [change_data(change) for change in past.changes],
        "before": network_data(journal.network),
        "changes": past.diff or None,
        "requests": [
            {"method": each.method, "path": "/".join(each.path), "form": {**each.form}} for each in journal.steps
        ],
        "back": journal.back,
    }
