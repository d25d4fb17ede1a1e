"""Everything that can stand in the way of a change, looked at once; nothing is changed."""
