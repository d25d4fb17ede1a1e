"""A Proxmox VE node that is not there. Imports nothing of pvenet outside itself."""
