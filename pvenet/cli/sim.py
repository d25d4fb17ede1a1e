"""`pvenet sim`: make and serve a node that is not there."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from pvenet import errors
from pvenet.cli.context import Context
from pvenet.cli.help import Application
from pvenet.cli.options import command, empty, only, words
from pvenet.cli.output import out, painter, room
from pvenet.settings.connection import faults_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from pvenet.sim.interfaces import Host
    from pvenet.sim.server import At, Endpoint
    from pvenet.sim.state import Sim

_GROUP = Application(name="sim", text="Make and serve a simulated node; no real one is needed.")

_FOLDER = typer.Argument(..., metavar="DIR", help="Where the simulated nodes are kept.", show_default=False)


def register(app: typer.Typer) -> None:
    """Add the group to the application."""
    app.add_typer(_GROUP)


@_GROUP.command()
@partial(command, common=only("node"))
def init(
    context: Context,
    folder: Path = _FOLDER,
    nic: list[str] | None = typer.Option(
        None,
        help="Its NICs, separated by commas or repeated; name one again for another altname.",
        metavar="NIC[=ALTNAME][,NIC]",
    ),
    interfaces: Path | None = typer.Option(None, help="Its /etc/network/interfaces.", metavar="FILE"),
    ovs: bool = typer.Option(False, "--ovs", help="Open vSwitch is installed on every node of DIR."),
    guest: list[str] | None = typer.Option(
        None,
        help="A guest on a bridge, running unless stopped; repeatable, with the same ID for its next NIC.",
        metavar="ID:NAME:BRIDGE[:TAG][,ct][,firewall][,stopped]",
    ),
    link: list[str] | None = typer.Option(
        None,
        help="Its address on a further link of the cluster, which the nodes of DIR form over their own; repeatable.",
        metavar="ADDRESS",
    ),
) -> None:
    """Make a simulated node.

    It is pve1 unless --node names it otherwise; more of them in one folder are a cluster.

    $ pvenet sim init lab --guest 101:web:vmbr0
    $ pvenet sim init lab --node pve2 --nic eno1,eno2
    $ pvenet --sim lab list --node pve1
    """
    from pvenet.sim.state import Sim, SimError

    node = context.options.node or "pve1"
    text = _file(interfaces) if interfaces else None
    try:
        Sim.init(folder, node=node, nics=_nics(nic), interfaces=text, ovs=ovs, guests=guest or (), links=link or ())
    except OSError as error:
        raise errors.UsageError(f"{folder} can't be used: {errors.reason(error)}") from None
    except SimError as error:
        there = node in Sim(folder).nodes
        hint = "name another node with --node, or another folder" if there else ""
        raise errors.UsageError(f"{error}", hint=hint) from None
    note = f"{node} is simulated in {folder}: try `pvenet --sim {folder} list`"
    context.emit_done({"folder": str(folder), "node": node}, note=note)


@_GROUP.command()
@partial(command, common=only("node"))
def rename(
    context: Context,
    folder: Path = _FOLDER,
    names: list[str] = typer.Argument(..., metavar="OLD=NEW...", help="NICs and their new names.", show_default=False),
) -> None:
    """Boot a simulated node whose NICs have other names.

    As after a new kernel or another slot: each card keeps its MAC, altnames and cable. Two NICs may swap their names.

    $ pvenet sim rename lab ens33=enp5s0
    $ pvenet sim rename lab ens38=ens39 ens39=ens38
    """
    from pvenet.sim import boot

    told = dict(_renaming(each) for each in words(names, option="OLD=NEW") or ())
    _boot(context, folder, lambda sim, node, now: boot.rename(sim, node, told, now))


def _renaming(text: str) -> tuple[str, str]:
    """An old and a new name. Raises UsageError."""
    old, _, new = text.partition("=")
    if not old or not new:
        raise errors.UsageError(f"{text} renames nothing", hint="write OLD=NEW, as in eno1=enp5s0")
    return old, new


@_GROUP.command()
@partial(command, common=only("node"))
def unplug(
    context: Context,
    folder: Path = _FOLDER,
    nics: list[str] = typer.Argument(..., metavar="NIC...", help="NICs that are taken out.", show_default=False),
) -> None:
    """Boot a simulated node without some of its NICs.

    $ pvenet sim unplug lab ens41
    """
    from pvenet.sim import boot

    gone = words(nics, option="NIC") or ()
    _boot(context, folder, lambda sim, node, now: boot.unplug(sim, node, gone, now))


def _boot(context: Context, folder: Path, change: Callable[[Sim, str, float], None]) -> None:
    """Let a node boot with other cards. Raises UsageError."""
    import time

    from pvenet.sim.state import SimError

    sim, named = _sim(folder, context.options.node), context.options.node
    if named is None and len(sim.nodes) > 1:
        raise errors.UsageError(
            f"there are {len(sim.nodes)} nodes: {', '.join(sim.nodes)}", hint="say which with --node"
        )
    node = named or sim.nodes[0]
    try:
        change(sim, node, time.time())
    except (OSError, SimError) as error:
        raise errors.UsageError(f"{error}", hint=f"`pvenet sim show {folder}` shows what is there") from None
    nics = sim.node(node).described().nics
    data = {"folder": str(folder), "node": node, "nics": list(nics)}
    context.emit_done(data, note=f"{node} has booted: its NICs are {', '.join(nics) or 'none'}")


@_GROUP.command()
@partial(command, common=only("fault"))
def serve(
    context: Context,
    folder: Path = _FOLDER,
    listen: list[str] = typer.Option(
        ["127.0.0.1:8006"],
        help="Loopback only; port 0 takes a free one. With ADDRESS, or repeated, it answers only while a node has "
        "that.",
        metavar="HOST:PORT[=ADDRESS]",
    ),
    plain_http: bool = typer.Option(False, "--plain-http", help="Without TLS."),
) -> None:
    """Serve a simulated node to any PVE client until stopped.

    $ pvenet sim serve lab --listen 127.0.0.1:8006
    """
    from pvenet.sim.server import serve as run
    from pvenet.sim.state import SimError

    first, *also = map(_place, listen)
    ordered = faults_of(context.options.fault)
    try:
        run(
            folder,
            host=first.host,
            port=first.port,
            address=first.address,
            also=also,
            tls=not plain_http,
            faults=ordered,
            announce=lambda at: _tell(context, at),
        )
    except (OSError, OverflowError, SimError, ModuleNotFoundError) as error:
        why = errors.reason(error)
        raise errors.UsageError(f"can't serve {folder} at {', '.join(listen)}: {why}", hint=_hint(error)) from None


def _place(text: str) -> At:
    """Where to listen, and for which address of a node. Raises UsageError."""
    from pvenet.sim.server import At

    if not text.strip():
        raise empty("--listen", "as in --listen 127.0.0.1:8006")
    place, _, address = text.partition("=")
    host, _, port = place.rpartition(":")
    if not host or not port.isdecimal():
        raise errors.UsageError(f"--listen {text} is not HOST:PORT", hint="as in --listen 127.0.0.1:8006")
    return At(host=host.strip("[]"), port=int(port), address=address)


@_GROUP.command()
@partial(command, common=only())
def faults(context: Context) -> None:
    """List what --fault can make go wrong, and how to say where.

    $ pvenet sim faults
    """
    from pvenet.render.columns import fitted
    from pvenet.sim.faults import HELP, usage

    data = [{"fault": fault, "about": about} for fault, about in usage()]
    table = fitted(("fault", "what happens"), usage(), room(), painter(), wraps=("what happens",))
    context.emit(data, f"{table}\n\n{HELP}")


@_GROUP.command()
@partial(command, common=only("node"))
def show(context: Context, folder: Path = _FOLDER) -> None:
    """Look into simulated nodes: files, links, the last tasks.

    $ pvenet sim show lab
    """
    import time

    from pvenet.cli.sim_text import node_data, node_text
    from pvenet.sim.inspect import inspect
    from pvenet.sim.state import SimError

    now, node = time.time(), context.options.node
    try:
        views = [view for view in inspect(_sim(folder, node), now) if node in (None, view.name)]
    except (OSError, SimError) as error:
        raise errors.UsageError(f"can't read {folder}: {errors.reason(error)}") from None
    data = [node_data(view, now) for view in views]
    context.emit(data, "\n".join(node_text(view, now, painter()) for view in views))


@_GROUP.command()
@partial(command, common=only("node"))
def check(
    context: Context,
    place: Path = typer.Argument(
        ..., metavar="PATH", help="A folder of simulated nodes, or an interfaces file.", show_default=False
    ),
    nic: list[str] | None = typer.Option(
        None,
        help="NICs of the file's machine whose names don't look like NICs', or that have altnames.",
        metavar="NIC[=ALTNAME][,NIC]",
    ),
    exit_code: bool = typer.Option(False, "--exit-code", help="Exit with 10 if a first write changes something."),
) -> None:
    """Rehearse an interfaces file: what PVE would make of it.

    What it loses, moves or refuses at the first write.

    $ pvenet sim check /etc/network/interfaces --nic eno1
    """
    from pvenet.cli.sim_text import file_data, file_text, printable
    from pvenet.sim.rehearse import rehearse

    found = [
        (node, file, rehearse(text, host)) for node, file, text, host in _files(place, context.options.node, _nics(nic))
    ]
    data = [file_data(file, node, each) for node, file, each in found]
    context.emit(data, "\n\n".join(file_text(file, each, painter()) for _, file, each in found))
    refused = [f"{file}: {printable(each.refused)}" for _, file, each in found if each.refused]
    if refused:
        raise errors.InvalidNetwork(
            "PVE would refuse any change of this node:\n  " + "\n  ".join(refused),
            hint="correct the file first; PVE stops at the first error that it finds",
        )
    if exit_code and any(each.changes for _, _, each in found):
        raise errors.Differences("")
    if not context.options.json:
        for _, file, each in found:
            if not each.changes:
                context.say(f"PVE takes {file} as it is")


def _nics(given: list[str] | None) -> dict[str, tuple[str, ...]] | None:
    """The NICs of an option and their altnames, None where it was not given. Raises UsageError."""
    found: dict[str, tuple[str, ...]] = {}
    for word in words(given, option="--nic") or ():
        name, equals, altname = word.partition("=")
        if not name or (equals and not altname):
            raise errors.UsageError(f"--nic {word} is not a NIC", hint="as in --nic eno1 or --nic nic1=enp2s0")
        found[name] = found.get(name, ()) + ((altname,) if altname else ())
    return found if given else None


def _files(
    place: Path, node: str | None, nics: dict[str, tuple[str, ...]] | None
) -> list[tuple[str | None, str, str, Host]]:
    """What there is to check: the node, the file, its text, the machine. Raises UsageError."""
    from pvenet.sim.rehearse import host_of
    from pvenet.sim.state import SimError, read_file

    try:
        if not place.is_dir():
            text = read_file(place)
            return [(None, str(place), text, host_of(text, nics))]
        sim = _sim(place, node)
        names = [node] if node else sim.nodes
        seen = [(name, sim.node(name)) for name in names]
        return [
            (name, str(it.staged if it.staged.exists() else it.interfaces), it.text(), sim.host(name))
            for name, it in seen
        ]
    except (OSError, SimError) as error:
        raise errors.UsageError(f"can't read {place}: {errors.reason(error)}") from None


def _file(path: Path) -> str:
    """What an interfaces file holds. Raises UsageError where it can't be read."""
    from pvenet.sim.state import read_file

    try:
        return read_file(path)
    except OSError as error:
        raise errors.UsageError(f"the file {path} can't be read: {errors.reason(error)}") from None


