"""`pvenet config`: which settings there are, and where each came from."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from pvenet.cli.context import Context
from pvenet.cli.help import Application
from pvenet.cli.options import command
from pvenet.cli.output import room

if TYPE_CHECKING:
    import typer


def register(app: typer.Typer) -> None:
    """Add the group to the application."""
    group = Application(name="config", text="Show settings and where they come from.")
    group.command()(command(show))
    group.callback()(lambda: None)  # keeps `show` a command although it is the only one
    app.add_typer(group)


def show(context: Context) -> None:
    """Show every setting and where it came from; secrets are masked.

    $ pvenet config show --profile pve1
    """
    from pvenet.render.columns import fitted
    from pvenet.render.values import plain
    from pvenet.settings.profiles import FOLDER, SECRETS, config_file
    from pvenet.settings.sources import explained

    found = explained(context.options, os.environ)
    rows = [(name, "(secret)" if name in SECRETS else each.value, each.source) for name, each in found.items()]
    data = {name: {"value": value, "source": source} for name, value, source in rows}
    table = fitted(("setting", "value", "from"), [_parted(row) for row in rows], room(), plain, wraps=("value", "from"))
    context.emit(data, f"{table}\nprofiles are read from {config_file(os.environ)} and {FOLDER}")


def _parted(row: tuple[str, str, str]) -> tuple[str, str, str]:
    """A fingerprint in parts, where a terminal shows it; nothing else is as long."""
    from pvenet.render.login import fingerprint_lines

    name, value, source = row
    if room() is None or name != "PVENET_FINGERPRINT":
        return row
    return name, ", ".join(" ".join(fingerprint_lines(pin.strip())) for pin in value.split(",")), source
