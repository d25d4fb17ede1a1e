"""One call, one result: what was asked for is done, and whatever comes of it becomes plain data."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from pvenet import errors
from pvenet.automation.options import said
from pvenet.automation.work import Work, told
from pvenet.outcome import verdict_of
from pvenet.unexpected import unexpected

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from pvenet.automation.heard import Heard
    from pvenet.automation.parameters import Parameters


def answer(verb: str, parameters: Parameters, *, check: bool = False) -> dict[str, Any]:
    """Do it, and say what came of it: `changed`, `failed` with `msg`, `diff`, `warnings`, and what the verb has to say.

    `verb` is `interfaces`, `facts`, `apply`, `confirm` or `rollback`. Nothing in it is a secret.
    """
    work = Work(parameters=parameters, check=check)
    failure: errors.PvenetError | None = None
    try:
        _verb(verb)(work)
    except errors.PvenetError as error:
        failure = error
    except KeyboardInterrupt:
        failure = errors.Interrupted("interrupted", hint="`pvenet status` shows the state of the node")
    except Exception as error:  # noqa: BLE001 - the result says it, and never in the exception's own words
        failure = unexpected(error)
    return result_of(work, failure)


def _verb(name: str) -> Callable[[Work], None]:
    from pvenet.automation import facts, interfaces, live

    verbs: Mapping[str, Callable[[Work], None]] = {
        "interfaces": interfaces.interfaces,
        "facts": facts.facts,
        "apply": live.apply,
        "confirm": live.confirm,
        "rollback": live.rollback,
    }
    return verbs[name]


def result_of(work: Work, failure: errors.PvenetError | None) -> dict[str, Any]:
    """What came of it, as plain data."""
    heard = work.heard
    found: dict[str, Any] = {"changed": work.changed, **work.data, **heard.data()}
    node = str(work.data.get("node") or work.parameters.get("node") or "")
    found["warnings"] = list(dict.fromkeys(_of_node(node, each) for each in heard.warnings))
    if shown := heard.shown or work.diff:
        found["diff"] = {"prepared": shown.rstrip("\n") + "\n"}
    if work.refusal:
        found["would_stop"] = {"kind": work.refusal.kind, "message": said(work.refusal.message)}
    if failure is not None:
        found |= _failed(work, failure)
    return found


def _of_node(node: str, warning: str) -> str:
    """A warning that names its node: whoever reads it has those of all nodes in one heap."""
    named = not node or re.search(rf"(?<![\w.-]){re.escape(node)}(?![\w-])", warning)
    return warning if named else f"{node}: {warning}"


def _failed(work: Work, failure: errors.PvenetError) -> dict[str, Any]:
    """What went wrong: the verdict, the log's line, where the journal is, what to do."""
    heard = work.heard
    rolled_back = isinstance(failure, errors.RolledBack)
    journal = heard.end.journal if heard.end else ""
    lines = [told(failure)]
    if line := _decisive(heard, failure):
        lines.append(f"the log says: {line}")
    if journal and journal not in lines[0]:
        lines.append(f"journal: {journal}")
    return {
        "failed": True,
        "msg": "\n".join(lines),
        "changed": heard.sent and not rolled_back,
        "kind": failure.kind,
        "exit": failure.exit_code,
        "verdict": str(verdict_of(failure)),
        "message": said(failure.message),
        "hint": said(failure.hint),
        "reason": said(heard.reason),
        "rolled_back": rolled_back,
        "log": list(heard.log),
        "journal": journal,
    }


def _decisive(heard: Heard, failure: errors.PvenetError) -> str:
    """The log's line that says what was wrong, where the message has none of it."""
    said = [line.strip() for line in heard.log if line.strip()]
    telling = [line for line in said if "error" in line.lower()] or said[-1:]
    return "" if not telling or any(line in failure.message for line in said) else telling[0]
