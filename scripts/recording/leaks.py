"""What must not stand in a recording: anything that looks like a secret, or tells whose node it was.

`find` knows nothing of where a text comes from, so it serves the recorder, which refuses to write what it finds, and
the test that reads all of fixtures/. It looks at the text, and at the text with its percent-encoding undone.
"""

from __future__ import annotations

import hashlib
import ipaddress
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import unquote

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

HEX = "[0-9A-Fa-f]"
UUID = re.compile(rf"(?<!{HEX}){HEX}{{8}}-(?:{HEX}{{4}}-){{3}}{HEX}{{12}}(?!{HEX})")
TICKET = re.compile(r"PVE\w*:[^\s:\"\\]+:[0-9A-Fa-f]{8}::[A-Za-z0-9+/=]+")
CSRF = re.compile(r"(?<![0-9A-Fa-f:])[0-9A-F]{8}:[A-Za-z0-9+/]{40,}={0,2}")
FINGERPRINT = re.compile(rf"(?<![0-9A-Fa-f:])(?:{HEX}{{2}}:){{15,}}{HEX}{{2}}(?![0-9A-Fa-f:])|(?<!\w){HEX}{{64}}(?!\w)")
MAC = re.compile(rf"(?<![0-9A-Fa-f:]){HEX}{{2}}(?:[:-]{HEX}{{2}}){{5}}(?![0-9A-Fa-f:-])|(?<=\benx){HEX}{{12}}\b")
KEY = re.compile(r"-----BEGIN [A-Z0-9 ]+-----|\bssh-(?:rsa|dss|ed25519) AAAA\S*|\becdsa-sha2-\S+ AAAA\S*")
TOKEN = re.compile(r"PVEAPIToken=(?P<value>[^\s\"\\]*)")
BASIC = re.compile(r"\b(?:Basic|Bearer)\s+(?P<value>[A-Za-z0-9+/=._-]+)")
PASSWORD = re.compile(
    r"(?i)[\"\\']*\b(?:password|passwd|secret|otp)\b[\"\\']*\s*[=:]\s*[\"\\']*(?P<value>[^\s\"'\\&,;}]+)"
)
IPV4 = re.compile(r"(?<![\w.])\d{1,3}(?:\.\d{1,3}){3}(?![\w]|\.\d)")
IPV6 = re.compile(rf"(?<![\w:.])(?=[^\s]*:{HEX}*:){HEX}{{0,4}}(?::{HEX}{{0,4}}){{2,7}}(?![\w:])")
HOST = re.compile(r"(?i)(?<![\w.-])(?:[a-z0-9](?:[a-z0-9-]*[a-z0-9])?\.)+(?P<end>[a-z]{2,10})(?![\w-]|\.[a-z0-9])")

