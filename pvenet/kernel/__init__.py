"""What the kernel of a node says, and what differs from the network wanted. Pure."""
