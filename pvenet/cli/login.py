"""`pvenet login` and `pvenet logout`: a profile of a real node, and an end to it."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import typer

from pvenet import errors
from pvenet.cli.completion import fixed, one, profiles
from pvenet.cli.context import Context
from pvenet.cli.options import command, only
from pvenet.settings import Options

if TYPE_CHECKING:
    from pvenet.login.options import LoginOptions
    from pvenet.login.plan import Step
    from pvenet.login.rights import Scope


def register(app: typer.Typer) -> None:
    """Add the commands to the application."""
    common = only("endpoint", "node", "profile", "sim", "fault", "insecure")
    app.command()(command(login, common=common))
    app.command()(command(logout, common=only("profile")))


def login(
    context: Context,
    *,
    place: str = typer.Argument("", metavar="[URL]", help="The node: its name, its address, or https://HOST:8006."),
    name: str = typer.Option(
        "", help="The profile's name; by default the host's.", metavar="NAME", autocompletion=one(profiles)
    ),
    user: str = typer.Option(
        "",
        help="The user who creates the token, with a password (asked for, or PVENET_PASSWORD).",
        metavar="USER@REALM",
    ),
    token_id: str = typer.Option("", help="An existing token.", metavar="USER@REALM!NAME"),
    token_file: str = typer.Option("", help="A file with its secret.", metavar="FILE"),
    token_command: str = typer.Option("", help="A command that prints its secret.", metavar="COMMAND"),
    token_keyring: str = typer.Option("", help="The service under which the keyring has its secret.", metavar="NAME"),
    token_name: str = typer.Option("", help="The name of a new token; by default this machine's.", metavar="NAME"),
    read_only: bool = typer.Option(False, "--read-only", help="A token that can only read."),
    full: bool = typer.Option(False, "--full", help="Also allow naming affected guests and holding the SDN lock."),
    store: str = typer.Option(
        "",
        help="Where to keep the secret; by default the keyring, if there is one.",
        metavar="keyring|file",
        autocompletion=one(fixed("keyring", "file")),
    ),
    fingerprint: str = typer.Option(
        "", help="The SHA-256 fingerprint that the node's certificate must have.", metavar="AA:BB:..."
    ),
    accept_changed: str = typer.Option(
        "", help="The SHA-256 fingerprint of a certificate that has replaced the pinned one.", metavar="AA:BB:..."
    ),
    print_: bool = typer.Option(False, "--print", help="Print the pveum commands that do the same, and do nothing."),
    yes: bool = typer.Option(
        False, "--yes", "-y", help="Don't ask: pin an unknown certificate as shown, create what is missing."
    ),
) -> None:
    """Make a profile for a real node, with a token of least rights.

    It asks for what is missing. Run again, it repairs what is missing on the node.

    $ pvenet login 192.0.2.11
    $ pvenet login pve1.example.org --read-only
    """
    from pvenet.login.options import LoginOptions

    options = LoginOptions(
        place=_place(context, place),
        name=name or context.options.profile or "",
        user=user,
        token_id=token_id,
        token_file=token_file,
        token_command=token_command,
        token_keyring=token_keyring,
        token_name=token_name,
        fingerprint=fingerprint,
        accept_changed=accept_changed,
        scope=_scope(read_only=read_only, full=full),
        nodes=_nodes(context),
        store=_store(store),
        faults=context.options.fault,
    )
    if print_:
        _print(context, options)
    else:
        _log_in(context, options, yes=yes)


def logout(
    context: Context,
    *,
    name: str = typer.Argument(
        "", metavar="[PROFILE]", help="The profile; by default the only one.", autocompletion=one(profiles)
    ),
    user: str = typer.Option(
        "", help="Also remove its token on the node, as this user with a password.", metavar="USER@REALM"
    ),
) -> None:
    """Forget a profile and its secret.

    It also says how to remove the token on the node.

    $ pvenet logout pve1
    """
    from pvenet.cli.dialog import Dialog
    from pvenet.login.session import log_out
    from pvenet.render.login import logged_out_data, logged_out_text

    talk = Dialog(yes=False, json=context.options.json, debug=context.debug)
    done = log_out(name or context.options.profile or "", os.environ, talk, user=user)
    text, note = logged_out_text(done)
    context.emit_done(logged_out_data(done), text, note=note)


def _place(context: Context, place: str) -> str:
    """The one place that was named, by argument or by the options that every command has."""
    options = context.options
    named = [each for each in (place, *options.endpoint, f"sim:{options.sim}" if options.sim else "") if each]
    if len(named) > 1:
        raise errors.UsageError(f"{' and '.join(named)} are more than one place", hint="log in to one at a time")
    if options.insecure:
        raise errors.UsageError(
            "a login without checking the certificate gives the password away", hint="leave --insecure out"
        )
    return named[0] if named else f"sim:{sim}" if (sim := os.environ.get("PVENET_SIM")) else ""


def _scope(*, read_only: bool, full: bool) -> Scope:
    if read_only and full:
        raise errors.UsageError("--read-only and --full are two different tokens", hint="leave one of them out")
    return "read-only" if read_only else "full" if full else "change"


def _store(text: str) -> Any:
    if text not in ("", "keyring", "file"):
        hint = errors.did_you_mean(text, ("keyring", "file"), otherwise="--store keyring, or --store file")
        raise errors.UsageError(f"a secret can't be kept in {text!r}", hint=hint)
    return text


def _nodes(context: Context) -> tuple[str, ...]:
    from pvenet.settings.read import node_names

    return node_names(context.options.node or "")


def _print(context: Context, options: LoginOptions) -> None:
    from pvenet.login.plan import Found, steps
    from pvenet.login.session import wanted
    from pvenet.render.login import pveum_text

    todo: tuple[Step, ...] = steps(wanted(options), Found(), secret=True)
    context.emit({"pveum": [step.line for step in todo]}, pveum_text(todo), depth=None)


def _log_in(context: Context, options: LoginOptions, *, yes: bool) -> None:
    from pvenet.cli.dialog import Dialog
    from pvenet.login.session import log_in
    from pvenet.render.login import lacking_text, logged_in_data, logged_in_text
    from pvenet.settings.profiles import only_profile

    talk = Dialog(yes=yes, json=context.options.json, debug=context.debug)
    try:
        done = log_in(options, os.environ, talk)
    except KeyboardInterrupt:
        context.say("")
        raise errors.Interrupted(
            "interrupted; nothing was written" if not talk.steps else "interrupted; a part was created on the node",
            hint="run it again: it goes on with what is missing",
        ) from None
    for right in done.lacking:
        context.warn(lacking_text(right))
    data = logged_in_data(done)
    if context.options.json:
        context.emit_done(data)
        return
    context.say(logged_in_text(done))
    if only_profile(os.environ) != done.name:
        context.say(f"use it with --profile {done.name}, or PVENET_PROFILE={done.name}")
    _list(context, done.name)


def _list(context: Context, name: str) -> None:
    """What `pvenet list` says with the new profile; of the node that answers, where there are more."""
    from pvenet.cli.listing import list_
    from pvenet.cluster import answering, names

    options = Options(profile=name, debug=context.options.debug, fault=context.options.fault)
    with Context(options) as first:
        known = names(first.connection)
        if not first.settings.node and len(known) > 1:
            shown = answering(first.connection) or known[0]
            context.say(f"its nodes: {', '.join(known)}; --node NAME chooses one, and this is {shown}")
            options = Options(node=shown).over(options)
    context.say("")
    with Context(options) as second:
        list_(second)
