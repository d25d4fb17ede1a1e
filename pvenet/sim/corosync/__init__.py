"""The cluster that simulated nodes form: its configuration in PVE's own form, its links, and its quorum."""
