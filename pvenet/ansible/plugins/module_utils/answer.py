# Copyright: The pvenet authors
# MIT licence (see LICENSE or https://opensource.org/license/mit)
# SPDX-License-Identifier: MIT
"""From a module's options to pvenet's own engine, and from its result to Ansible's."""

from __future__ import annotations

import sys
import traceback
from typing import Any

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.pvenet.network.plugins.module_utils.parameters import CONNECTION

PVENET_ERROR = ""
"""Why pvenet can't be loaded."""
try:
    from pvenet.automation import answer
except ImportError:
    PVENET_ERROR = traceback.format_exc()


def run(verb: str, options: dict[str, dict[str, Any]], **more: Any) -> None:
    """Do what the module is for, and end. `more`: what else ansible-core shall check of the options."""
    module = AnsibleModule(argument_spec={**CONNECTION, **options}, supports_check_mode=True, **more)
    if PVENET_ERROR:
        module.fail_json(
            msg=f"pvenet is not installed for {sys.executable}, the Python that runs Ansible\n"
            f"`{sys.executable} -m pip install pvenet` puts it there",
            exception=PVENET_ERROR,
        )
    result = answer(verb, module.params, check=module.check_mode)
    for warning in result.pop("warnings"):
        module.warn(warning)
    if result.pop("failed", False):
        module.fail_json(**result)
    module.exit_json(**result)
