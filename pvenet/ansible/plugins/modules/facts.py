# Copyright: The pvenet authors
# MIT licence (see LICENSE or https://opensource.org/license/mit)
# SPDX-License-Identifier: MIT
"""How a node is."""

from __future__ import annotations

DOCUMENTATION = r"""
module: facts
short_description: How a Proxmox VE node's network is, in its file and in its kernel
version_added: "0.1.0"
author: The pvenet authors (@pvenet)
description:
  - Gathers a node's interfaces, what is pending and whose it is, what its kernel has and how that differs, and which
    guests are on which bridge.
  - What the rights do not allow is null, with a warning that says which right is missing.
extends_documentation_fragment:
  - pvenet.network.connection
options:
  gather:
    description: What to gather.
    type: list
    elements: str
    choices: [interfaces, config, pending, links, guests]
    default: [interfaces, config, pending, links, guests]
seealso:
  - module: pvenet.network.interfaces
"""

EXAMPLES = r"""
- name: How it is
  pvenet.network.facts:

- name: Nothing of somebody else's may be pending
  ansible.builtin.assert:
    that: not ansible_facts.pvenet.pending.pending or ansible_facts.pvenet.pending.ours
"""

RETURN = r"""
node:
  description: The node.
  returned: always
  type: str
ansible_facts:
  description: What was gathered.
  returned: success
  type: dict
  contains:
    pvenet:
      description: Of the node.
      returned: success
      type: dict
      contains:
        node:
          description: The node.
          returned: always
          type: str
        interfaces:
          description: Its interfaces, as C(pvenet list --json) has them.
          returned: where it was asked for
          type: list
          elements: dict
        config:
          description: The same as a configuration for M(pvenet.network.interfaces).
          returned: where it was asked for
          type: dict
        pending:
          description:
            - What is pending and whose it is, as C(pvenet status --json) has it, with PVE's diff in C(changes).
          returned: where it was asked for
          type: dict
        links:
          description: What its kernel has, as C(pvenet links --json) has it.
          returned: where it was asked for
          type: dict
        guests:
          description: Its bridges, with the guests on each.
          returned: where it was asked for
          type: dict
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

PARTS = ["interfaces", "config", "pending", "links", "guests"]


def main() -> None:
    """Run the module."""
    run("facts", {"gather": {"type": "list", "elements": "str", "choices": PARTS, "default": PARTS}})


if __name__ == "__main__":
    main()
