"""Puts the Ansible collection where ansible-core looks for one: into the wheel, beside the package."""

from __future__ import annotations

from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class Collection(BuildHookInterface[Any]):
    """An editable installation has none: `scripts/setup` puts the checkout's own on the collections' path."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Before the wheel is built."""
        if version != "editable":
            build_data["force_include"]["pvenet/ansible"] = "ansible_collections/pvenet/network"
