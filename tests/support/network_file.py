"""Network files: that of the documents, and one for a rollout."""

EXAMPLE = """\
# network.yaml
defaults:                      # under every node unless it says otherwise
  bond0: {type: bond, slaves: [ens38, ens39], mode: balance-rr}
  vmbr1: {type: bridge, ports: [bond0], comments: For tagged traffic}
nodes:
  pve1:
    vmbr0: {type: bridge, ports: [ens33, ens37], cidr: 192.168.171.21/24, gateway: 192.168.171.2}
  pve2:
    vmbr0: {type: bridge, ports: [ens33, ens37], cidr: 192.168.171.22/24, gateway: 192.168.171.2}
    vmbr9: {state: absent}
"""


def tagged(*nodes: str) -> str:
    """A file that wants the same bond and bridge on each of these nodes; nothing of it touches the way to one."""
    return f"""\
defaults:
  bond0: {{type: bond, slaves: [ens38, ens39], mode: balance-rr}}
  vmbr1: {{type: bridge, ports: [bond0], comments: For tagged traffic}}
nodes: {{{", ".join(f"{node}: " for node in nodes)}}}
"""
