"""Recordings of a live node: what is asked, how it is scrubbed, and what may never stand in one."""
