"""The machine beneath a node: what it has, what a reload makes of it, and its tasks."""
