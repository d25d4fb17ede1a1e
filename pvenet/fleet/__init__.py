"""Many nodes: read and planned in parallel, changed one after another."""
