"""The words of `pvenet apply` that take a moment to understand: what it is verified by, whom it may cut, ..."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pvenet import errors
from pvenet.cli.options import empty, words

if TYPE_CHECKING:
    from pvenet.apply.kernel import Verify
    from pvenet.apply.options import ApplyOptions
    from pvenet.cli.context import Context
    from pvenet.events import OnFailure
    from pvenet.fleet.course import Pace
    from pvenet.impact import AllowedGuests
    from pvenet.kernel.judgement import Require


def allowed_guests(given: list[str]) -> AllowedGuests:
    """The guests that may be cut. Raises UsageError for what is no number of one."""
    from pvenet.apply.spoken import guests_of

    return guests_of(words(given, option="--allow-guests") or (), "--allow-guests")


def verify_by(context: Context, word: str | None = None, *, wait: bool = True) -> Verify:
    """What an apply is verified by: the option's word, or the setting's. Raises UsageError for another."""
    from pvenet.apply.kernel import Verify
    from pvenet.apply.spoken import verify_of

    said = "--verify" if word is not None else "PVENET_VERIFY or the profile's `verify`"
    word = (word if word is not None else context.agreed("verify")).strip()
    if word == "" and said == "--verify":
        raise empty("--verify")
    found = verify_of(word, said)
    if found is Verify.KERNEL and not wait:
        raise errors.UsageError("with --no-wait nothing asks the kernel", hint="leave out --no-wait, or --verify")
    return found


def required(given: list[str], *, wait: bool) -> frozenset[Require]:
    from pvenet.apply.spoken import required_of

    found = words(given, option="--require") or ()
    if found and not wait:
        raise errors.UsageError("with --no-wait nothing checks what is required", hint="leave one of them out")
    return required_of(found, "--require")


def on_failure_by(word: str) -> OnFailure:
    # not Typer's choice of an enum, which would have every command load the events
    from pvenet.apply.spoken import on_failure_of

    if not word.strip():
        raise empty("--on-failure")
    return on_failure_of(word, "--on-failure")


def verify_with(context: Context, given: str | None, *, wait: bool) -> tuple[str, ...]:
    """The command that has the last word, in words. Raises UsageError for one that can't be run."""
    from pvenet.apply.spoken import command_of

    said = "--verify-with" if given is not None else "PVENET_VERIFY_WITH or the profile's `verify_with`"
    text = given if given is not None else context.agreed("verify_with")
    if given is not None and not given.strip():
        raise empty("--verify-with")
    found = command_of(text, said)
    if found and given is not None and not wait:
        raise errors.UsageError("with --no-wait nothing runs --verify-with", hint="leave one of them out")
    if found and not wait:
        context.warn(f"`{text}` is not run: with --no-wait nothing would act on its result")
    return found if wait else ()


def paced(at_once: int, *, in_cluster: bool, max_failures: int, skip_unreachable: bool, canary: str) -> Pace:
    """How many nodes at once, and how far. Raises UsageError for what is no number of them."""
    from pvenet.fleet.course import Pace

    if at_once < 1:
        raise errors.UsageError(f"--parallel {at_once} is not a number of nodes", hint="1 means one after another")
    if max_failures < 0:
        raise errors.UsageError(f"--max-failures {max_failures} is not a number of nodes", hint="0 stops at the first")
    if in_cluster and at_once == 1:
        raise errors.UsageError("--parallel-in-cluster goes with --parallel", hint="say how many: --parallel 2")
    return Pace(
        at_once=at_once,
        in_cluster=in_cluster,
        max_failures=max_failures,
        skip_unreachable=skip_unreachable,
        canary=canary,
    )


def refuse_many(pace: Pace, *, lossy: bool, resume: bool) -> None:
    """Raises UsageError for what is about a file or a saved plan, where there is none."""
    said = {
        "--canary": pace.canary,
        "--lossy": lossy,
        "--parallel": pace.at_once > 1,
        "--max-failures": pace.max_failures,
        "--skip-unreachable": pace.skip_unreachable,
        "--resume": resume,
    }
    if useless := [option for option, given in said.items() if given]:
        raise errors.UsageError(f"{', '.join(useless)}: only with -f FILE or a saved plan", hint="leave it out")


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
    from pvenet.apply.spoken import switch_of

    said = "PVENET_SDN_LOCK or the profile's `sdn_lock`"
    found = switch_of(context.agreed("sdn_lock"), said, "correct it there, or use --sdn-lock or --no-sdn-lock")
    if found and not wait:
        context.warn("the SDN lock is not taken: with --no-wait nothing holds it until the verdict")
    return found and wait
