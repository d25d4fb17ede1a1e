"""Who may enter, and what they may do there."""
