"""Many nodes: read and planned side by side, applied one after another."""
