"""The cards behind the names: which NIC is which by its MAC, and what follows when a name means another. Pure."""
