"""Change the network of Proxmox VE nodes through their own API: see what would change, apply it, wait until it is up.

These names are the public API. Each is loaded when it is first used, so that `import pvenet` costs nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pvenet import errors
    from pvenet.apply.apply import apply as apply_staged
    from pvenet.apply.keep import confirm
    from pvenet.apply.options import ApplyOptions
    from pvenet.apply.resume import roll_back
    from pvenet.apply.revert import revert
    from pvenet.apply.runtime import Runtime
    from pvenet.apply.stage import StageOptions, Staging, stage
    from pvenet.apply.status import status
    from pvenet.errors import PvenetError
    from pvenet.events import Verdict
    from pvenet.journal import Journals
    from pvenet.model import Bond, Bridge, Ethernet, OvsBond, OvsBridge, OvsIntPort, Vlan
    from pvenet.node import Node
    from pvenet.settings import Settings, connect, load_settings

__all__ = [
    "ApplyOptions",
    "Bond",
    "Bridge",
    "Ethernet",
    "Journals",
    "Node",
    "OvsBond",
    "OvsBridge",
    "OvsIntPort",
    "PvenetError",
    "Runtime",
    "Settings",
    "StageOptions",
    "Staging",
    "Verdict",
    "Vlan",
    "apply_staged",
    "confirm",
    "connect",
    "errors",
    "load_settings",
    "revert",
    "roll_back",
    "stage",
    "status",
]

_HOMES = {
    "apply_staged": ("pvenet.apply.apply", "apply"),  # `pvenet.apply` is the package
    "ApplyOptions": ("pvenet.apply.options", "ApplyOptions"),
    "errors": ("pvenet.errors", ""),
    "Journals": ("pvenet.journal", "Journals"),
    "Node": ("pvenet.node", "Node"),
    "PvenetError": ("pvenet.errors", "PvenetError"),
    "Verdict": ("pvenet.events", "Verdict"),
    "Runtime": ("pvenet.apply.runtime", "Runtime"),
    "status": ("pvenet.apply.status", "status"),
    **{name: ("pvenet.apply.stage", name) for name in ("StageOptions", "Staging", "stage")},
    "revert": ("pvenet.apply.revert", "revert"),
    "confirm": ("pvenet.apply.keep", "confirm"),
    "roll_back": ("pvenet.apply.resume", "roll_back"),
    **{
        name: ("pvenet.model", name)
        for name in ("Bond", "Bridge", "Ethernet", "OvsBond", "OvsBridge", "OvsIntPort", "Vlan")
    },
    **{name: ("pvenet.settings", name) for name in ("Settings", "connect", "load_settings")},
}
"""The module of each name, and what it is called there; a whole module is called nothing."""

if not TYPE_CHECKING:  # what a type checker reads stands above

    def __getattr__(name: str) -> object:
        from importlib import import_module

        if name not in _HOMES:
            raise AttributeError(f"module 'pvenet' has no attribute {name!r}")
        home, called = _HOMES[name]
        module = import_module(home)
        return getattr(module, called) if called else module

    def __dir__() -> list[str]:
        return __all__
