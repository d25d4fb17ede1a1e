"""What a saved plan keeps of a node: a digest that later releases have to find again."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict

from file_replay import files

from pvenet import wire
from pvenet.model import canonical, kind_of
from pvenet.spec.node_plan import fingerprint


def test_a_digest_stays_what_it_was_in_plans_that_are_saved() -> None:
    """Every field of every interface as PVE keeps it, by name, in JSON; of 700 real and generated files."""
    found = 0
    for file in files():
        network = wire.network(dict(each) for each in file.listing)
        kept = {name: [kind_of(each), asdict(canonical(each))] for name, each in network.interfaces.items()}
        text = json.dumps(kept, sort_keys=True, default=str)
        assert fingerprint(network) == hashlib.sha256(text.encode()).hexdigest()
        found += 1
    assert found == 700


def test_what_pve_would_keep_as_it_is_is_not_copied() -> None:
    """A network is made canonical many times while it is planned."""
    for file in files():
        for each in wire.network(dict(each) for each in file.listing).interfaces.values():
            kept = canonical(each)
            assert canonical(kept) is kept or kept.comments
