"""What the kernel of a simulated node has, and how the node tells it: a report, the bridges call."""
