# Copyright: The pvenet authors
# MIT licence (see LICENSE or https://opensource.org/license/mit)
# SPDX-License-Identifier: MIT
"""What the modules' documentation shares."""

from __future__ import annotations


class ModuleDocFragment:
    """Where to go, who we are, whom to trust."""

    DOCUMENTATION = r"""
options:
  api_host:
    description:
      - Where PVE's API is, as in V(pve1), V(192.168.1.5) or V(https://pve1.example.com:8006). Several members of a
        cluster may be named; the first that answers is used, and the others where the way to it is cut.
      - As every option of the connection it may be in the inventory instead, by its name with C(pvenet_) before it
        (C(pvenet_api_host)). Where a task names another place, login or trust, the inventory's does not count beside
        it. What neither says comes from O(profile), and from the controller's environment (E(PVENET_ENDPOINT),
        E(PROXMOX_HOST) and the others).
    type: list
    elements: str
    aliases: [endpoint]
  api_port:
    description: The port of those hosts that name none; 8006 unless it is given.
    type: int
  api_user:
    description: The user with its realm, as in V(root@pam); without O(api_token_id) it logs in with O(api_password).
    type: str
  api_password:
    description: The password of O(api_user).
    type: str
  api_token_id:
    description:
      - The API token, whole as in V(root@pam!pvenet), or its last part alone beside O(api_user).
    type: str
  api_token_secret:
    description: The secret of O(api_token_id).
    type: str
  api_token_file:
    description: A file on the controller that holds that secret, and that nobody else can read.
    type: path
  validate_certs:
    description:
      - V(false) trusts whoever answers, and says so. Otherwise the certificate must be the one of O(fingerprint), or
        issued by O(ca_path) or by a CA of the controller.
    type: bool
  ca_path:
    description: A file on the controller with the CA to trust, as PVE keeps one in C(/etc/pve/pve-root-ca.pem).
    type: path
  fingerprint:
    description:
      - The SHA-256 of the certificate to trust, as C(pvenode cert info) shows it; one, or one for each of
        O(api_host).
    type: list
    elements: str
  profile:
    description: A profile of pvenet's on the controller, as C(pvenet login) makes them.
    type: str
  sim:
    description: The folder of a simulated node on the controller, to try something without any node.
    type: path
  node:
    description:
      - The node's name in PVE. If it is left out, it is the inventory's name of the host up to its first dot; for
        V(localhost) the only node that there is.
    type: str
  state_dir:
    description:
      - Where pvenet keeps its journals on the controller; C(~/.local/state/pvenet) unless it is given. They hold what
        was there before, so that a rollback needs the same folder.
    type: path
requirements:
  - pvenet on the controller, for the Python that runs Ansible
attributes:
  check_mode:
    support: full
    description: Says what would change, and changes nothing.
  diff_mode:
    support: full
    description: Shows what a change means, and PVE's own diff.
notes:
  - It runs on the controller, whatever the host's connection, so nothing is needed on the node.
  - C(async) is for C(poll=0); with another C(poll) it is waited for as without C(async). Whoever asks for the job
    asks on the controller (C(delegate_to=localhost)).
  - A node whose API can't be reached is UNREACHABLE, as a host is that has no SSH.
"""

    ALLOW = r"""
options:
  allow_management:
    description: Go on even if it touches the management path.
    type: bool
    default: false
  allow_guests:
    description: The numbers of guests that may be cut, or V(all).
    type: list
    elements: str
    default: []
  timeout:
    description: Seconds from the reload to the verdict.
    type: float
    default: 60.0
  verify:
    description: What it is verified by; V(auto) is the kernel where the rights allow it.
    type: str
    choices: [auto, kernel, flags]
  sdn_lock:
    description: Hold the cluster's SDN lock meanwhile.
    type: bool
"""

    APPLY = r"""
options:
  on_failure:
    description: If it fails, or its result is not known in time, put back what was there, or keep it.
    type: str
    choices: [rollback, keep]
    default: rollback
  confirm_within:
    description:
      - Roll back unless somebody says within so many seconds that it may stay, with M(pvenet.network.confirm) or
        C(pvenet confirm). The task waits for that, so that it is for C(async).
    type: float
  arm:
    description: Stage the way back during the reload, so that a power cycle then boots the network from before.
    type: bool
    default: false
  adopt:
    description: Also where something is pending that was not staged from here.
    type: bool
    default: false
  require:
    description: Fail where this does not come, instead of a warning.
    type: list
    elements: str
    choices: [lacp, carrier]
    default: []
  update_hosts:
    description: Let the node's own line of its C(/etc/hosts) follow a new address.
    type: bool
    default: false
  verify_with:
    description:
      - A command on the controller that has the last word; anything but 0 rolls back. It is run without a shell.
    type: str
"""
