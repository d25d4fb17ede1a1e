"""`pvenet sim`: make and serve a node that is not there."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import typer

from pvenet import errors
from pvenet.cli.common import Where, options, out, say, words

if TYPE_CHECKING:
    from pvenet.sim.server import Endpoint

app = typer.Typer(name="sim", help="A simulated node: no cluster needed.", no_args_is_help=True, rich_markup_mode=None)

_FOLDER = typer.Argument(..., metavar="DIR", help="Where the simulated nodes are kept.", show_default=False)


@app.command()
@options()
def init(
    where: Where,
    folder: Path = _FOLDER,
    nic: list[str] | None = typer.Option(None, help="Its NICs, with commas or repeated.", metavar="NIC[,NIC]"),
    interfaces: Path | None = typer.Option(None, help="Its /etc/network/interfaces.", metavar="FILE"),
) -> None:
    """Make a simulated node to measure; --node names it, else it is pve1."""
    from pvenet.sim.state import Sim, SimError

    node = where.node or "pve1"
    try:
        text = interfaces.read_text(encoding="utf8") if interfaces else None
        Sim.init(folder, node=node, nics=words(nic), interfaces=text)
    except (OSError, UnicodeDecodeError) as error:
        raise errors.UsageError(f"{interfaces or folder} can't be used: {error}") from None
    except SimError as error:
        raise errors.UsageError(f"{error}", hint="name another node with --node, or another folder") from None
    if where.json:
        from pvenet.render.values import as_json

        out(as_json({"folder": str(folder), "node": node}))
    else:
        say(f"{node} is simulated in {folder}: try `pvenet --sim {folder} list`")


@app.command()
@options()
def serve(
    where: Where,
    folder: Path = _FOLDER,
    listen: str = typer.Option("127.0.0.1:8006", help="Loopback only; port 0 is a free one.", metavar="HOST:PORT"),
    plain_http: bool = typer.Option(False, "--plain-http", help="Without TLS."),
) -> None:
    """Serve a simulated node to any PVE client until it is ended."""
    from pvenet.sim.server import serve as run
    from pvenet.sim.state import SimError

    host, _, port = listen.rpartition(":")
    if not host or not port.isdecimal():
        raise errors.UsageError(f"--listen {listen} is no HOST:PORT", hint="as in --listen 127.0.0.1:8006")
    try:
        run(folder, host=host.strip("[]"), port=int(port), tls=not plain_http, announce=lambda at: _tell(at, where))
    except (OSError, OverflowError, SimError, ModuleNotFoundError) as error:
        raise errors.UsageError(f"can't serve {folder} at {listen}: {error}", hint=_hint(error)) from None


def _hint(error: Exception) -> str:
    if isinstance(error, ModuleNotFoundError):
        return "install it with `pip install 'pvenet[sim]'`, or leave TLS out with --plain-http"
    return "another address? --listen 127.0.0.1:0 takes a free port"


def _tell(at: Endpoint, where: Where) -> None:
    import json
    import sys
    from dataclasses import asdict

    data = asdict(at)
    data["endpoint"] = data.pop("url")
    if where.json:
        out(json.dumps(data))
    else:
        out(f"export PVENET_ENDPOINT={at.url}\nexport PVENET_TOKEN_ID='{at.token_id}'")
        out(f"export PVENET_TOKEN_SECRET={at.token_secret}")
        if at.fingerprint:
            out(f"export PVENET_FINGERPRINT={at.fingerprint}")
        say(f"# or log in as {at.user} with the password {at.password}; Ctrl-C ends it")
    sys.stdout.flush()
