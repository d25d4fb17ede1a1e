"""Every way to fail, as a tree; each with its exit code.

    PvenetError                      1  a reason without a code of its own
    ├── ApplyFailed                     the reload or the check after it failed; the node says how far it came
    ├── Unexpected                      this machine, or pvenet itself, is at fault
    ├── JournalUnreadable               what was begun from here is not known
    ├── JournalUnwritable               what is done from here can't be kept
    ├── UsageError                   2
    ├── InvalidNetwork               3  what was described can't be; nothing was sent
    ├── RefusedByPVE                 4  PVE said no; nothing changed
    ├── AccessError                  5
    │   ├── AuthenticationFailed
    │   └── PermissionMissing
    ├── Unreachable                  6
    │   ├── Untrusted                   the certificate is not the one to trust
    │   └── NotPVE                      something answers, but not as PVE does
    ├── RefusedByPvenet              7  going on could cost something; the hint names the way
    │   ├── NotOurs                     pending changes that pvenet did not stage
    │   ├── Lossy                       the API would lose what the stanza holds
    │   ├── ManagementRisk              the path to the node is touched
    │   ├── GuestRisk                   guests that run would lose their network
    │   ├── Stale                       not what was shown any more
    │   ├── NeedsConsent                a question, and nobody to ask
    │   │   └── Declined                the answer was no
    │   └── Busy                        another pvenet works on the node's journal
    ├── RolledBack                   8  failed, and put back as it was
    │   └── NotConfirmed                nobody said that it may stay
    ├── StateUnknown                 9  waiting was given up, or nobody could tell
    ├── Differences                 10  asked for with --exit-code, and there are some
    └── Interrupted                130  before the reload, and left as it was found

A message says what happened, to which interface on which node; the hint says what to do next. Neither ever holds a
secret. The classes' docstrings are the table of `pvenet help exit-codes`. A class's `kind` is its word in JSON, which
stays the same when the class is renamed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Self

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence


class PvenetError(Exception):
    """failed for a reason without a code of its own"""

    exit_code: ClassVar[int] = 1
    kind: ClassVar[str] = "failed"
    is_answer: ClassVar[bool] = False
    """It is what a person has said: nothing went wrong."""

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def with_message(self, message: str) -> Self:
        """The same error with another message."""
        other = type(self).__new__(type(self), message)
        other.__dict__.update(self.__dict__, message=message)
        return other


class ApplyFailed(PvenetError):
    """The reload's task failed, or what it should have brought up is not up."""

    kind = "apply_failed"

    def __init__(self, message: str, *, hint: str = "", log: Sequence[str] = ()) -> None:
        super().__init__(message, hint=hint)
        self.log = tuple(log)
        """The task's log, a line each."""


class Unexpected(PvenetError):
    """This machine refuses what pvenet needs, or pvenet itself is wrong: report it."""

    kind = "unexpected"


class JournalUnreadable(PvenetError):
    """The journals of a node can't be read, so what was begun from here is not known: make them readable."""

    kind = "journal_unreadable"


class JournalUnwritable(PvenetError):
    """The journal of a node can't be written; the message says what was done all the same: make room, and repeat."""

    kind = "journal_unwritable"

    def after(self, so: str) -> JournalUnwritable:
        """The same with how the node is."""
        return self.with_message(f"{self.message}; {so}")


class UsageError(PvenetError):
    """usage: the command line, or a setting, is wrong"""

    exit_code = 2
    kind = "usage"


class InvalidNetwork(PvenetError):
    """invalid: the described network can't be; nothing was sent"""

    exit_code = 3
    kind = "invalid"


class RefusedByPVE(PvenetError):
    """refused by PVE: it said no; nothing changed"""

    exit_code = 4
    kind = "refused_by_pve"

    def __init__(self, message: str, *, hint: str = "", status: int, errors: Mapping[str, str] | None = None) -> None:
        super().__init__(message, hint=hint)
        self.status = status
        self.errors = dict(errors or {})
        """PVE's texts by parameter (by PVE's names), where it named parameters."""


class AccessError(PvenetError):
    """authentication or permission"""

    exit_code = 5
    kind = "access"


class AuthenticationFailed(AccessError):
    """PVE does not accept the credentials: check the token or the password."""

    kind = "authentication"


class PermissionMissing(AccessError):
    """The credentials are good and a privilege is missing: grant it."""

    kind = "permission"

    def __init__(self, message: str, *, hint: str = "", privilege: str, path: str) -> None:
        super().__init__(message, hint=hint)
        self.privilege = privilege
        self.path = path


