"""The words of `pvenet apply` that take a moment to understand: what it is verified by, whom it may cut, ..."""

from __future__ import annotations

import shlex
import shutil
from typing import TYPE_CHECKING

from pvenet import errors
from pvenet.cli.options import empty, words

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pvenet.apply.kernel import Verify
    from pvenet.apply.options import ApplyOptions
    from pvenet.cli.context import Context
    from pvenet.events import OnFailure
    from pvenet.impact import AllowedGuests
    from pvenet.kernel.judgement import Require


def allowed_guests(given: list[str]) -> AllowedGuests:
    """The guests that may be cut. Raises UsageError for what is no number of one."""
    from pvenet.impact import AllowedGuests

    found = words(given, option="--allow-guests") or ()
    wrong = [word for word in found if word != "all" and not (word.isascii() and word.isdecimal())]
    if wrong:
        raise errors.UsageError(
            f"--allow-guests: {wrong[0]} is not a guest ID", hint="name guests as in 101,102, or write all"
        )
    return AllowedGuests(everyone="all" in found, vmids=frozenset(int(word) for word in found if word != "all"))


def verify_by(context: Context, word: str | None = None, *, wait: bool = True) -> Verify:
    """What an apply is verified by: the option's word, or the setting's. Raises UsageError for another."""
    from pvenet.apply.kernel import Verify

    said = "--verify" if word is not None else "PVENET_VERIFY or the profile's `verify`"
    word = (word if word is not None else context.settings.verify).strip()
    if word == "" and said == "--verify":
        raise empty("--verify")
    try:
        found = Verify(word or Verify.AUTO)
    except ValueError:
        raise errors.UsageError(
            f"{said} is {word}, but must be auto, kernel or flags", hint=_meant(word, Verify)
        ) from None
    if found is Verify.KERNEL and not wait:
        raise errors.UsageError("with --no-wait nothing asks the kernel", hint="leave out --no-wait, or --verify")
    return found


def required(given: list[str], *, wait: bool) -> frozenset[Require]:
    from pvenet.kernel.judgement import Require

    found = words(given, option="--require") or ()
    if found and not wait:
        raise errors.UsageError("with --no-wait nothing checks what is required", hint="leave one of them out")
    try:
        return frozenset(map(Require, found))
    except ValueError as error:
        raise errors.UsageError(
            f"--require: {error.args[0].split(' ')[0]} must be lacp or carrier",
            hint=_meant(next(word for word in found if word not in list(Require)), Require),
        ) from None


def on_failure_by(word: str) -> OnFailure:
    # not Typer's choice of an enum, which would have every command load the events
    from pvenet.events import OnFailure

    if not word.strip():
        raise empty("--on-failure")
    try:
        return OnFailure(word)
    except ValueError:
        raise errors.UsageError(f"--on-failure {word} must be rollback or keep", hint=_meant(word, OnFailure)) from None


def _meant(word: str, words: Iterable[str]) -> str:
    return errors.did_you_mean(word, words, otherwise="`pvenet apply --help` explains them")


def verify_with(context: Context, given: str | None, *, wait: bool) -> tuple[str, ...]:
    """The command that has the last word, in words. Raises UsageError for one that can't be run."""
    said = "--verify-with" if given is not None else "PVENET_VERIFY_WITH or the profile's `verify_with`"
    text = given if given is not None else context.settings.verify_with
    if given is not None and not given.strip():
        raise empty("--verify-with")
    try:
        found = tuple(shlex.split(text))
    except ValueError as error:
        raise errors.UsageError(f"{said} is not a command: {error}", hint="quote it as for a shell") from None
    if found and shutil.which(found[0]) is None:
        raise errors.UsageError(f"{said}: there is no program {found[0]}", hint="it is run without a shell")
    if found and given is not None and not wait:
        raise errors.UsageError("with --no-wait nothing runs --verify-with", hint="leave one of them out")
    if found and not wait:
        context.warn(f"`{text}` is not run: with --no-wait nothing would act on its result")
    return found if wait else ()


def refuse_reloading(options: ApplyOptions, *, stage_only: bool, canary: bool, named: bool) -> None:
    """Raises UsageError for what goes with a reload, where --stage-only leaves nothing to reload."""
    if not stage_only:
        return
    if not named:
        raise errors.UsageError(
            "--stage-only goes with -f FILE or a saved plan; what is pending is staged already", hint="leave it out"
        )
    said = {
        "--no-wait": not options.wait,
        "--confirm-within": options.confirm_within is not None,
        "--arm": options.arm,
        "--update-hosts": options.update_hosts,
        "--require": bool(options.require),
        "--canary": canary,
    }
    useless = [option for option, given in said.items() if given]
    if useless:
        raise errors.UsageError(
            f"{', '.join(useless)} applies to a reload, and --stage-only does not reload", hint="leave one of them out"
        )


def holds_sdn_lock(context: Context, option: bool | None, *, wait: bool = True) -> bool:
    """Whether the cluster's SDN lock shall be held: the option's word, or the setting's. Raises UsageError."""
    if option and not wait:
        raise errors.UsageError(
            "with --no-wait nothing holds the SDN lock until the verdict", hint="leave one of them out"
        )
    if option is not None:
        return option
    found = SWITCHES.get(context.settings.sdn_lock.strip().lower())
    if found is None:
        raise errors.UsageError(
            f"PVENET_SDN_LOCK or the profile's `sdn_lock` is {context.settings.sdn_lock}, but must be true or false",
            hint="correct it there, or use --sdn-lock or --no-sdn-lock",
        )
    if found and not wait:
        context.warn("the SDN lock is not taken: with --no-wait nothing holds it until the verdict")
    return found and wait


SWITCHES = {"": False, "true": True, "false": False, "1": True, "0": False, "yes": True, "no": False}
"""What a setting says that is on or off."""