GENERIC = frozenset(
    {"com", "net", "org", "info", "biz", "edu", "gov", "app", "dev", "cloud", "online", "site", "tech", "xyz"}
)
"""The ends of public names that are longer than two letters: the usual ones."""
FILES = frozenset({"pm", "pl", "sh", "py", "md", "so", "rs", "js", "fw"})
"""Those of two letters that are also the ends of files."""
OPEN_NAMES = frozenset({"example.com", "example.net", "example.org"})
"""Names that belong to nobody (RFC 2606)."""
SITE = ipaddress.ip_network("fec0::/10")
"""Site-local: was never routed (RFC 3879), and is what qemu gives its guests."""
OPEN_MAC = "00005e0053"
"""The first five bytes of the addresses for documents (RFC 7042)."""
THROW_AWAY = frozenset(
    {
        *("-".join(digit * size for size in (8, 4, 4, 4, 12)) for digit in "12345678"),
        "99999999-1111-1111-1111-111111111111",  # a wrong secret of A003
        "1234",  # a malformed one of A009
        "oracle-secret",
        *("bad", "bad-password", "x", "123456", "abc"),  # wrong passwords, a wrong otp and a Bearer of group A
        "cm9vdDpvcmFjbGU=",  # the Basic of A011
        *("2a00:1450:1::1", "2a00:1450:1::2"),  # addresses that the walks made up
        *(":".join(["00"] * size) for size in (20, 32)),  # a scrubbed fingerprint
        *("1.1.1.1", "9.9.9.9"),  # resolvers, in the files of files.jsonl
        "198.51.0.0",  # a network that those of documents are a part of, in reports/
        *("001b21aabbcc", "00e04c680001", "020000680083"),  # MACs that files.jsonl and reports/ made up
        *(f"02000000000{digit}" for digit in range(5)),
        *("02:00:00:aa:bb:cc", "02:00:00:dd:ee:ff"),
        "692285a6-dae1-4b06-b9a6-59cba5238af2",  # a disk of the machine behind kernel/
        "99f946ca-685c-4353-b63a-2c837df2663a",
        *(f"52:54:00:00:00:{number}" for number in (33, 37, 38, 39, 40, 41)),  # its cards
        *(f"BC:24:11:2C:69:{end}" for end in ("0C", "0D", "EC", "ED", "FC")),  # its guests
        *("BC:24:11:AA:00:01", "BC:24:11:AA:00:02"),
        "00000000-0000-0000-0000-000000000000",  # a wrong token of its SDN lock, and those that it gave
        *("01a2149c-536a-7809-bf21-4ef3c4c10587", "01a2149c-5c0f-7cd9-b69b-82f948424ff6"),
        *("01a2149c-6bf3-78c6-8ae1-c8d96135e1aa", "01a2149c-6c4a-7750-a740-ccd703d9fd72"),
        *("-".join(digit * size for size in (8, 4, 4, 4, 12)) for digit in "abcd"),  # put into kernel/tokens.jsonl
        *(f"6B0757F4:{('MadeUp' * 8)[:43]}", f"PVE:root@pam:6B0757F4::{('MadeUp+Signature/' * 21)[:342]}=="),
        "www.proxmox.com",  # whose shop PVE names where there is no subscription
    }
)
"""Credentials of the first recordings' server, which was thrown away, as their README says; and what was made up."""
CHANCE = """
aa33e82b691b 869cd24f91cf ce89a1025689 fac20a4ea982 b281287a3fa1 b66073cfd0ec 16faad3c1582 8ab69d36c781
3e6732992cf3 22d92e18fe29 9a8ab20e82b2 a221474b9566 a2e936007c35 beb70c83187f 3ede0053b762 de47cfe7a07d 123d4a5b5c64
8a00664d991d 225a51a653fe 1a84a0f0eb91 ea993b772b33 c2826dc98d8b 8e536e980bdf 228848a540e4 025110763a17 6ed4326a4504
72e14160fb14 1ee82c7904b0 0a1cf9912626 5a16a2bce30d 7a9c1cc24b0a d62f995fbf98
"""
"""MACs that the kernel of a machine behind kernel/ made up for its bridges and guests' ports."""
NOBODYS = re.compile(r"[0-9a-f][13579bdf]|0{12}")
"""How MACs begin that are no card's: those of groups, and none at all."""
BRIDGE_ID = re.compile(rf"{HEX}{{4}}\.{HEX}{{2}}(?=:{HEX}{{1,2}}:)")
"""How `ip` writes a bridge's priority and MAC: `8000.de:47:cf:...` is no name."""
THROW_AWAY_DIGESTS = frozenset(
    {
        "c5635bb9ee40a4437bfc51a3c851915989e5060483042444f2a4b48690f2e932",  # tickets of A013, A014, A035 and A036
        "ab852fedab571084fdd42fcd964e90edeeec8543a7c812a5766ba0f94f1df8cc",
        "acc744b576273ec4e424b5bab9e1b68ef2b4331929f0b5ea8385273073eb26f5",
        "81c7538a4468bb54a1f5d179aa8d02e237f2da77911c997baf0ef4bc7387c951",
        "14f527847487e2130e82b95b11877d23b640d9165706c7246eb8162e5a6d3977",  # one that was tampered with, A033
        "e240db3089b228ad544611f785a4eac66866b2ee1e63a4b20accc374b2658f66",  # one that had expired, of group H
        "9895b06d950e1148b0fcdba8a192d8f16cd50d591f21bd139b411e05a1b0eb46",  # the CSRF tokens of those logins
        "9ea1e98f982dba891a6c800fb66760a47b7eb03fb61bc9687634cf77cc04c947",
        "f57ef1ef5befdbf4e0905bf1b34e3f3bde1f4808e16c7552a5f33ec5dd79b7f6",
        "99d8410615c20d013e2bb13575c786bf3161e3b4e85e237f2a2a06e4857738d6",
        "848b5a763dcf1799980e2a21570242e26dfc01f37f47c5481afc93486aa0a756",  # the certificate's fingerprint
        "f615f66923f78ca3fcbf24680a56ee5a3dfed4e91dce7b2b18225ed67b802881",  # those of the nodes behind kernel/
        "c804fb243738f95756db38351ad98a8dc594bba18837d01f403a4cf992beec7b",
    }
)
"""SHA-256 of that server's tickets, CSRF tokens and fingerprint, which are long.

They stay in the recordings as they came: group A is about what PVE makes of a ticket that is quoted, tampered with, or
used as a password, and the server that signed them is gone. Every other one is a leak.
"""


