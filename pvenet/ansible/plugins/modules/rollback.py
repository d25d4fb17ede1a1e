# Copyright: The pvenet authors
# MIT licence (see LICENSE or https://opensource.org/license/mit)
# SPDX-License-Identifier: MIT
"""Put back what was there before the last apply."""

from __future__ import annotations

DOCUMENTATION = r"""
module: rollback
short_description: Put back what was there on a Proxmox VE node before the last apply from here
version_added: "0.1.0"
author: The pvenet authors (@pvenet)
description:
  - What was only staged is reverted; what was applied is undone with another reload, and verified.
  - Where there is nothing to roll back it changes nothing.
extends_documentation_fragment:
  - pvenet.network.connection
  - pvenet.network.connection.allow
options:
  journal:
    description: The journal to roll back, by its number in C(pvenet history) or its name; by default the newest.
    type: str
seealso:
  - module: pvenet.network.interfaces
  - module: pvenet.network.apply
"""

EXAMPLES = r"""
- name: As it was before
  pvenet.network.rollback:
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
requests:
  description: What a run would send, each with C(method), C(path) and C(form).
  returned: in check mode
  type: list
  elements: dict
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
from ansible_collections.pvenet.network.plugins.module_utils.parameters import ALLOW


def main() -> None:
    """Run the module."""
    run("rollback", {**ALLOW, "journal": {"type": "str"}})


if __name__ == "__main__":
    main()