class Unreachable(PvenetError):
    """unreachable, or not to be trusted (TLS)"""

    exit_code = 6
    kind = "unreachable"


class Untrusted(Unreachable):
    """The endpoint's certificate is not trusted: pin the fingerprint after comparing it, or name the CA file."""

    kind = "untrusted"

    def __init__(self, message: str, *, hint: str = "", fingerprint: str | None = None) -> None:
        super().__init__(message, hint=hint)
        self.fingerprint = fingerprint
        """SHA-256 of the certificate that was seen, `AA:BB:...`, where it could be read."""


class NotPVE(Unreachable):
    """Something answers at the endpoint that does not speak PVE's API: check host and port."""

    kind = "not_pve"


class RefusedByPvenet(PvenetError):
    """refused by pvenet: pending changes that are not ours, a loss, management risk, guests cut, an open question"""

    exit_code = 7
    kind = "refused"


class NotOurs(RefusedByPvenet):
    """Pending changes that pvenet did not stage: look at them, then keep, adopt or discard them."""

    kind = "not_ours"

    def __init__(self, message: str, *, hint: str = "", changes: str) -> None:
        super().__init__(message, hint=hint)
        self.changes = changes
        """PVE's pending diff."""


class Lossy(RefusedByPvenet):
    """The API can't do the change without losing what the stanza holds: edit the file on the node, or accept it."""

    kind = "lossy"

    def __init__(self, message: str, *, hint: str = "", losses: Sequence[str]) -> None:
        super().__init__(message, hint=hint)
        self.losses = tuple(losses)


class ManagementRisk(RefusedByPvenet):
    """The change touches the path to the node: consent to that by name."""

    kind = "management_risk"


class GuestRisk(RefusedByPvenet):
    """The change cuts guests that run: consent to that by their numbers."""

    kind = "guest_risk"


class NeedsConsent(RefusedByPvenet):
    """There is a question to answer and no terminal to ask it on: answer it on the command line."""

    kind = "needs_consent"


class Declined(NeedsConsent):
    """The answer to a question was no: nothing went wrong."""

    kind = "declined"
    is_answer = True


class Stale(RefusedByPvenet):
    """What is pending changed between the showing and the reload: look again."""

    kind = "stale"


class Busy(RefusedByPvenet):
    """Another pvenet works on this node from here: wait for it."""

    kind = "busy"


class RolledBack(PvenetError):
    """failed, rolled back, and verified"""

    exit_code = 8
    kind = "rolled_back"


class NotConfirmed(RolledBack):
    """Nobody said in time that it may stay, or somebody said no: it is as it was before, as was asked."""

    kind = "not_confirmed"
    is_answer = True


class StateUnknown(PvenetError):
    """the state is unknown, or waiting was given up; what to do is printed"""

    exit_code = 9
    kind = "unknown"


class Differences(PvenetError):
    """there are differences (only where asked with `--exit-code`)"""

    exit_code = 10
    kind = "differences"


class Interrupted(PvenetError):
    """interrupted before the reload, and left as it was found"""

    exit_code = 130
    kind = "interrupted"


def nearest(
    word: str, words: Iterable[str], *, cutoff: float = 0.6, aliases: Mapping[str, str] | None = None
) -> str | None:
    """The word that was probably meant, for a hint: the most alike, in whatever case, or the only one with this part.

    `aliases`: what others call some of the words.
    """
    from difflib import get_close_matches

    known = list(words)
    if (named := (aliases or {}).get(word)) in known:
        return named
    lowered = {each.lower(): each for each in reversed(known)}
    close = get_close_matches(word.lower(), list(lowered), n=1, cutoff=cutoff)
    parts = [each for each in known if word.lower() in each.lower().split("-")]
    return lowered[close[0]] if close else parts[0] if len(parts) == 1 else None


def did_you_mean(
    word: str,
    words: Iterable[str],
    *,
    otherwise: str = "",
    shown: str = "{}",
    aliases: Mapping[str, str] | None = None,
) -> str:
    """A hint that names the word that was probably meant; else what helps otherwise.

    `shown`: how the word is written in the hint.
    """
    near = nearest(word, words, aliases=aliases)
    return f"did you mean {shown.format(near)}?" if near else otherwise


def reason(error: Exception) -> str:
    """Why something failed, in the system's words without their number and path; else in the error's own."""
    return (error.strerror if isinstance(error, OSError) else None) or f"{error}"
