"""The SDN configuration of the simulated cluster: its lock, its zones, and what applying it does to nodes."""
