"""Nested virtual machines to test against."""