def _sim(folder: Path, node: str | None) -> Sim:
    """The simulated nodes that are there; looking makes none. Raises UsageError."""
    from pvenet.sim.state import Sim

    sim = Sim(folder)
    if not sim.nodes:
        raise errors.UsageError(f"there is no simulated node in {folder}", hint=f"`pvenet sim init {folder}` makes one")
    if node and node not in sim.nodes:
        hint = errors.did_you_mean(node, sim.nodes, otherwise="name one of them with --node")
        raise errors.UsageError(f"there is no node {node} in {folder}, only {', '.join(sim.nodes)}", hint=hint)
    return Sim.open(folder)


def _hint(error: Exception) -> str:
    if isinstance(error, ModuleNotFoundError):
        return "install it with `pip install 'pvenet[sim]'`, or leave TLS out with --plain-http"
    return "another address? --listen 127.0.0.1:0 takes a free port"


def _tell(context: Context, at: Endpoint) -> None:
    from dataclasses import asdict

    data = asdict(at)
    data["endpoint"] = data.pop("url")
    if context.answer.as_data:
        context.answer.line(data)
    else:
        out(f"export PVENET_ENDPOINT={at.url}\nexport PVENET_TOKEN_ID='{at.token_id}'")
        out(f"export PVENET_TOKEN_SECRET={at.token_secret}")
        if at.fingerprint:
            out(f"export PVENET_FINGERPRINT={at.fingerprint}")
        if at.also:
            context.say(f"# also, while a node has the address: {', '.join(at.also)}")
        context.say(f"# or log in as {at.user} with the password {at.password}; Ctrl-C ends it")
