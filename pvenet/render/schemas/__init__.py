"""What commands print with `--json`, as values from which JSON Schemas are made; where it is a dataclass, from that."""
