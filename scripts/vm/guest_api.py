"""Ways into the machine: SSH with a key that is thrown away with it, and its API."""

from __future__ import annotations

import hashlib
import http.client
import io
import json
import ssl
import subprocess
import tarfile
from pathlib import Path
from typing import TYPE_CHECKING

from vm.kept import ROOT, place, write_private
from vm.qemu import TOLD

if TYPE_CHECKING:
    from collections.abc import Mapping

HERE = Path(__file__).parent
TOKEN_ID = "root@pam!full"
ANSWER_SECONDS = 5.0
KNOWN = "known_hosts"
HOST = "pvenet-vm"
"""The machine's name for SSH: its port changes, its key is what it is known by."""


def make_key(folder: Path) -> str:
    """A new key to enter the machine with; its public half."""
    return _key(folder / "key")


def make_host_key(folder: Path) -> str:
    """A new key by which the machine is known, and no other is taken for it."""
    (folder / KNOWN).write_text(f"{HOST} {_key(folder / 'host_key')}")
    return (folder / "host_key").read_text()


def _key(path: Path) -> str:
    public = path.with_name(f"{path.name}.pub")
    for old in (path, public):
        old.unlink(missing_ok=True)
    command = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "pvenet-vm", "-f", str(path)]
    subprocess.run(command, check=True, stdin=subprocess.DEVNULL)
    return public.read_text()


def deliver(path: Path, private: Mapping[str, str]) -> None:
    """Pack what the machine takes from its second disk: this checkout's pvenet, and files that only root may read."""
    write_private(path, "")
    with tarfile.open(path, "w") as archive:
        for source in sorted((ROOT / "pvenet").rglob("*.*")):
            if source.is_file() and "__pycache__" not in source.parts:
                archive.add(source, f"pvenet/{source.relative_to(ROOT / 'pvenet')}")
        archive.add(HERE / "serve.py", "serve.py")
        for name, text in private.items():
            entry = tarfile.TarInfo(name)
            entry.size, entry.mode = len(text), 0o600
            archive.addfile(entry, io.BytesIO(text.encode()))


def ssh_words(kind: str, port: int) -> list[str]:
    """What runs a command in the machine as root."""
    known = place(kind) / KNOWN
    options = {
        "BatchMode": "yes",
        "ConnectTimeout": "10",
        "ControlMaster": "no",
        "GlobalKnownHostsFile": "/dev/null",
        "HostKeyAlias": HOST,
        "IdentitiesOnly": "yes",
        "KexAlgorithms": "curve25519-sha256",
        "LogLevel": "ERROR",
        # The way is loopback; a PVE of its own making has a key that nobody knows beforehand.
        "StrictHostKeyChecking": "yes" if known.exists() else "no",
        "UserKnownHostsFile": f'"{known}"' if known.exists() else "/dev/null",
    }
    words = [word for name, value in options.items() for word in ("-o", f"{name}={value}")]
    return ["ssh", "-F", "/dev/null", *words, "-i", str(place(kind) / "key"), "-p", str(port), "root@127.0.0.1"]


def told(folder: Path) -> list[dict[str, str]]:
    """What the machine has told of itself so far: the API's fingerprint, or its error, each time that it starts."""
    try:
        lines = (folder / TOLD).read_text(errors="replace").split("\n")[:-1]
    except FileNotFoundError:
        return []
    return [json.loads(line) for line in lines]


def answers(port: int, secret: str, fingerprint: str, token_id: str = TOKEN_ID) -> bool:
    """Whether the API itself answers here; an open port says nothing, because qemu accepts before the machine does."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    link = http.client.HTTPSConnection("127.0.0.1", port, timeout=ANSWER_SECONDS, context=context)
    try:
        link.connect()
        certificate = link.sock.getpeercert(binary_form=True)
        if certificate is None or hashlib.sha256(certificate).hexdigest() != fingerprint.replace(":", "").lower():
            return False
        link.request("GET", "/api2/json/version", headers={"Authorization": f"PVEAPIToken={token_id}={secret}"})
        return link.getresponse().status == http.client.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        link.close()
