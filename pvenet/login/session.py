"""`pvenet login` from the first word to the profile, and `pvenet logout`. Whom to ask is an argument.

Where it ends early nothing is written here; on the node stays what was made, which the next run uses.
"""

from __future__ import annotations

from contextlib import closing, suppress
from dataclasses import replace
from typing import TYPE_CHECKING

from pvenet import errors
from pvenet.cluster import names
from pvenet.connection.endpoint import parse
from pvenet.connection.session import Token
from pvenet.login import profile
from pvenet.login.calls import held, look, make, remove_token
from pvenet.login.certificate import Word, pin_for
from pvenet.login.options import LoggedIn, LoggedOut
from pvenet.login.plan import Wanted, steps
from pvenet.login.rights import lacking, rights
from pvenet.settings import Options, connect, read_settings
from pvenet.settings.connection import fingerprints
from pvenet.settings.profile_files import prepare, remove, write_profile
from pvenet.settings.profiles import KEYS, known_profiles, only_profile, profile_file, profile_of
from pvenet.settings.read import SIM, expanded
from pvenet.settings.secrets import check_token_id, check_user

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from pvenet.connection import Connection
    from pvenet.login.options import LoginOptions, Talk
    from pvenet.login.plan import Step
    from pvenet.login.rights import Right

ADMINISTRATOR = "root@pam"
_PLACE = ("PVENET_ENDPOINT", "PVENET_SIM", "PVENET_FINGERPRINT")
"""What two profiles of one place have in common, one of these at least."""


