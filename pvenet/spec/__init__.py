"""A network file: one text that says what the network of all nodes shall be.

Its modules are imported one by one, so that only the commands that read a file load PyYAML and pydantic.
"""
