"""`python -m pvenet` is `pvenet`."""

from pvenet.cli import entry

entry()
