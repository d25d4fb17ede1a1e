"""The one place that knows PVE's spelling: JSON entries to values, values to form parameters.

Reading is tolerant (mixed types, missing and unknown keys, nulls); writing is exact. pve-api#listing, pve-api#create
and pve-api#update.
"""

from pvenet.wire.entries import unreadable
from pvenet.wire.line_ends import line_ends
from pvenet.wire.losses import losses, losses_of
from pvenet.wire.prediction import Difference, by_name, differences, predicted, told
from pvenet.wire.reading import interface, link, network
from pvenet.wire.refusals import foreseen, unseen_slave
from pvenet.wire.removals import removed
from pvenet.wire.requests import Request, request
from pvenet.wire.spelling import OBSERVED, SPELLINGS, Entry, Form, spelled
from pvenet.wire.writing import create_form, update_form

__all__ = [
    "OBSERVED",
    "SPELLINGS",
    "Difference",
    "Entry",
    "Form",
    "Request",
    "by_name",
    "create_form",
    "differences",
    "foreseen",
    "interface",
    "line_ends",
    "link",
    "losses",
    "losses_of",
    "network",
    "predicted",
    "removed",
    "request",
    "spelled",
    "told",
    "unreadable",
    "unseen_slave",
    "update_form",
]
