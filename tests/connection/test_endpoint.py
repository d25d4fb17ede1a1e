"""Endpoints as people write them."""

from __future__ import annotations

import pytest

from pvenet import errors
from pvenet.connection.endpoint import parse


@pytest.mark.parametrize(
    ("text", "url"),
    [
        ("pve1", "https://pve1:8006"),
        ("pve1:\n", "https://pve1:8006"),
        ("PVE1.Example.com.", "https://pve1.example.com.:8006"),
        (" pve_1:443 ", "https://pve_1:443"),
        ("https://pve1", "https://pve1:8006"),
        ("HTTPS://pve1:8006/", "https://pve1:8006"),
        ("https://pve1:8006/#v1:0:18:4", "https://pve1:8006"),
        ("https://pve1:8006/api2/json/", "https://pve1:8006"),
        ("192.168.171.21", "https://192.168.171.21:8006"),
        ("192.168.171.21:8007", "https://192.168.171.21:8007"),
        ("::1", "https://[::1]:8006"),
        ("fd00::21", "https://[fd00::21]:8006"),
        ("[fd00::21]", "https://[fd00::21]:8006"),
        ("[::1]:8006", "https://[::1]:8006"),
        ("https://[fd00::21]:443/", "https://[fd00::21]:443"),
        ("http://127.0.0.1:8006", "http://127.0.0.1:8006"),
        ("http://127.9.9.9", "http://127.9.9.9:8006"),
        ("http://localhost:1", "http://localhost:1"),
        ("http://[::1]:1", "http://[::1]:1"),
    ],
)
def test_an_endpoint_has_many_spellings(text: str, url: str) -> None:
    """A name or an address, with or without scheme and port; what a browser's address line has is cut off."""
    assert parse(text).url == url


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "https://",
        ":8006",
        "pve1:0",
        "pve1:70000",
        "pve1:port",
        "pve 1",
        "pve1,pve2",
        "a..b",
        ".pve1",
        "x" * 64,
        "[fd00::zz]",
        "fd00::21:8006:1:2:3:4:5:6:7",
        "[::1",
        "[pve1]",
        "ftp://pve1",
        "sim:lab",
        "https://https://pve1",
        "https://pve1:8006/other/place",
        "https://pve1/api2/json?x=1",
        "pve\n1",
        "pve1\x00",
        "pve1%0a",
    ],
)
def test_garbage_is_no_endpoint(text: str) -> None:
    """Exit code 2, and how to write one."""
    with pytest.raises(errors.UsageError) as caught:
        parse(text)
    assert caught.value.exit_code == 2
    assert caught.value.hint == "write it as https://HOST:8006"


@pytest.mark.parametrize(
    "text",
    [
        "https://root:hunter2@pve1:8006",
        "root:hunter2@pve1",
        "root@pam:hunter2@pve1:port",
        "https://root:hunter2@",
        "http://:hunter2@127.0.0.1",
    ],
)
def test_an_endpoint_holds_no_credentials(text: str) -> None:
    """They are refused, whatever else is wrong, and not repeated; the hint names where they go."""
    with pytest.raises(errors.UsageError, match="holds no credentials") as caught:
        parse(text)
    assert "hunter2" not in caught.value.message + caught.value.hint
    assert "PVENET_TOKEN_SECRET" in caught.value.hint


@pytest.mark.parametrize("host", ["pve1", "192.168.171.21", "[fd00::21]", "localhost.example.com", "0.0.0.0"])
def test_http_goes_nowhere_but_to_this_machine(host: str) -> None:
    """The credentials would be readable on the way; the hint has the right spelling."""
    with pytest.raises(errors.UsageError, match="in the clear") as caught:
        parse(f"http://{host}:8006")
    assert caught.value.hint == f"write https://{host}:8006"


def test_an_endpoint_knows_its_addresses() -> None:
    """As text; none where the name does not resolve."""
    assert parse("127.0.0.1").addresses() == {"127.0.0.1"}
    assert parse("FE80:0::1%eth0").addresses() == {"fe80::1"}
    assert parse("localhost").addresses() & {"127.0.0.1", "::1"}
    assert parse("pve.invalid").addresses() == frozenset()
