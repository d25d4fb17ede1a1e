"""Network files that are wrong, and what is said of each."""

from __future__ import annotations

WRONG = [
    (
        "nodes: {a: {bond0: {type: bond, slvaes: [x1]}}}",
        "f:1:33: bond0: a bond has no key slvaes (did you mean slaves?)",
    ),
    ("nodes: {a: {bond0: {type: bond, ports: [x1]}}}", "f:1:33: bond0: a bond has no key ports"),
    (
        "nodes: {a: {v0: {type: vlan, raw-device: x}}}",
        "f:1:30: v0: a vlan has no key raw-device (did you mean raw_",
    ),
    (
        "nodes: {a: {bond0: {type: bnod}}}",
        "bond0: bnod is not a type; choose one of eth, bond, bridge, vlan, OVS",
    ),
    ("defaults: {bond0: {type: bnod}}\nnodes: {}", "f:1:12: bond0: bnod is not a type; choose one of eth, bond"),
    ("defaults: {bond0: {type: [bond]}}\nnodes: {a: {bond0: {mtu: 9000}}}", "f:1:12: bond0: a list is not a type"),
    ("nodes: {a: {bond0: {type: [bond]}}}", "bond0: a list is not a type"),
    ("nodes: {a: {bond0: {slaves: [x1]}}}", "f:1:13: bond0: its type is missing: add `type: bond`"),
    ("defaults: {bond0: {}}\nnodes: {}", "f:1:12: bond0: its type is missing"),
    ("nodes: {a: {bond0: }}", "f:1:13: bond0: bond0 is empty"),
    ("nodes: {a: {bond0: bond}}", "f:1:20: bond0: bond0 must hold keys and values, not bond"),
    ("nodes: {a: {bond0: {type: bond, mode: balance_rr}}}", "f:1:39: bond0: balance_rr is not a valid mode;"),
    ("nodes: {a: {bond0: {type: bond, mode: null}}}", "bond0: nothing is not a valid mode"),
    ("nodes: {a: {bond0: {type: bond, slaves: x1}}}", "f:1:41: bond0: slaves must be a list: write [x1]"),
    ("nodes: {a: {bond0: {type: bond, slaves: [[x1]]}}}", "bond0: slaves must list words, not a list"),
    ("nodes: {a: {bond0: {type: bond, mtu: '9000'}}}", 'f:1:38: bond0: mtu must be a whole number, not "9000"'),
    ("nodes: {a: {bond0: {type: bond, mtu: 1.5}}}", "mtu must be a whole number, not 1.5"),
    ("nodes: {a: {bond0: {type: bond, mtu: true}}}", "mtu must be a whole number, not true"),
    (
        "nodes: {a: {vmbr1: {type: bridge, vlan_aware: yes}}}",
        "vlan_aware must be true or false, not yes (did you mean true",
    ),
    ("nodes: {a: {vmbr1: {type: bridge, autostart: null}}}", "autostart must be true or false, not nothing"),
    ("nodes: {a: {vmbr1: {type: bridge, comments: 5}}}", 'comments must be text, not 5; write "5"'),
    (
        "nodes: {a: {vmbr1: {type: bridge, cidr: 10.0.0.1}}}",
        "10.0.0.1 lacks its prefix length, as in 10.0.0.1/24",
    ),
    ("nodes: {a: {vmbr1: {type: bridge, cidr: 10.0.0.300/24}}}", "cidr: '10.0.0.300/24' is not an IPv4 address"),
    ("nodes: {a: {vmbr1: {type: bridge, cidr: 'fd00::1/64'}}}", "use cidr6 for that"),
    ("nodes: {a: {vmbr1: {type: bridge, gateway6: 10.0.0.1}}}", "use gateway for that"),
    ("nodes: {a: {vmbr1: {state: gone}}}", "gone is not a valid state; choose one of present, absent, ignore"),
    ("nodes: {a: {vmbr1: {state: absent, mtu: 1500}}}", "f:1:36: vmbr1: what is absent or ignored takes no mtu"),
    ("nodes: {a: {only: yes}}", "only must be true or false, not yes (did you mean true?)"),
    ("nodes: {'pve1|x': {v1: {type: bridge}}}", "f:1:9: 'pve1|x' is not a node's name: a node has its host's name"),
    ('nodes: {"<b>":}', "f:1:9: '<b>' is not a node's name"),
    ('nodes: {"a\\n":}', "f:1:9: 'a\\n' is not a node's name"),
    ('nodes: {"":}', "f:1:9: '' is not a node's name"),
    ("nodes: {a: 5}", "a must hold keys and values, not 5"),
    ("nodes: 5", "nodes must hold keys and values, not 5"),
    ("defaults: {}", "f:1:1: nodes is missing"),
    ("nods: {}", "f:1:1: unknown key nods (did you mean nodes?)"),
    ("nodes: {}\n<>: a", "f:2:1: unknown key <>"),
    ("nodes: {}\nlint: {<bond>: a}", "f:2:8: unknown key <bond>"),
    ("nodes: {a: {vmbr1: {type: bridge, <bridge>: 1}}}", "f:1:35: vmbr1: a bridge has no key <bridge>"),
    ("- nodes", "the file must hold keys and values, not a list"),
    ("hello", "the file must hold keys and values, not hello"),
    (
        "defaults: {b: {type: bond}}\nnodes: {a: {b: {type: bridge}}}",
        "f:2:13: b is a bond in the defaults and a bridge",
    ),
    # between interfaces
    (
        "nodes: {a: {bond0: {type: bond, slaves: [x1]}, bond1: {type: bond, slaves: [x0, x1]}}}",
        "f:1:81: a: x1 is already a slave of bond0",
    ),
    ("nodes: {a: {mybond: {type: bond}}}", "f:1:13: a: PVE knows a bond by a name like bond0 only"),
    ("nodes: {a: {vlan8: {type: vlan, tag: 9}}}", "f:1:33: a: the name vlan8 says that its tag is 8, not 9"),
    ("nodes: {a: {vmbr1: {type: bridge, mtu: 100}}}", "f:1:35: a: mtu 100 of vmbr1 is outside 1280 to 65520"),
    (
        "nodes: {a: {v1: {type: bridge, gateway: 10.0.0.1}, v2: {type: bridge, gateway: 10.0.0.2}}}",
        "a: v2 can't have the default gateway for IPv4: v1 has it",
    ),
    (
        "nodes: {a: {bond0: {state: absent}, vmbr1: {type: bridge, ports: [bond0]}}}",
        "f:1:13: a: bond0 is in use: a port of vmbr1",
    ),
    # ends of lines that only some programs know
    *(
        (
            f'nodes: {{a: {{vmbr1: {{type: bridge, comments: "note{escape}post-up touch /tmp/evil"}}}}}}',
            f"f:1:35: a: comments of vmbr1 hold '{told}', which ends a line: what follows it could be run",
        )
        for escape, told in ((r"\r", r"\r"), (r"\r\n\r", r"\r"), (r"\f", r"\x0c"), (r"\N", r"\x85"), (r"\L", r"\u2028"))
    ),
    # YAML
    ("", "f:1:1: the file is empty; it begins with `nodes:`"),
    ("# nothing\n", "the file is empty"),
    ("---\n...\n", "the file is empty"),
    ("nodes:\n\ta: {}\n", "f:2:1: a tab: YAML is indented with spaces only"),
    ("nodes: {a: {}, a: {}}", "f:1:16: `a` is listed twice; first on line 1"),
    ("nodes: {a: {}", "f:1:14: this is not YAML"),
    ("a: b: c", "this is not YAML: mapping values are not allowed here"),
    ("nodes: {}\n---\nnodes: {}", "a second document begins here"),
    ("%YAML 1.1\n---\nnodes: {}", "f:1:1: the file is YAML 1.2; leave this line out"),
    ("nodes: !!python/object:os.system {}", "f:1:8: the tag tag:yaml.org,2002:python/object:os.system has no meaning"),
    ("nodes: {a: {<<: {}}}", "f:1:13: `<<` is not YAML 1.2"),
    ("nodes: *there", "f:1:8: *there refers to an anchor that is not defined yet"),
    ("nodes: &a {b: *a}", "*a refers to an anchor that is not defined yet"),
    ("nodes: {[a]: b}", "f:1:9: a key must be a word"),
    ("x: &x 1\nnodes: {*x : b}", "f:2:9: a key must be a word"),
    ("nodes: {a: \x07}", "a character that YAML does not allow"),
]
