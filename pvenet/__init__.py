"""pvenet: change the network of Proxmox VE nodes, and see it come up."""
