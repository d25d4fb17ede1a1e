"""A node that tests may change: the simulated one, a nested VM, or a real one that may be broken.

`scripts/live-test` says which, in the environment; without it, as in the fast suite, it is a simulated node over
HTTPS. Everything is asked of it as a user asks: by running `pvenet`. What the kernel has is asked of the node itself,
where there is a shell on it.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import threading
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Self

import requests
from conftest import Ran
from paths import ROOT
from recording.caller import Pinned

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path

    from pvenet.sim.server import Endpoint

MADE = ("bond0", "bond0.50", "bond1", "vmbr1", "vmbr1.50", "vmbr2")
"""What these tests make; they touch no node that has one of them already."""
LIVE = "/etc/network/interfaces"
BEFORE = "/root/pvenet-live-before"
"""The file before the first test, on the machine; on its disk, because a test cuts its power."""
KEPT = ("PATH", "HOME", "LANG", "XDG_CACHE_HOME")
ANSWER = 10.0
"""Seconds in which a living node answers; one answer took 6.4 s in a recording (pve-api#slow-answer)."""

ALIVE = 90.0
"""Seconds in which an emulated node answers again whose file is as it was."""


@dataclass(frozen=True, kw_only=True)
class Target:
    """The node, and every way to it."""

    kind: str
    """sim, debian, pve, or node for one that is just named."""
    settings: Mapping[str, str]
    """PVENET_... as the commands get them."""
    nics: tuple[str, ...]
    """Free ones. In the VMs the third is cabled to the first, and the fourth to the second."""
    state: Path
    second: str | None = None
    """An endpoint that does not go over the management bridge."""
    shell_words: tuple[str, ...] = ()
    """What runs a command on the node."""
    baseline: list[dict[str, Any]] = field(default_factory=list)

    def pvenet(self, *words: str, stdin: str | None = None, endpoints: Sequence[str] = ()) -> Ran:
        """Run a command line to its end."""
        with self.running(*words, endpoints=endpoints) as process:
            out, err = process.communicate(stdin, timeout=300)
        return Ran(code=process.returncode, out=out, err=err)

    def running(self, *words: str, endpoints: Sequence[str] = ()) -> subprocess.Popen[str]:
        """A command line that runs."""
        given = {name: os.environ[name] for name in KEPT if name in os.environ} | dict(self.settings)
        given |= {"PVENET_STATE_DIR": str(self.state), "COLUMNS": "100"}
        if endpoints:
            given["PVENET_ENDPOINT"] = ",".join(endpoints)
        command = [sys.executable, "-m", "pvenet", *words]
        pipe = subprocess.PIPE
        return subprocess.Popen(command, env=given, stdin=pipe, stdout=pipe, stderr=pipe, text=True, cwd=ROOT)

    def do(self, *words: str, **more: Any) -> Ran:
        """Run a command line that has to end well."""
        ran = self.pvenet(*words, **more)
        assert ran.code == 0, f"pvenet {' '.join(words)}: exit {ran.code}\n{ran.out}\n{ran.err}"
        return ran

    def listing(self) -> dict[str, dict[str, Any]]:
        return {entry["name"]: entry for entry in self.do("list", "--json").data}

    @property
    def endpoint(self) -> str:
        return self.settings["PVENET_ENDPOINT"]

    @property
    def has_kernel(self) -> bool:
        return bool(self.shell_words)

    @property
    def is_vm(self) -> bool:
        return self.kind in {"debian", "pve"}

    def shell(self, command: str, *, patience: float = 60.0, check: bool = True) -> str:
        """Run a command on the node itself."""
        done = subprocess.run(
            [*self.shell_words, command],
            capture_output=True,
            text=True,
            timeout=patience,
            stdin=subprocess.DEVNULL,
            cwd=ROOT,
            check=False,
        )
        assert not check or done.returncode == 0, f"{command}: exit {done.returncode}\n{done.stdout}\n{done.stderr}"
        return done.stdout

    def vm(self, *words: str) -> None:
        """Do something to the machine around the node: pull a cable, cut the power."""
        subprocess.run(
            [ROOT / "scripts/nested-vm", *words], check=True, timeout=300, stdin=subprocess.DEVNULL, cwd=ROOT
        )

    def links(self) -> dict[str, dict[str, Any]]:
        """The kernel's links by name, as `ip -d -j link` tells them."""
        return {link["ifname"]: link for link in json.loads(self.shell("ip -d -j link"))}

    def http(self, method: str, path: str, *, endpoint: str = "", timeout: float = ANSWER) -> requests.Response:
        """A request of somebody else's: not pvenet's client."""
        with requests.Session() as session:
            session.trust_env = False
            if fingerprint := self.settings.get("PVENET_FINGERPRINT"):
                session.mount("https://", Pinned(fingerprint.replace(":", "")))
                session.verify = False  # the fingerprint is the check
            elif authority := self.settings.get("PVENET_CA_FILE"):
                session.verify = authority
            token = f"{self.settings['PVENET_TOKEN_ID']}={self.settings['PVENET_TOKEN_SECRET']}"
            url = f"{endpoint or self.endpoint}/api2/json/{path}"
            return session.request(method, url, headers={"Authorization": f"PVEAPIToken={token}"}, timeout=timeout)

    def restore(self) -> None:
        """Make the node what it was before the first test; raises AssertionError where pvenet could not."""
        try:
            self._restore()
        except AssertionError:
            if self.is_vm:
                self._start_again()
            raise

    def _start_again(self) -> None:
        """Make the machine whole without pvenet, and forget what pvenet knows of it: a failure ends with its test."""
        self.shell(f"rm -f {LIVE}.new; cp {BEFORE} {LIVE} && ifreload -a", patience=120.0, check=False)
        for path in self.state.iterdir():
            shutil.rmtree(path) if path.is_dir() else path.unlink()
        wait_until_alive(self, within=ALIVE)

    def _restore(self) -> None:
        now = {entry["name"]: entry for entry in self.do("list", "--json").data}
        wanted: dict[str, dict[str, Any]] = {name: {"state": "absent"} for name in now if name in MADE}
        for entry in self.baseline:
            if entry["name"] in self.nics and entry["name"] in now:
                fields = ("autostart", "mtu", "comments")
                if any(entry[each] != now[entry["name"]][each] for each in fields):
                    wanted[entry["name"]] = {"type": "eth", **{each: entry[each] for each in fields}}
        if wanted:
            network = {"nodes": {self.settings["PVENET_NODE"]: wanted}}
            self.do("apply", "-f", "-", "--yes", "--allow-management", stdin=json.dumps(network))
        (stand,) = self.do("status", "--json").data
        assert stand["state"] not in {"confirming", "rolling_back"}, f"not at its end: {stand}"


def refusal(listing: Sequence[Mapping[str, Any]], *, pending: bool, nics: Sequence[str]) -> str | None:
    """Why a node must not be touched; None where these NICs are free and nothing else is in the way."""
    by_name = {str(entry["name"]): entry for entry in listing}
    if pending:
        return "it has pending changes, and they are not these tests'"
    if there := sorted(by_name.keys() & set(MADE)):
        return f"it has {', '.join(there)} already, and these tests make their own"
    if missing := [nic for nic in nics if by_name.get(nic, {}).get("type") != "eth"]:
        return f"it has no NIC {', '.join(missing)}"
    for entry in listing:
        used = [*(entry.get("slaves") or ()), *(entry.get("ports") or ()), entry.get("raw_device")]
        if taken := sorted(set(used) & set(nics)):
            return f"{entry['name']} uses {', '.join(taken)}"
    if addressed := [nic for nic in nics if by_name[nic].get("cidr") or by_name[nic].get("cidr6")]:
        return f"{', '.join(addressed)} has an address"
    return None


def named_target(state: Path, given: Mapping[str, str]) -> Target:
    """The node that the environment names. Raises SystemExit with the reason where it is not to be touched."""
    settings = {name: value for name, value in given.items() if name.startswith("PVENET_") and "_LIVE" not in name}
    kind = given.get("PVENET_LIVE_VM") or "node"
    nics = tuple(given.get("PVENET_LIVE_NICS", "").split(",")) if given.get("PVENET_LIVE_NICS") else ()
    if len(nics) < 2:
        raise SystemExit("name the NICs that may be used, two at least: PVENET_LIVE_NICS=eno3,eno4")
    target = Target(
        kind=kind,
        settings=settings,
        nics=nics,
        state=state,
        second=given.get("PVENET_LIVE_SECOND"),
        shell_words=tuple(shlex.split(given.get("PVENET_LIVE_SHELL", ""))),
    )
    listing = target.do("list", "--json").data
    pending = target.do("diff", "--json").data
    if why := refusal(listing, pending=pending["pending"], nics=nics):
        raise SystemExit(f"{pending['node']} is left alone: {why}")
    target.baseline.extend(listing)
    if target.is_vm and target.has_kernel:
        target.shell(f"cp {LIVE} {BEFORE}")
    return _on(target, pending["node"])


def _on(target: Target, node: str) -> Target:
    return Target(**{**vars(target), "settings": {**target.settings, "PVENET_NODE": node}})


def simulated(endpoint: Endpoint, state: Path) -> Target:
    """A simulated node that is being served."""
    settings = {
        "PVENET_ENDPOINT": endpoint.url,
        "PVENET_TOKEN_ID": endpoint.token_id,
        "PVENET_TOKEN_SECRET": endpoint.token_secret,
        "PVENET_FINGERPRINT": endpoint.fingerprint or "",
    }
    given = settings | {"PVENET_LIVE_VM": "sim", "PVENET_LIVE_NICS": "ens38,ens39,ens37,ens40"}
    return named_target(state, given)


def apply(vm: Target, *words: str, when_reloading: Callable[[], object] = lambda: None, **more: Any) -> dict[str, Any]:
    """Apply what is pending, do something as soon as the reload runs; the last event, and what was told besides."""
    events = []
    with vm.running("apply", "--yes", "--json", *words, **more) as process:
        assert process.stdout is not None
        for line in process.stdout:
            events.append(json.loads(line))
            if events[-1]["event"] == "reloading" and len([e for e in events if e["event"] == "reloading"]) == 1:
                when_reloading()
        assert process.stderr is not None
        told = process.stderr.read()
        assert process.wait(timeout=60) == events[-1]["exit"], events
    warnings = [event["text"] for event in events if event["event"] == "warned"]
    return {**events[-1], "warnings": warnings, "told": told}


@dataclass
class Pulse:
    """Asks a node's management path, again and again, whether it lives; counts while it is entered."""

    target: Target
    every: float = 0.2
    path: str = "version"
    asked: int = 0
    lost: list[str] = field(default_factory=list)
    slowest: float = 0.0

    def __enter__(self) -> Self:
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._end.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._end.wait(self.every):
            before = time.monotonic()
            try:
                self.target.http("GET", self.path).raise_for_status()
            except requests.RequestException as error:
                self.lost.append(f"{type(error).__name__}: {error}")
            self.asked += 1
            self.slowest = max(self.slowest, time.monotonic() - before)


def wait_until_alive(target: Target, *, within: float, endpoint: str = "") -> None:
    """Until the node answers again."""
    deadline = time.monotonic() + within
    for _ in _tries(deadline):
        try:
            target.http("GET", "version", endpoint=endpoint, timeout=3.0).raise_for_status()
        except requests.RequestException:
            continue
        return
    raise AssertionError(f"{endpoint or target.endpoint} did not answer within {within} s")


def _tries(deadline: float) -> Iterator[None]:
    while time.monotonic() < deadline:
        yield
        time.sleep(0.5)


def master(links: Mapping[str, Mapping[str, Any]], name: str) -> str:
    """What a link is a slave or a port of in the kernel; empty where of nothing."""
    return str(links[name].get("master", ""))


def slaves(bonding: str) -> list[str]:
    """The slaves in the text of /proc/net/bonding/BOND."""
    return sorted(re.findall(r"^Slave Interface: (\S+)$", bonding, re.MULTILINE))
