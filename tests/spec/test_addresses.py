"""Addresses as people write them: the same for the command line and for a network file."""

from __future__ import annotations

import re
from ipaddress import IPv4Address, IPv4Interface, IPv6Address, IPv6Interface, ip_address, ip_interface
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pvenet.model.addresses import SPELLINGS, parse_address

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from conftest import Ran


@pytest.mark.parametrize("field", SPELLINGS)
def test_an_example_is_an_address(field: str) -> None:
    """Each field's own, with its prefix length where it has one."""
    example = SPELLINGS[field].example
    read = ip_interface if SPELLINGS[field].prefix else ip_address
    assert parse_address(field, example) == read(example)


ODD_LENGTHS = ["255.255.255.0", "0.0.0.255", "255.0.255.0", "024", "8/9", ""]


@given(st.ip_addresses(), st.integers(0, 130).map(str) | st.sampled_from(ODD_LENGTHS))
def test_an_address_with_a_prefix_length_is_what_python_takes_it_for(
    address: IPv4Address | IPv6Address, length: str
) -> None:
    """With the same network around it; and what Python takes for none is none."""
    text, field = f"{address}/{length}", "cidr" if isinstance(address, IPv4Address) else "cidr6"
    try:
        expected = ip_interface(text)
    except ValueError:
        with pytest.raises(ValueError, match="is not an IPv"):
            parse_address(field, text)
    else:
        found = parse_address(field, text)
        assert isinstance(found, IPv4Interface | IPv6Interface)
        assert (found, found.network, found.with_netmask) == (expected, expected.network, expected.with_netmask)


WRONG = [
    ("cidr", "10.0.0.300/24", "'10.0.0.300/24' is not an IPv4 address like 10.0.0.2/24"),
    ("cidr", "10.0.0.3", "10.0.0.3 lacks its prefix length, as in 10.0.0.3/24"),
    ("cidr6", "fd00::3", "fd00::3 lacks its prefix length, as in fd00::3/64"),
    ("cidr6", "10.0.0.3/24", "10.0.0.3/24 is an IPv4 address; use cidr for that"),
    ("gateway", "fd00::1", "fd00::1 is an IPv6 address; use gateway6 for that"),
    ("gateway", "10.0.0.1/24", "'10.0.0.1/24' is not an IPv4 address like 10.0.0.2"),
    ("gateway6", "", "'' is not an IPv6 address like fd00::2"),
]


@pytest.mark.parametrize(("field", "text", "message"), WRONG)
def test_what_is_no_address_is_told(field: str, text: str, message: str) -> None:
    """With an example, or what goes wrong with it."""
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        parse_address(field, text)


@pytest.mark.parametrize("value", [None, 7, 10.5, ["10.0.0.1/24"]])
def test_what_is_no_text_is_no_address(value: object) -> None:
    """Python would take a number for one."""
    with pytest.raises(ValueError, match="is not an IPv4 address"):
        parse_address("cidr", value)


@pytest.mark.usefixtures("lab")
@pytest.mark.parametrize(("field", "text", "message"), [each for each in WRONG if each[1]])
def test_both_say_the_same(run: Callable[..., Ran], tmp_path: Path, field: str, text: str, message: str) -> None:
    """The command line calls the other field as its option."""
    said = run("bridge", "create", f"--{field}", text).err
    goes_with = message.replace("address; use ", "address; use --")
    assert f"--{field}: {goes_with}\n" in said
    file = tmp_path / "network.yaml"
    file.write_text(f"nodes: {{pve1: {{vmbr1: {{type: bridge, {field}: '{text}'}}}}}}")
    assert message in run("check", "-f", str(file)).err
