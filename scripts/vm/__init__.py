"""The nested VM: built from packages, booted by qemu, thrown away. Standard library only."""
