"""First contact: from a node's name to a profile with a token of its own, and back."""
