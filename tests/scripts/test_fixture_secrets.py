"""Nothing in fixtures/ opens anything, or tells whose node it was."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING
from urllib.parse import quote

import pytest
from paths import FIXTURES
from recording.leaks import find

if TYPE_CHECKING:
    from pathlib import Path

SMALL = "real/5-management-dies.jsonl"
SIGNATURE = "kGJthBSE7n4XL3TV9ucobHOb677LIc92U8eg" * 4
SECRETS = {
    "UUID": "0f5b7c1e-9a52-4c61-8f0d-6f0f4d1b2a37",
    "ticket": f"PVE:jane@corp:68A1B2C3::{SIGNATURE}==",
    "CSRF token": "68A1B2C3:AiMlG7q1ahGDIy8wT1sMyrngqcgXFKdpnEsN6Xrur0w",
    "fingerprint": ":".join(f"{number:02X}" for number in range(100, 132)),
    "key": "-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEIA==\n-----END PRIVATE KEY-----\n",
    "token": "PVEAPIToken=jane@corp!laptop=topsecret",
    "authorization": "Basic amFuZTpodW50ZXIy",
    "password": "username=jane&password=hunter2",
    "public address": "gateway 8.8.4.4",
    "public name": "https://pve.acme-hosting.de:8006/",
    "MAC address": "3c:ec:ef:12:34:56",
}
MORE = {
    "ticket of a console": ("ticket", f"PVEVNC:jane@corp:68A1B2C3::{SIGNATURE}=="),
    "fingerprint without colons": ("fingerprint", "9f" * 32),
    "fingerprint of SHA-1": ("fingerprint", ":".join(f"{number:02x}" for number in range(100, 120))),
    "key of SSH": ("key", "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ root@host"),
    "password in JSON": ("password", '{"username": "jane", "password": "hunter2"}'),
    "address of IPv6": ("public address", "cidr6 2a01:4f8:c0c:1234::2/64"),
    "MAC address in a name": ("MAC address", "altnames enx3cecef123456"),
}
EVERY = {**{kind: (kind, text) for kind, text in SECRETS.items()}, **MORE}


def leaks_in(folder: Path) -> list[str]:
    """Every leak in every file of a folder, with its file."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return [f"{path.relative_to(folder)}: {leak}" for path in files for leak in find(path.read_text(encoding="utf-8"))]


def test_fixtures_hold_no_secret() -> None:
    """No file of fixtures/ holds a secret, a MAC address, or a public name or address."""
    assert not leaks_in(FIXTURES)


@pytest.mark.parametrize("name", EVERY)
@pytest.mark.parametrize("form", ["text", "json", "quoted"])
def test_a_planted_secret_is_found(tmp_path: Path, name: str, form: str) -> None:
    """A secret in a copy of the recordings is found, in plain text, within JSON's quotes, and percent-encoded."""
    kind, text = EVERY[name]
    place = tmp_path / SMALL
    place.parent.mkdir()
    shutil.copyfile(FIXTURES / SMALL, place)
    assert leaks_in(tmp_path) == []
    if form == "quoted":
        text = quote(text, safe="=&")
    with place.open("a", encoding="utf-8") as file:
        file.write((json.dumps({"body": json.dumps({"t": text})}) if form == "json" else text) + "\n")
    assert [leak for leak in leaks_in(tmp_path) if leak.startswith(f"{SMALL}: {kind} ")]


@pytest.mark.parametrize("text", SECRETS.values(), ids=SECRETS)
def test_a_leak_is_told_without_telling_it(text: str) -> None:
    """The message about a leak shows no more of it than finds it again."""
    assert all(len(str(leak)) <= len(leak.kind) + 10 for leak in find(text))


@pytest.mark.parametrize(
    "text",
    [
        "PVEAPIToken=root@pam!full=11111111-1111-1111-1111-111111111111",
        "at /usr/share/perl5/PVE/Network/Interfaces.pm line 909.",
        "10.0.2.15/24 192.168.171.2 198.51.100.5 fd00::5/64 fe80::1 10.20.0.300 255.255.255.0 9.2.11",
        "bridge_id 8000.de:47:cf:e7:a0:7d group_address 01:80:c2:00:00:00 brd ff:ff:ff:ff:ff:ff fec0::5054:ff:fe00:41",
        "Sun, 22 Nov 2026 17:00:25 GMT pve1.example.com bond0.50 00:00:5e:00:53:01 enx00005e005301",
        "UPID:pve1:0000016D:00027A3C:6B031587:srvreload:networking:root@pam!full:",
        '{"errors":{"password":"property is missing and it is not optional"}}',
    ],
)
def test_what_is_no_leak(text: str) -> None:
    """Throw-away credentials, private and documents' addresses, and PVE's own words are none."""
    assert not list(find(text))
