# Copyright: The pvenet authors
# MIT licence (see LICENSE or https://opensource.org/license/mit)
# SPDX-License-Identifier: MIT
"""A node's interfaces as they shall be."""

from __future__ import annotations

DOCUMENTATION = r"""
module: interfaces
short_description: A Proxmox VE node's interfaces, applied live, verified, and put back where it fails
version_added: "0.1.0"
author: The pvenet authors (@pvenet)
description:
  - Makes the network of a Proxmox VE node what a configuration says, through PVE's API alone. It stages what differs,
    reloads the node, waits, checks that everything has come up, and rolls back if it has not.
  - A second run changes nothing. What is pending on the node from somebody else is never touched.
  - What touches the management path needs O(allow_management), what cuts running guests O(allow_guests).
extends_documentation_fragment:
  - pvenet.network.connection
  - pvenet.network.connection.apply
  - pvenet.network.connection.allow
options:
  config:
    description:
      - A node's entry of a network file, as it is; its keys are names of interfaces, each with C(type) and its
        fields.
      - What it does not mention is not touched; C(state=absent) in an entry removes an interface.
    type: dict
  file:
    description:
      - A whole network file, of which the node's own entry counts, with the defaults beneath it. It is looked for as
        other files of a role or a playbook are.
    type: path
  state:
    description:
      - V(merged) makes it as the configuration says, V(overridden) removes besides what that does not mention, and
        V(deleted) removes the interfaces that it names.
      - V(gathered) gives the node's own network as a configuration.
      - V(rendered) gives the C(/etc/network/interfaces) and the requests that O(config) or O(file) would come to on a
        node that has nothing but its NICs, and V(parsed) a configuration out of O(running_config). Both ask no node.
    type: str
    choices: [merged, overridden, deleted, gathered, rendered, parsed]
    default: merged
  running_config:
    description:
      - With O(state=parsed) the text of C(/etc/network/interfaces), or what C(pvesh get /nodes/NODE/network
        --output-format json) prints.
    type: str
  apply:
    description: V(false) only stages; M(pvenet.network.apply) makes it live.
    type: bool
    default: true
  lossy:
    description: Also where the API would lose what a stanza holds.
    type: bool
    default: false
seealso:
  - module: pvenet.network.facts
  - module: pvenet.network.apply
  - module: pvenet.network.confirm
  - module: pvenet.network.rollback
"""

EXAMPLES = r"""
- name: A bond, and a bridge on it
  pvenet.network.interfaces:
    config:
      bond0: {type: bond, slaves: [eno1, eno2], mode: 802.3ad}
      vmbr1: {type: bridge, ports: [bond0], vlan_aware: true}

- name: The same from a file in git that holds all nodes, with the connection named here
  pvenet.network.interfaces:
    file: network.yaml
    api_host: pve1.example.com
    api_user: root@pam
    api_token_id: pvenet
    api_token_secret: "{{ vault_pve_secret }}"
    fingerprint: "{{ pve_fingerprint }}"

- name: Nothing but this, and even if it touches the management path
  pvenet.network.interfaces:
    config: "{{ node_network }}"
    state: overridden
    allow_management: true

- name: Write the node's network as it is into a variable
  pvenet.network.interfaces:
    state: gathered
  register: now

- name: What would the file be?
  pvenet.network.interfaces:
    config: "{{ node_network }}"
    state: rendered
"""

RETURN = r"""
node:
  description: The node.
  returned: when it is known
  type: str
verdict:
  description: How it ended.
  returned: when something was staged, applied or rolled back, and when it failed
  type: str
  sample: applied
message:
  description: The same in words.
  returned: when something was staged, applied or rolled back, and when it failed
  type: str
  sample: "applied and verified on pve1: bond0, vmbr1"
elapsed:
  description: Seconds from the reload to the verdict.
  returned: when a reload was sent
  type: float
interfaces:
  description: The interfaces that it was about, and whether each is C(active), C(gone) or C(not_known).
  returned: when a reload was sent
  type: list
  elements: dict
  sample: [{name: bond0, state: active}]
journal:
  description: Where what was there before is kept on the controller.
  returned: when something was staged, applied or rolled back
  type: str
plan:
  description: What was to be done to the node, as C(pvenet plan --json) has it of one node.
  returned: when O(state) is V(merged), V(overridden) or V(deleted)
  type: dict
gathered:
  description: The node's network as a configuration.
  returned: when O(state) is V(gathered)
  type: dict
  sample: {vmbr0: {type: bridge, ports: [eno1], cidr: 192.168.1.5/24, gateway: 192.168.1.1}}
rendered:
  description: The text of C(/etc/network/interfaces).
  returned: when O(state) is V(rendered)
  type: str
requests:
  description: The requests that make it, each with C(method), C(path) and C(form).
  returned: when O(state) is V(rendered)
  type: list
  elements: dict
parsed:
  description: A configuration out of O(running_config).
  returned: when O(state) is V(parsed)
  type: dict
kind:
  description: What went wrong, in a word that stays the same.
  returned: failed
  type: str
  sample: rolled_back
exit:
  description: The exit code that the command line has for it.
  returned: failed
  type: int
  sample: 8
hint:
  description: What to do next.
  returned: failed
  type: str
rolled_back:
  description: Whether what was there before is there again, and verified.
  returned: failed
  type: bool
reason:
  description: Why it was rolled back.
  returned: failed
  type: str
log:
  description: The log of the reload, where that did not end well.
  returned: failed
  type: list
  elements: str
would_stop:
  description: What a run would stop at before anything is sent; a warning says the same.
  returned: in check mode, where there is something
  type: dict
  sample: {kind: management_risk, message: "this touches the management path of\n  pve1: vmbr0 on ens33"}
"""

from ansible_collections.pvenet.network.plugins.module_utils.answer import run
from ansible_collections.pvenet.network.plugins.module_utils.parameters import APPLY

OPTIONS = {
    **APPLY,
    "config": {"type": "dict"},
    "file": {"type": "path"},
    "state": {
        "type": "str",
        "choices": ["merged", "overridden", "deleted", "gathered", "rendered", "parsed"],
        "default": "merged",
    },
    "running_config": {"type": "str"},
    "apply": {"type": "bool", "default": True},
    "lossy": {"type": "bool", "default": False},
}


def main() -> None:
    """Run the module."""
    run(
        "interfaces",
        OPTIONS,
        mutually_exclusive=[("config", "file")],
        required_if=[("state", "parsed", ("running_config",))]
        + [("state", state, ("config", "file"), True) for state in ("merged", "overridden", "deleted", "rendered")],
    )


if __name__ == "__main__":
    main()
