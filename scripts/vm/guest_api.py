"""Ways into the machine: SSH with a key that is thrown away with it, and its API."""

from __future__ import annotations

import hashlib
import http.client
import io
import ssl
import subprocess
import tarfile
from pathlib import Path

from vm.kept import ROOT, place, write_private

HERE = Path(__file__).parent
TOKEN_ID = "root@pam!full"
ANSWER_SECONDS = 5.0


def make_key(folder: Path) -> str:
    """A new key; its public half."""
    for name in ("key", "key.pub"):
        (folder / name).unlink(missing_ok=True)
    command = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "pvenet-vm", "-f", str(folder / "key")]
    subprocess.run(command, check=True, stdin=subprocess.DEVNULL)
    return (folder / "key.pub").read_text()


def deliver(path: Path, public_key: str, secret: str) -> None:
    """Pack what the machine takes from its second disk: this checkout's pvenet, who may enter, the token's secret."""
    write_private(path, "")
    with tarfile.open(path, "w") as archive:
        for source in sorted((ROOT / "pvenet").rglob("*.*")):
            if source.is_file() and "__pycache__" not in source.parts:
                archive.add(source, f"pvenet/{source.relative_to(ROOT / 'pvenet')}")
        archive.add(HERE / "serve.py", "serve.py")
        for name, text in (("authorized_keys", public_key), ("secret", secret + "\n")):
            entry = tarfile.TarInfo(name)
            entry.size, entry.mode = len(text), 0o600
            archive.addfile(entry, io.BytesIO(text.encode()))


def ssh_words(kind: str, port: int) -> list[str]:
    """What runs a command in the machine as root. Its host key is new each time, and the way is loopback."""
    options = {
        "BatchMode": "yes",
        "ConnectTimeout": "10",
        "ControlMaster": "no",
        "GlobalKnownHostsFile": "/dev/null",
        "IdentitiesOnly": "yes",
        "KexAlgorithms": "curve25519-sha256",
        "LogLevel": "ERROR",
        "StrictHostKeyChecking": "no",
        "UserKnownHostsFile": "/dev/null",
    }
    words = [word for name, value in options.items() for word in ("-o", f"{name}={value}")]
    key = place(kind) / "key"
    return ["ssh", "-F", "/dev/null", *words, "-i", str(key), "-p", str(port), "root@127.0.0.1"]


def run(kind: str, port: int, command: str, *, patience: float = 30.0) -> str | None:
    """What a command in the machine prints; None where it can't be run, or fails."""
    try:
        done = subprocess.run(
            [*ssh_words(kind, port), command],
            capture_output=True,
            text=True,
            stdin=subprocess.DEVNULL,
            timeout=patience,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return None
    return done.stdout if done.returncode == 0 else None


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
