"""A bond and a bridge from Ansible, by this collection and by community.proxmox: seconds, requests, and what each says.

Whole runs of `ansible-playbook` against `pvenet sim serve`, and the seconds of an empty play beside them. Once where
all goes well, once where the reload fails, once where the bond does not come up.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

ROOT = Path(__file__).parent.parent
BIN = Path(sys.executable).parent
THEIRS = "community.proxmox.proxmox_node_network"
RUNS = 3
FAULTS = {
    "all goes well": "",
    "the reload fails": "reload-fails=1:error: bond0: nobody knows@PUT network",
    "the bond does not come up": "never-up=bond0@PUT network",
}

COUNTING = """
import sys
from pvenet import cli
from pvenet.sim.front import Front
answer = Front.answer
def counted(self, request, **rest):
    print("request", file=sys.stderr, flush=True)
    return answer(self, request, **rest)
Front.answer = counted
cli.main(sys.argv[1:])
"""
"""`pvenet`, in which a simulated node writes a line for each request."""


@dataclass(frozen=True, kw_only=True)
class Ran:
    """One run of a playbook."""

    seconds: float
    requests: int
    code: int
    bonded: bool
    """Whether the bond is in the node's live file afterwards."""
    said: str


def main() -> None:
    """Measure and print."""
    command = [BIN / "ansible-doc", "--json", THEIRS]  # which ends with 0 also where it finds nothing
    there = subprocess.run(command, env=environment(), capture_output=True, text=True, check=True)
    jobs = {"pvenet.network": ours}
    if THEIRS in json.loads(there.stdout):
        jobs["community.proxmox"] = theirs
    else:
        print(f"{THEIRS} is not installed here (community.proxmox 1.4 or newer): this collection alone is measured")
    for what, fault in FAULTS.items():
        print(f"{what}:")
        for name, job in jobs.items():
            runs = [once(job, fault) for _ in range(RUNS if not fault else 1)]
            ran = sorted(runs, key=lambda each: each.seconds)[len(runs) // 2]
            ended = "ok" if ran.code == 0 else f"failed ({ran.code})"
            left = "the bond is live" if ran.bonded else "the bond is not live"
            print(f"  {name:18} {ran.seconds:5.1f} s  {ran.requests:3} requests  {ended}, {left}")
            if ran.said:
                print(f"    {ran.said}")
    print(f"an empty play takes {once(nothing, '').seconds:.1f} s")


def ours(_: dict[str, Any]) -> list[dict[str, Any]]:
    """The job by this collection."""
    config = {
        "bond0": {"type": "bond", "slaves": ["ens38", "ens39"], "mode": "balance-rr"},
        "vmbr1": {"type": "bridge", "ports": ["bond0"]},
    }
    return [{"pvenet.network.interfaces": {"config": config, "node": "pve1"}}]


def theirs(at: dict[str, Any]) -> list[dict[str, Any]]:
    """The same by community.proxmox."""
    host, _, port = at["endpoint"].removeprefix("https://").partition(":")
    user, _, token = at["token_id"].partition("!")
    place = {
        "api_host": host,
        "api_port": int(port),
        "api_user": user,
        "api_token_id": token,
        "api_token_secret": at["token_secret"],
        "validate_certs": False,
        "node": "pve1",
    }
    bond = {"iface_type": "bond", "iface": "bond0", "slaves": "ens38 ens39", "bond_mode": "balance-rr"}
    bridge = {"iface_type": "bridge", "iface": "vmbr1", "bridge_ports": "bond0"}
    parts = ({**bond, "autostart": True}, {**bridge, "autostart": True}, {"state": "apply"})
    return [{THEIRS: {**place, **part}} for part in parts]


def nothing(_: dict[str, Any]) -> list[dict[str, Any]]:
    """No job."""
    return [{"ansible.builtin.meta": "noop"}]


def once(job: Any, fault: str) -> Ran:
    """One run, on a node of its own."""
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        with served(folder, fault) as at:
            play = {"hosts": "localhost", "gather_facts": False, "tasks": job(at)}
            (folder / "play.json").write_text(json.dumps([play]))
            begun = time.perf_counter()
            done = played(folder, at)
            seconds = time.perf_counter() - begun
        live = (folder / "lab/pve1/etc/network/interfaces").read_text()
        requests = (folder / "requests").read_text().count("request\n")
    said = [line.strip() for line in done.stdout.splitlines() + done.stderr.splitlines() if "[ERROR]" in line]
    return Ran(
        seconds=seconds,
        requests=requests,
        code=done.returncode,
        bonded="iface bond0" in live,
        said=" ".join(said)[:200],
    )


def played(folder: Path, at: dict[str, Any]) -> subprocess.CompletedProcess[str]:
    """The run itself; what it does not say by options comes from the environment."""
    here = {
        "PVENET_ENDPOINT": at["endpoint"],
        "PVENET_TOKEN_ID": at["token_id"],
        "PVENET_TOKEN_SECRET": at["token_secret"],
        "PVENET_FINGERPRINT": at["fingerprint"],
        "PVENET_STATE_DIR": str(folder / "state"),
    }
    command: Sequence[str | Path] = [BIN / "ansible-playbook", folder / "play.json"]
    return subprocess.run(
        command, env=environment() | here, capture_output=True, text=True, check=False, timeout=180, cwd=folder
    )


def environment() -> dict[str, str]:
    """This machine's, with this checkout's collection before all others."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("PVENET_")}
    paths = [str(ROOT / ".venv/collections"), *filter(None, [os.environ.get("ANSIBLE_COLLECTIONS_PATH", "")])]
    return clean | {"ANSIBLE_COLLECTIONS_PATH": ":".join(paths), "ANSIBLE_NOCOLOR": "1"}


@contextmanager
def served(folder: Path, fault: str) -> Iterator[dict[str, Any]]:
    """A simulated node over HTTPS that writes down what it is asked."""
    command = [sys.executable, "-c", COUNTING, "sim", "serve", str(folder / "lab"), "--listen", "127.0.0.1:0", "--json"]
    command += ["--fault", fault] if fault else []
    with (
        (folder / "requests").open("w") as requests,
        subprocess.Popen(command, env=environment(), stdout=subprocess.PIPE, stderr=requests, text=True) as server,
    ):
        try:
            assert server.stdout is not None
            yield json.loads(server.stdout.readline())
        finally:
            server.terminate()


if __name__ == "__main__":
    main()
