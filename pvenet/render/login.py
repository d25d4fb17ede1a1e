"""What a login shows: what is to be made and why, a certificate to compare, and what it came to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pvenet.foreign import one_line
from pvenet.login.plan import removal
from pvenet.render.values import aligned

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pvenet.login.options import LoggedIn, LoggedOut
    from pvenet.login.plan import Step
    from pvenet.login.rights import Right

PAIRS_A_LINE = 16


def certificate_text(place: str, fingerprint: str, compare: str) -> str:
    """A certificate that is met for the first time."""
    shown, where = "\n  ".join(fingerprint_lines(fingerprint)), compare.replace(", or", ",\nor")
    return (
        f"first contact with {place}: no CA vouches for its certificate.\n"
        f"Its SHA-256 fingerprint is\n\n  {shown}\n\n"
        f"Compare it {where}."
    )


def fingerprint_lines(fingerprint: str) -> list[str]:
    """A fingerprint in lines that the narrowest terminal has room for."""
    pairs = fingerprint.split(":")
    return [":".join(pairs[at : at + PAIRS_A_LINE]) for at in range(0, len(pairs), PAIRS_A_LINE)]


def steps_text(place: str, rights: Sequence[Right], steps: Sequence[Step]) -> str:
    """The rights with what each is for, and what is to be made there."""
    rows = [(", ".join(right.privileges), _where(right), right.purpose) for right in rights]
    made = "\n".join(f"  {one_line(text)}" for text in _texts(steps))
    table = "\n".join(f"  {line}" for line in aligned([("right", "on", "what for"), *rows]).splitlines())
    return f"pvenet needs these rights on {place}:\n{table}\nTo be created there (the password is not kept):\n{made}"


def _texts(steps: Sequence[Step]) -> list[str]:
    """A line each; what user and token both get is one."""
    whom: dict[str, list[str]] = {}
    for step in steps:
        whom.setdefault(step.text, []).append(step.whom)
    return [f"{text} for {' and '.join(those)}" if any(those) else text for text, those in whom.items()]


def _where(right: Right) -> str:
    return right.path if right.propagate else f"{right.path} alone"


def pveum_text(steps: Sequence[Step]) -> str:
    """The same as lines for the node's shell."""
    return "\n".join(step.line for step in steps)


def logged_in_text(done: LoggedIn) -> str:
    """The profile, and where its secret is."""
    return f"profile {done.name} written: {done.path}\nsecret of {one_line(done.token)}: {one_line(done.kept)}"


def lacking_text(right: Right) -> str:
    """A right that the token has not."""
    return f"the token lacks {', '.join(right.privileges)} on {_where(right)}, without which it can't {_lost(right)}"


def _lost(right: Right) -> str:
    return right.purpose if right.path != "/" else "see quorum and cluster links"


def logged_in_data(done: LoggedIn) -> dict[str, Any]:
    """The same, for programs."""
    return {
        "profile": done.name,
        "file": str(done.path),
        "endpoint": done.place,
        "fingerprint": done.fingerprint,
        "token_id": done.token,
        "secret": done.kept,
        "made": _texts(done.made),
        "rights": [_right(right) for right in done.rights],
        "lacking": [_right(right) for right in done.lacking],
    }


def _right(right: Right) -> dict[str, Any]:
    return {
        "privileges": list(right.privileges),
        "path": right.path,
        "propagate": right.propagate,
        "purpose": right.purpose,
    }


def logged_out_text(done: LoggedOut) -> tuple[str, str]:
    """What was forgotten; and what is left to do, for the notes."""
    notes = [f"its secret remains in {one_line(done.left)}"] if done.left else []
    if done.token and not done.removed:
        used = (
            f", and {' and '.join(done.others)} {'use' if len(done.others) > 1 else 'uses'} it" if done.others else ""
        )
        how = "to remove it all the same, on the node, as root" if used else "on the node, as root"
        notes.append(f"the token is still there{used}; {how}:\n  {one_line(removal(done.token))}")
    there = f"; the token {one_line(done.token)} was removed there" if done.removed else ""
    return f"profile {done.name} removed{there}", "\n".join(notes)


def logged_out_data(done: LoggedOut) -> dict[str, Any]:
    """The same, for programs."""
    line = removal(done.token) if done.token and not done.removed else None
    return {"profile": done.name, "token_id": done.token or None, "removed": done.removed, "remove_with": line}
