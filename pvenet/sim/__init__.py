"""A Proxmox VE node that is not there. Imports nothing of pvenet outside itself.

The ways in are `adapter` (in process) and `server` (over HTTPS); both go through `front`, where faults happen, to
`api`, which asks the `calls`. `state` is the folder on disk, `machine/` what stands beneath a node, `system/` the real
one in its place; `interfaces/` and `diff/` are what PVE makes of the interfaces file.
"""
