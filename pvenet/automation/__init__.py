"""What a configuration management asks for: parameters in, one result as plain data out. Ansible's modules call this.

It is for one node at a time, asks no person, prints nothing and raises nothing: what went wrong is a part of the
result.
"""

from pvenet.automation.answer import answer

__all__ = ["answer"]
