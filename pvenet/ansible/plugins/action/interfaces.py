# Copyright: The pvenet authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs a module of this collection on the controller, whatever the host's connection, with the controller's own Python.

The files of this folder alone are under the GPL: they import ansible-core's own code, whose licence asks for that. The
work is done by the modules, which are under the MIT licence, as the rest of pvenet.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from ansible.errors import AnsibleActionFail, AnsibleError
from ansible.plugins.action import ActionBase
from ansible_collections.pvenet.network.plugins.module_utils.parameters import CONNECTION, PREFIX, RIVALS

COLLECTION = "pvenet.network"
UNREACHABLE = "unreachable"
LOCAL = {"localhost", "127.0.0.1", "::1"}
"""Hosts that are the controller, and no node by their name."""


class ActionModule(ActionBase):  # type: ignore[misc]  # ansible-core has no types
    """Of every module here: the other files of this folder are it by another name."""

    _supports_check_mode = True
    _supports_async = True
    _supports_diff = True

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """The module's result; a node that can't be reached is told as Ansible tells an unreachable host."""
        variables = dict(task_vars or {})
        result: dict[str, Any] = super().run(tmp, variables)
        arguments = self._arguments(variables)
        here = {"ansible_python_interpreter": sys.executable}  # which has pvenet
        variables |= here
        if to := self._task.delegate_to:  # its own variables, which would count, may name another one
            variables["ansible_delegated_vars"] = {
                to: {**variables.get("ansible_delegated_vars", {}).get(to, {}), **here}
            }
        self._connection = self._here()
        if self._task.poll:  # ansible-core would ask for the job where the host is, and it is here
            self._task.async_val = 0
        done = self._execute_module(
            module_name=f"{COLLECTION}.{self._task.action.rpartition('.')[2]}",
            module_args=arguments,
            task_vars=variables,
            wrap_async=bool(self._task.async_val),
        )
        result.update(done)
        if result.get("kind") == UNREACHABLE and result.pop("failed", False):
            result["unreachable"] = True
        return result

    def _arguments(self, variables: dict[str, Any]) -> dict[str, Any]:
        """The task's arguments, and from the inventory's variables what they leave open."""
        found: dict[str, Any] = dict(self._task.args)
        said = {name for name, option in CONNECTION.items() if _is_said(found, name, *option.get("aliases", ()))}
        said |= {rival for name in said for rival in RIVALS.get(name, ())}
        for name in CONNECTION:
            if PREFIX + name in variables and name not in said:
                found[name] = self._templar.template(variables[PREFIX + name])
        if found.get("node") is None and (node := self._node(variables)):
            found["node"] = node
        if found.get("file") is not None:
            found["file"] = self._file(str(found["file"]))
        return found

    def _node(self, variables: dict[str, Any]) -> str:
        """The inventory's name of the host, which is the node's, unless the host is the controller."""
        name = str(variables.get("inventory_hostname_short", ""))
        return "" if variables.get("inventory_hostname") in LOCAL else name

    def _file(self, name: str) -> str:
        """Where a file is: of a role or a playbook, or as the command line has it. Raises AnsibleActionFail."""
        try:
            return str(self._find_needle("files", name))
        except AnsibleError as error:
            if (here := Path(name).expanduser().absolute()).exists():
                return str(here)
            raise AnsibleActionFail(str(error)) from error

    def _low_level_execute_command(self, cmd: str, *rest: Any, **more: Any) -> Any:
        """Where `ansible-playbook` was called, and not beside the playbook, which may be a collection's own."""
        return super()._low_level_execute_command(cmd, *rest, **{**more, "chdir": str(Path.cwd())})

    def _here(self) -> Any:
        """A connection to the controller. Nothing becomes another user on it, and no secret gets onto the disk."""
        connection = self._shared_loader_obj.connection_loader.get("ansible.builtin.local", self._play_context)
        connection.set_options(direct={"pipelining": True})
        return connection


def _is_said(arguments: dict[str, Any], *names: str) -> bool:
    return any(arguments.get(name) is not None for name in names)