class Login:
    """One login under way: what is known of the place so far."""

    def __init__(self, options: LoginOptions, environment: Mapping[str, str], talk: Talk) -> None:
        self.options = options
        self.environment = environment
        self.talk = talk
        self.place = _place(options, environment, talk)
        self.name = options.name or profile.default_name(self.place)
        self.before = profile.there(self.name, self.place, environment)
        self.rights = rights(options.scope, options.nodes)
        self.made: list[Step] = []
        self.called = _called(options)
        """How the credentials were given, as `Identity.called` has it."""
        prepare(self.name, environment)
        self.pin = self._pin()

    def _pin(self) -> str | None:
        options = self.options
        if self.place.startswith(SIM):
            return None
        fingerprints(each for each in (options.fingerprint, options.accept_changed) if each)
        word = Word(
            given=options.fingerprint or self.environment.get("PVENET_FINGERPRINT", ""),
            accepted=options.accept_changed,
            ca_file=expanded(self.environment.get("PVENET_CA_FILE", "")),
        )
        agree = self.talk.agree_certificate
        return pin_for(parse(self.place), self.environment, word, lambda seen: agree(self.place, seen))

    def connection(self, **who: str) -> Connection:
        """A connection to the place as somebody, by the names of the settings."""
        ca_file = self.environment.get("PVENET_CA_FILE", "")
        trusted = {"PVENET_FINGERPRINT": self.pin} if self.pin else {"PVENET_CA_FILE": ca_file}
        told = {name: self.environment[name] for name in ("HOME",) if name in self.environment}
        options = Options(endpoint=(self.place,), fault=self.options.faults)
        settings = read_settings(options, {**told, **trusted, **who})
        settings = replace(settings, identity=replace(settings.identity, called=self.called))
        return connect(settings, prompt=self.talk.secret, debug=self.talk.debug, watch=self.talk.watch)

    # --- a token that is there ---

    def with_token(self, token: str) -> LoggedIn:
        """Take a token that somebody has made."""
        refer = profile.referred(self.options, self.environment)
        own = {KEYS[key]: value for key, value in refer.items()}
        own = own or {"PVENET_TOKEN_SECRET": self.environment.get("PVENET_TOKEN_SECRET", "")}
        with closing(self.connection(PVENET_TOKEN_ID=token, **own)) as connection:
            credentials = connection.credentials
            if not isinstance(credentials, Token):
                raise errors.UsageError("no token was given", hint="name it with --token-id")
            return self._finish(credentials, refer, self._missing(connection))

    # --- one that is made ---

    def with_password(self, user: str) -> LoggedIn:
        """Make a token, and whatever it needs; with one that works already, only what is missing."""
        want = wanted(self.options)
        password = self.environment.get("PVENET_PASSWORD", "")
        with closing(self.connection(PVENET_USER=user, PVENET_PASSWORD=password)) as connection:
            _check_nodes(connection, self.options.nodes)
            before = self._from_before(want.token)
            secret = before.secret if before else None
            found = look(connection, want)
            todo = steps(want, found, secret=secret is None)
            if todo:
                self.talk.agree_steps(self.place, self.rights, todo)
            secret = make(connection, want, found, secret=secret is None, done=self._done) or secret
        if secret is None:
            raise errors.PvenetError(f"{self.place} returned no secret for the token", hint="run `pvenet login` again")
        token = Token(id=want.token, secret=secret)
        with closing(self.connection(PVENET_TOKEN_ID=token.id, PVENET_TOKEN_SECRET=secret)) as connection:
            return self._finish(token, {}, self._missing(connection))

    def _done(self, step: Step) -> None:
        self.made.append(step)
        self.talk.done(step)

    # --- the one from before ---

    def again(self) -> LoggedIn | None:
        """Take the token of an earlier login where it may do all that is wanted. Never for one that can only look."""
        token = None if self.options.scope == "read-only" else self._from_before(self.before.get("PVENET_TOKEN_ID", ""))
        if token is None:
            return None
        with closing(self.connection(PVENET_TOKEN_ID=token.id, PVENET_TOKEN_SECRET=token.secret)) as connection:
            if missing := self._missing(connection):
                return None
            return self._finish(token, profile.theirs(self.name, self.before, self.environment), missing)

    def _from_before(self, name: str) -> Token | None:
        """The token of an earlier login, if it is of this name and still opens anything."""
        who = {key: value for key, value in self.before.items() if key.startswith("PVENET_TOKEN_")}
        if not name or who.pop("PVENET_TOKEN_ID", "") != name or not who:
            return None
        try:
            with closing(self.connection(PVENET_TOKEN_ID=name, **who)) as connection:
                connection.get("version")
                token = connection.credentials
        except (errors.UsageError, errors.AuthenticationFailed):
            return None
        return token if isinstance(token, Token) else None

    # --- the end ---

    def _missing(self, connection: Connection) -> tuple[Right, ...]:
        """What of the rights whoever asks has not."""
        _check_nodes(connection, self.options.nodes)
        return lacking(self.rights, held(connection, self.rights))

    def _finish(self, token: Token, refer: dict[str, str], missing: tuple[Right, ...]) -> LoggedIn:
        """Write the profile."""
        keys = profile.place_keys(self.place, self.pin, self._ca_file(), self.before)
        if len(self.options.nodes) == 1:
            keys["node"] = self.options.nodes[0]
        if refer:
            path = write_profile(self.name, {**keys, "token_id": token.id, **refer}, self.environment)
            places = refer
        else:
            store = self.options.store
            with profile.kept(self.name, token.id, token.secret, store, self.environment) as places:
                path = write_profile(self.name, {**keys, "token_id": token.id, **places}, self.environment)
        profile.drop_other_secrets(self.name, token.id, places, self.before, self.environment)
        return LoggedIn(
            name=self.name,
            path=path,
            place=self.place,
            token=token.id,
            fingerprint=self.pin,
            kept=profile.described(places),
            made=tuple(self.made),
            rights=self.rights,
            lacking=missing,
        )

    def _ca_file(self) -> str:
        path = expanded(self.environment.get("PVENET_CA_FILE", ""))
        return str(path.absolute()) if path else ""


def wanted(options: LoginOptions) -> Wanted:
    """The token that a login makes, and its rights."""
    return Wanted(
        rights=rights(options.scope, options.nodes),
        token_name=profile.token_name(options.token_name),
        read_only=options.scope == "read-only",
    )


def log_in(options: LoginOptions, environment: Mapping[str, str], talk: Talk) -> LoggedIn:
    """Make a profile of a place. Raises PvenetError, and whatever `talk` does."""
    if options.token_id and options.user:
        raise errors.UsageError("a token needs no login", hint="give --token-id or --user, not both")
    token = options.token_id or ("" if options.user else environment.get("PVENET_TOKEN_ID", ""))
    user = options.user or ("" if token else environment.get("PVENET_USER", ""))
    _check_who(token, user, _called(options))
    login = Login(options, environment, talk)
    if not token and not user:
        if done := login.again():
            return done
        who = talk.line("a user or a token", option="--user or --token-id", default=ADMINISTRATOR)
        token, user = (who, "") if "!" in who else ("", who)
        login.called |= {"PVENET_TOKEN_ID": "the token that was entered", "PVENET_USER": "the user that was entered"}
        _check_who(token, user, login.called)
    return login.with_token(token) if token else login.with_password(user)


