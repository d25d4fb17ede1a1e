"""`ansible-playbook` as a user runs it: against simulated nodes over HTTPS, with this checkout's collection."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from paths import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

BIN = Path(sys.executable).parent
NODES = ("pve1", "pve2", "pve3")
needs_ansible = pytest.mark.skipif(
    not (BIN / "ansible-playbook").exists(), reason="ansible-core is not installed here: pip install ansible-core"
)
_RESULT = re.compile(
    r"^(?:ok|changed|fatal|failed): \[(?P<host>[^\] ]+)(?: -> \S+)?\](?:: \w+!)? => (?P<data>\{.*\})$", re.MULTILINE
)
_RECAP = re.compile(r"^(?P<host>\S+)\s+: (?P<counts>ok=.*)$", re.MULTILINE)


@dataclass(frozen=True, kw_only=True)
class Played:
    """What a run printed, and what can be read out of it."""

    code: int
    text: str

    def results(self, host: str) -> list[dict[str, Any]]:
        """The results of a host's tasks, in their order."""
        return [json.loads(found["data"]) for found in _RESULT.finditer(self.text) if found["host"] == host]

    @property
    def hosts(self) -> list[str]:
        """Whose tasks have ended, in that order."""
        return list(dict.fromkeys(found["host"] for found in _RESULT.finditer(self.text)))

    def count(self, host: str, word: str) -> int:
        """What the recap counts of a host: `changed`, `failed`, `unreachable`."""
        (counts,) = (found["counts"] for found in _RECAP.finditer(self.text) if found["host"] == host)
        return int(dict(pair.split("=") for pair in counts.split())[word])


@dataclass
class Lab:
    """Three simulated nodes, each served at an endpoint of its own, and an inventory of them."""

    folder: Path
    at: dict[str, dict[str, Any]] = field(default_factory=dict)
    extra: dict[str, dict[str, Any]] = field(default_factory=dict)
    """Further variables, by host."""

    @property
    def home(self) -> Path:
        return self.folder / "home"

    def live(self, node: str) -> str:
        """A node's file."""
        return (self.folder / "nodes" / node / node / "etc/network/interfaces").read_text()

    def environment(self) -> dict[str, str]:
        """Nothing of this machine's configuration."""
        collections = self.folder / "collections"
        inside = collections / "ansible_collections" / "pvenet"
        if not inside.exists():
            inside.mkdir(parents=True)
            (inside / "network").symlink_to(ROOT / "pvenet" / "ansible")
        kept = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("PVENET_", "PROXMOX_", "ANSIBLE_"))
        }
        return kept | {
            "HOME": str(self.home),
            "ANSIBLE_HOME": str(self.home / ".ansible"),
            "ANSIBLE_ASYNC_DIR": str(self.home / "async"),
            "ANSIBLE_COLLECTIONS_PATH": str(collections),
            "ANSIBLE_NOCOLOR": "1",
            "PVENET_STATE_DIR": str(self.folder / "state"),
            "PYTHONPATH": str(ROOT),
        }

    def inventory(self) -> Path:
        """The nodes as hosts that nobody could log in to."""
        hosts = {name: {**self._variables(name), **self.extra.get(name, {})} for name in NODES}
        path = self.folder / "inventory.json"
        path.write_text(json.dumps({"pve": {"hosts": hosts}, "pve_canary": {"hosts": {"pve2": {}}}}), encoding="utf8")
        return path

    def _variables(self, name: str) -> dict[str, Any]:
        at = self.at[name]
        return {
            "ansible_connection": "ssh",
            "ansible_host": "192.0.2.1",
            "ansible_python_interpreter": "/nowhere/python",
            "pvenet_api_host": at["endpoint"],
            "pvenet_api_user": at["token_id"].partition("!")[0],
            "pvenet_api_token_id": at["token_id"].partition("!")[2],
            "pvenet_api_token_secret": at["token_secret"],
            "pvenet_fingerprint": at["fingerprint"],
        }

    def play(self, playbook: str | list[dict[str, Any]], *words: str) -> Played:
        """Run a playbook, by its name or as its text."""
        if not isinstance(playbook, str):
            path = self.folder / "play.json"
            path.write_text(json.dumps(playbook), encoding="utf8")
            playbook = str(path)
        self.home.mkdir(exist_ok=True)
        command = [str(BIN / "ansible-playbook"), "-v", "-i", str(self.inventory()), playbook, *words]
        done = subprocess.run(
            command, env=self.environment(), cwd=self.folder, capture_output=True, text=True, timeout=240, check=False
        )
        text = done.stdout + done.stderr
        assert not any(at["token_secret"] in text for at in self.at.values())
        return Played(code=done.returncode, text=text)


def tasks(*tasks: Mapping[str, Any], **play: Any) -> list[dict[str, Any]]:
    """A play of some tasks on all nodes."""
    return [{"hosts": "pve", "gather_facts": False, "tasks": list(tasks), **play}]


@contextmanager
def served(folder: Path, faults: Mapping[str, str]) -> Iterator[Lab]:
    """The lab, with what goes wrong at a node."""
    lab = Lab(folder)
    servers = []
    try:
        for node in NODES:
            servers.append(_serve(folder / "nodes" / node, node, faults.get(node)))
            assert servers[-1].stdout is not None
            lab.at[node] = json.loads(servers[-1].stdout.readline())
        yield lab
    finally:
        for server in servers:
            server.terminate()
        for server in servers:
            with server:
                pass


def _serve(place: Path, node: str, fault: str | None) -> subprocess.Popen[str]:
    pvenet = [sys.executable, "-m", "pvenet"]
    subprocess.run([*pvenet, "sim", "init", str(place), "--node", node], check=True, capture_output=True)
    order = ["--fault", fault] if fault else []
    command = [*pvenet, "sim", "serve", str(place), "--listen", "127.0.0.1:0", "--json", *order]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