@dataclass(frozen=True, kw_only=True)
class Leak:
    """Something that must not stand in a recording."""

    kind: str
    value: str

    def __str__(self) -> str:
        """Its kind, and as much of it as finds it again without telling it."""
        shown = self.value if len(self.value) < 8 else f"{self.value[:6]}..."  # noqa: PLR2004
        return f"{self.kind} {shown}"


def find(text: str) -> Iterator[Leak]:
    """Everything in a text that is no known throw-away."""
    seen = set()
    for form in dict.fromkeys((text, unquote(text))):
        for kind, pattern, suspicious in RULES:
            for match in pattern.finditer(form):
                value = match["value"] if "value" in pattern.groupindex else match[0]
                if (kind, value) not in seen and not known(value) and suspicious(match):
                    seen.add((kind, value))
                    yield Leak(kind=kind, value=value)


def known(value: str) -> bool:
    """Whether it opened nothing but a server that is gone."""
    return value in THROW_AWAY or hashlib.sha256(value.encode()).hexdigest() in THROW_AWAY_DIGESTS


def _always(_match: re.Match[str]) -> bool:
    return True


def _secret_of(match: re.Match[str]) -> bool:
    """A token's secret stands behind the second equals sign, where there is one."""
    name, _, secret = match["value"].partition("=")
    return bool(secret) and "!" in name and not known(secret)


def _password(match: re.Match[str]) -> bool:
    """A value, and not PVE's complaint about a missing one; a ticket in its place is found as a ticket."""
    return match["value"] not in {"property", "null"} and not unquote(match["value"]).startswith("PVE:")


def _public(match: re.Match[str]) -> bool:
    try:
        address = ipaddress.ip_address(match[0])
    except ValueError:
        return False
    return address.is_global and not address.is_multicast and address not in SITE


def _owned(match: re.Match[str]) -> bool:
    """A name that somebody may own."""
    name = match[0].lower()
    end = match["end"].lower()
    public = end in GENERIC or (len(end) == len("de") and end not in FILES)
    public = public and not BRIDGE_ID.match(match.string, match.start())
    return public and ".".join(name.split(".")[-2:]) not in OPEN_NAMES


def _hardware(match: re.Match[str]) -> bool:
    mac = re.sub("[:-]", "", match[0]).lower()
    return not (mac.startswith(OPEN_MAC) or NOBODYS.match(mac) or mac in CHANCE.split())


RULES: tuple[tuple[str, re.Pattern[str], Callable[[re.Match[str]], bool]], ...] = (
    ("UUID", UUID, _always),
    ("ticket", TICKET, _always),
    ("CSRF token", CSRF, _always),
    ("fingerprint", FINGERPRINT, _always),
    ("key", KEY, _always),
    ("token", TOKEN, _secret_of),
    ("authorization", BASIC, _always),
    ("password", PASSWORD, _password),
    ("public address", IPV4, _public),
    ("public address", IPV6, _public),
    ("public name", HOST, _owned),
    ("MAC address", MAC, _hardware),
)