def _called(options: LoginOptions) -> dict[str, str]:
    """The options that gave credentials, by the variables that would have."""
    keys = ("user", "token_id", "token_file", "token_command", "token_keyring")
    return {KEYS[key]: f"--{key.replace('_', '-')}" for key in keys if getattr(options, key)}


def _check_who(token: str, user: str, called: Mapping[str, str]) -> None:
    """Raises UsageError before anybody is asked for a secret."""
    if token:
        check_token_id(token, called.get("PVENET_TOKEN_ID", "PVENET_TOKEN_ID"))
    if user:
        check_user(user, called.get("PVENET_USER", "PVENET_USER"))


def log_out(name: str, environment: Mapping[str, str], talk: Talk, *, user: str = "") -> LoggedOut:
    """Forget a profile and its secret; with a user, who logs in, its token is removed there first."""
    name = name or _only(environment)
    path = profile_file(name, environment)
    if not path.exists():
        raise _not_ours(name, environment)
    try:
        told = {key: each.value for key, each in profile_of(name, environment).items()}
    except errors.UsageError:
        told = {}
    token = told.get("PVENET_TOKEN_ID", "")
    if user:
        _remove_there(name, token, user, environment, talk)
    profile.forget(name, token, told, environment)
    remove(path)
    return LoggedOut(
        name=name,
        token=token,
        removed=bool(user),
        left=profile.described(profile.theirs(name, told, environment)),
        others=tuple(_sharing(token, told, environment)) if token else (),
    )


def _sharing(token: str, told: Mapping[str, str], environment: Mapping[str, str]) -> Iterator[str]:
    """The profiles that are left with the same token of the same place."""
    for name in known_profiles(environment):
        with suppress(errors.UsageError):
            theirs = {key: each.value for key, each in profile_of(name, environment).items()}
            here = any(told.get(key) and theirs.get(key) == told[key] for key in _PLACE)
            if here and theirs.get("PVENET_TOKEN_ID") == token:
                yield name


def _remove_there(name: str, token: str, user: str, environment: Mapping[str, str], talk: Talk) -> None:
    if not token:
        raise errors.UsageError(f"the profile {name} has no token to remove", hint="leave --user out")
    kept = {key: value for key, value in environment.items() if not key.startswith("PVENET_")}
    settings = read_settings(Options(profile=name), kept)
    settings = profile.as_somebody(settings, user, environment.get("PVENET_PASSWORD", ""))
    with closing(connect(settings, prompt=talk.secret, debug=talk.debug, watch=talk.watch)) as connection:
        remove_token(connection, token)


def _place(options: LoginOptions, environment: Mapping[str, str], talk: Talk) -> str:
    """The URL, or `sim:DIR` with the whole path."""
    text = options.place or environment.get("PVENET_ENDPOINT", "")
    text = text or talk.line("the node's name or address", option="it: pvenet login URL")
    if not text.startswith(SIM):
        return parse(text).url
    folder = expanded(text.removeprefix(SIM))
    if folder is None:
        raise errors.UsageError("a simulated node is a folder", hint=f"write it as {SIM}DIR")
    return f"{SIM}{folder.absolute()}"


def _check_nodes(connection: Connection, nodes: tuple[str, ...]) -> None:
    """Raises UsageError for a node that is not there: the access list would take it (pve-api#acl)."""
    known = names(connection) if nodes else ()
    for node in nodes:
        if node not in known:
            raise errors.UsageError(f"there is no node {node}", hint=f"there are: {', '.join(known)}")


def _only(environment: Mapping[str, str]) -> str:
    only = only_profile(environment)
    if only is None:
        known = ", ".join(known_profiles(environment)) or "none"
        raise errors.UsageError("which profile?", hint=f"name it: pvenet logout NAME; there are: {known}")
    return only


def _not_ours(name: str, environment: Mapping[str, str]) -> errors.UsageError:
    known = known_profiles(environment)
    if name in known:
        return errors.UsageError(f"the profile {name} was not made by `pvenet login`", hint="remove it by hand")
    return errors.UsageError(f"there is no profile {name}", hint=f"there are: {', '.join(known) or 'none'}")
