"""The one place that knows PVE's spelling: JSON entries to values, values to form parameters.

Reading is tolerant (mixed types, missing and unknown keys, nulls); writing is exact. Facts, sections 5 to 7.
"""

from pvenet.wire.losses import losses, losses_of
from pvenet.wire.reading import interface, link, network
from pvenet.wire.requests import Request, request
from pvenet.wire.spelling import OBSERVED, SPELLINGS, Entry, Form, spelled
from pvenet.wire.writing import create_form, update_form

__all__ = [
    "OBSERVED",
    "SPELLINGS",
    "Entry",
    "Form",
    "Request",
    "create_form",
    "interface",
    "link",
    "losses",
    "losses_of",
    "network",
    "request",
    "spelled",
    "update_form",
]
