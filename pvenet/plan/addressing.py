"""The problems of addresses: one that two interfaces have, one that no host can have, a subnet on two interfaces."""

from __future__ import annotations

from ipaddress import IPv4Interface
from typing import TYPE_CHECKING

from pvenet.model.addresses import addresses
from pvenet.model.names import device_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pvenet.model.addresses import Address
    from pvenet.plan.context import Context, Problem, Subject

FIELDS = ("cidr", "cidr6")


def of_one(subject: Subject, context: Context) -> Iterator[Problem]:
    """All problems of the addresses that a change gives to an interface."""
    for field in FIELDS:
        address: Address | None = getattr(subject.after, field)
        if address is not None and field in subject.changed:
            yield from _no_host(subject, field, address)
            yield from _twice(subject, field, address, context)
            if not address.ip.is_link_local:
                yield from _same_subnet(subject, field, address, context)


def _no_host(subject: Subject, field: str, address: Address) -> Iterator[Problem]:
    net = address.network
    if net.num_addresses <= 2:  # noqa: PLR2004 - /31 and /32 have hosts only
        return
    if address.ip == net.network_address:
        yield subject.problem(field, f"{address.ip} is the address of the net {net} and not a host's", warning=True)
    elif isinstance(address, IPv4Interface) and address.ip == net.broadcast_address:
        yield subject.problem(field, f"{address.ip} is the broadcast address of {net} and not a host's", warning=True)


def _twice(subject: Subject, field: str, address: Address, context: Context) -> Iterator[Problem]:
    """An error where the change makes it so; a node that has it already may keep it."""
    had = address.ip in [each.ip for each in addresses(subject.before)]
    for other in context.having[address.ip]:
        if other == subject.name or not context.later(subject.name, other):
            continue
        old = had and address.ip in [each.ip for each in addresses(context.now.get(other))]
        message = f"{subject.name} has the address {address.ip}, which {other} also has"
        yield subject.problem(field, message, other=other, warning=old, by_change=True)


def _same_subnet(subject: Subject, field: str, address: Address, context: Context) -> Iterator[Problem]:
    """Another device's address: an alias is its device by another name."""
    for other in context.within[address.network]:
        if device_of(other) == device_of(subject.name) or other in context.having[address.ip]:
            continue
        if not context.later(subject.name, other):
            continue
        message = f"{subject.name} and {other} are both in {address.network}"
        yield subject.problem(field, message, other=other, warning=True)
