"""Messages in the words of whoever reads them: an option of the command line by its parameter's name. Pure."""

from __future__ import annotations

import re

from pvenet.render.foreign import harmless

_CHOSEN = re.compile(r"--allow-guests (?P<guests>\d[\d,]*)")
_OPTION = re.compile(
    r"--(?P<name>allow-management|adopt|lossy|update-hosts|allow-guests|timeout|state-dir|node|verify-with|verify"
    r"|on-failure|sdn-lock|profile|arm|confirm-within)\b(?!-)"
)
_SWITCHES = frozenset({"allow-management", "adopt", "lossy", "update-hosts", "arm", "sdn-lock"})


def said(text: str) -> str:
    """A text that may hold foreign words, made harmless, with parameters for options.

    What stands between backticks is a command, and stays one.
    """
    parts = harmless(text).split("`")
    return "`".join(part if number % 2 else _spelled(part) for number, part in enumerate(parts))


def _spelled(text: str) -> str:
    text = _CHOSEN.sub(lambda found: f"allow_guests: [{', '.join(found['guests'].strip(',').split(','))}]", text)
    return _OPTION.sub(_parameter, text)


def _parameter(found: re.Match[str]) -> str:
    name = found["name"].replace("-", "_")
    return f"{name}: true" if found["name"] in _SWITCHES else name
