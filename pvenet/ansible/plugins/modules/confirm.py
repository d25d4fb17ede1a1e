# Copyright: The pvenet authors
# MIT licence (see LICENSE or https://opensource.org/license/mit)
# SPDX-License-Identifier: MIT
"""Say that what was applied on a node may stay."""

from __future__ import annotations

DOCUMENTATION = r"""
module: confirm
short_description: Say that what was applied on a Proxmox VE node may stay
version_added: "0.1.0"
author: The pvenet authors (@pvenet)
description:
  - For an apply with C(confirm_within), which else puts back what was there before.
  - What is confirmed already is not a change; what is being rolled back, or has been, fails.
extends_documentation_fragment:
  - pvenet.network.connection
seealso:
  - module: pvenet.network.interfaces
  - module: pvenet.network.apply
  - module: pvenet.network.rollback
"""

EXAMPLES = r"""
- name: Stage it
  pvenet.network.interfaces:
    config: "{{ node_network }}"
    apply: false
  register: staged

- name: Make it live, and put it back in 120 s unless it is confirmed
  pvenet.network.apply:
    confirm_within: 120
  async: 200
  poll: 0
  when: staged is changed

- name: Confirm it as soon as it waits for that
  pvenet.network.confirm:
  register: confirmed
  until: confirmed is changed
  retries: 60
  delay: 2
  when: staged is changed
"""

RETURN = r"""
node:
  description: The node.
  returned: when it is known
  type: str
journal:
  description: The journal of what was confirmed.
  returned: changed
  type: str
kind:
  description: What went wrong, in a word that stays the same.
  returned: failed
  type: str
hint:
  description: What to do next.
  returned: failed
  type: str
"""

from ansible_collections.pvenet.network.plugins.module_utils.answer import run


def main() -> None:
    """Run the module."""
    run("confirm", {})


if __name__ == "__main__":
    main()
