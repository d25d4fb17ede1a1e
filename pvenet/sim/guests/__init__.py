"""Guests of a simulated node: their configurations as PVE keeps them, which of them run, and their ports."""
