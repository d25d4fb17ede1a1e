"""`pvenet config`: which settings there are, and where each came from."""

from __future__ import annotations

import os

import typer

from pvenet.cli.common import Where, options, out
from pvenet.profiles import SECRETS, Setting, config_file, settings

app = typer.Typer(name="config", help="Settings and profiles.", no_args_is_help=True, rich_markup_mode=None)


@app.command()
@options()
def show(where: Where) -> None:
    """Show every setting and where it came from; secrets are masked."""
    from pvenet.render.values import aligned, as_json

    found = settings(os.environ, where.profile)
    given = {"PVENET_NODE": where.node, "PVENET_STATE_DIR": where.state_dir}
    if where.endpoint or where.sim:
        found = {name: each for name, each in found.items() if name not in ("PVENET_ENDPOINT", "PVENET_SIM")}
        given |= {"PVENET_ENDPOINT": ",".join(where.endpoint), "PVENET_SIM": where.sim}
    found |= {name: Setting(str(value), "option") for name, value in given.items() if value}
    rows = [(name, "(secret)" if name in SECRETS else each.value, each.source) for name, each in sorted(found.items())]
    if where.json:
        out(as_json({name: {"value": value, "source": source} for name, value, source in rows}))
    else:
        out(aligned([("setting", "value", "from"), *rows]))
        out(f"profiles are read from {config_file(os.environ)}")


app.callback()(lambda: None)  # keeps `show` a command although it is the only one
