"""Messages in the words of whoever reads them: an option of the command line, or a variable, by its parameter's name.

Pure.
"""

from __future__ import annotations

import re

from pvenet.foreign import harmless

_CHOSEN = re.compile(r"--allow-guests (?P<guests>\d[\d,]*)")
_NEXT = re.compile(r"(--[\w-]+(?: \d[\d,]*)?) (?=--)")
"""One of several options of a command line, which are a list elsewhere."""
_OPTION = re.compile(
    r"--(?P<name>allow-management|adopt|lossy|update-hosts|allow-guests|timeout|state-dir|node|verify-with|verify"
    r"|on-failure|sdn-lock|profile|arm|confirm-within|endpoint|sim)\b(?!-)"
    r"(?P<variable> or PVENET_\w+| \(PVENET_\w+\))?"
)
VARIABLES = {
    "PVENET_ENDPOINT": "api_host",
    "PVENET_SIM": "sim",
    "PVENET_NODE": "node",
    "PVENET_STATE_DIR": "state_dir",
    "PVENET_PROFILE": "profile",
    "PVENET_TOKEN_ID": "api_token_id",
    "PVENET_TOKEN_SECRET": "api_token_secret",
    "PVENET_TOKEN_FILE": "api_token_file",
    "PVENET_USER": "api_user",
    "PVENET_PASSWORD": "api_password",
    "PVENET_CA_FILE": "ca_path",
    "PVENET_FINGERPRINT": "fingerprint",
}
"""The parameter that says what a variable of the environment says, and wins over it."""
_VARIABLE = re.compile(rf"(?:export )?\b(?P<name>{'|'.join(VARIABLES)})\b(?P<value>=)?")
_OTHERS = {"--insecure": "validate_certs: false", "with -f": "with `file`"}
_OTHER = re.compile(rf"(?:{'|'.join(_OTHERS)})(?![\w-])")
_SWITCHES = frozenset({"allow-management", "adopt", "lossy", "update-hosts", "arm", "sdn-lock"})


def said(text: str) -> str:
    """A text that may hold foreign words, made harmless, with parameters for options.

    What stands between backticks is a command, and stays one.
    """
    parts = harmless(text).split("`")
    return "`".join(part if number % 2 else _spelled(part) for number, part in enumerate(parts))


def _spelled(text: str) -> str:
    text = _NEXT.sub(r"\1, ", text)
    text = _CHOSEN.sub(lambda found: f"allow_guests: [{', '.join(found['guests'].strip(',').split(','))}]", text)
    text = _VARIABLE.sub(_named, _OPTION.sub(_parameter, text))
    return _OTHER.sub(lambda found: _OTHERS[found[0]], text)


def _parameter(found: re.Match[str]) -> str:
    name = "api_host" if found["name"] == "endpoint" else found["name"].replace("-", "_")
    return f"{name}: true" if found["name"] in _SWITCHES else name


def _named(found: re.Match[str]) -> str:
    return f"{VARIABLES[found['name']]}: " if found["value"] else VARIABLES[found["name"]]
