"""Installing the shell's completion, which writes into a home."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pvenet import errors

if TYPE_CHECKING:
    from collections.abc import Callable


def install_or_say(install: Callable[..., Any]) -> Callable[..., Any]:
    """Typer's own installing, which writes into a home; what can't be written is told with how to do without."""

    def installing(*given: Any) -> Any:
        try:
            return install(*given)
        except OSError as error:
            where = f"{error.filename} " if isinstance(error.filename, str) else ""
            raise errors.PvenetError(
                f"{where}can't be written, so completion is not installed: {errors.reason(error)}",
                hint="`pvenet --show-completion` prints the script to load",
            ) from None

    return installing
