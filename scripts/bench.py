"""Whole processes against `pvenet sim serve`, in one run on one machine; medians and ratios.

Everything is bounded: RUNS rounds of each command, on loopback, and the server ends with this process.
"""

from __future__ import annotations

import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

RUNS = 7
BIN = Path(sys.executable).parent
START = Path(__file__).parent.parent / "fixtures" / "walkthrough" / "interfaces.start"

EMPTY = """
import typer
app = typer.Typer()
@app.command()
def one() -> None: ...
@app.command()
def two() -> None: ...
app()
"""

BARE = """
import os
from urllib.parse import urlsplit
from proxmoxer import ProxmoxAPI
at = urlsplit(os.environ["PVENET_ENDPOINT"])
user, _, token = os.environ["PVENET_TOKEN_ID"].partition("!")
api = ProxmoxAPI(at.hostname, port=at.port, user=user, token_name=token,
                 token_value=os.environ["PVENET_TOKEN_SECRET"], verify_ssl=False)
node = api.nodes("pve1")
"""

BARE_LIST = (
    BARE
    + """
for entry in sorted(node.network.get(), key=lambda each: each["iface"]):
    print(entry["iface"], entry["type"], entry.get("active", 0), entry.get("cidr", ""))
"""
)

BARE_JOB = (
    BARE
    + """
from proxmoxer.tools import Tasks
node.network.post(iface="bond0", type="bond", slaves="ens38 ens39", bond_mode="balance-rr", autostart=1)
node.network.post(iface="vmbr1", type="bridge", bridge_ports="bond0", autostart=1)
upid = node.network.put()
assert Tasks.blocking_status(api, upid)["exitstatus"] == "OK"
assert all(e.get("active") for e in node.network.get() if e["iface"] in ("bond0", "vmbr1"))
"""
)

JOB = (
    ["bond", "create", "--slaves", "ens38,ens39", "--mode", "balance-rr"],
    ["bridge", "create", "--ports", "bond0"],
    ["apply", "--wait", "--yes"],
)


def main() -> None:
    """Measure and print."""
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        empty = folder / "empty.py"
        empty.write_text(EMPTY)
        with serving(folder / "sim") as environment:
            reset = resetter(folder / "sim")
            bare_list = timed([sys.executable, "-c", BARE_LIST], environment)
            listing = timed([str(BIN / "pvenet"), "list"], environment)
            typer = timed([sys.executable, str(empty), "--help"], environment)
            helped = timed([str(BIN / "pvenet"), "--help"], environment)
            bare_job = timed([sys.executable, "-c", BARE_JOB], environment, before=reset)
            steps, task = job(environment, reset)
            by_flags, _ = job(environment | {"PVENET_VERIFY": "flags"}, reset)
    print(f"medians of {RUNS} runs, whole processes, seconds")
    row("an empty Typer application, --help", typer)
    row("pvenet --help", helped, f"{helped / typer:.2f} times the empty one (aim: 1.5)")
    row("a bare proxmoxer script that lists", bare_list)
    row("pvenet list", listing, f"{listing / bare_list:.2f} times the bare script (aim: 1.5)")
    row("the job by a bare proxmoxer script", bare_job)
    row("the job by pvenet, three commands", sum(steps), f"{sum(steps) / bare_job:.2f} times the bare script")
    for words, seconds in zip(JOB, steps, strict=True):
        row(f"  pvenet {' '.join(words[:2])}", seconds)
    row(
        "  pvenet apply, verified by flags alone", by_flags[-1], f"the kernel costs {steps[-1] - by_flags[-1]:.3f} more"
    )
    beyond = (sum(steps) - task) / len(steps)
    row("per command, beyond the task's own time", beyond, f"the task took {task:.2f} (aim: 0.4)")


def job(environment: dict[str, str], reset: Callable[[], None]) -> tuple[list[float], float]:
    """The median seconds of each of the three commands, and the reload's own time."""
    rounds = []
    for _ in range(RUNS):
        reset()
        rounds.append([once([str(BIN / "pvenet"), *words], environment) for words in JOB])
    return [statistics.median(column) for column in zip(*rounds, strict=True)], 0.3


def timed(command: list[str], environment: dict[str, str], before: Callable[[], None] = lambda: None) -> float:
    """The median seconds of a command, after one run that is not counted."""
    seconds = []
    for _ in range(RUNS + 1):
        before()
        seconds.append(once(command, environment))
    return statistics.median(seconds[1:])


def once(command: list[str], environment: dict[str, str]) -> float:
    """The seconds of one run, which has to succeed."""
    begun = time.perf_counter()
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=60)
    seconds = time.perf_counter() - begun
    if done.returncode:
        sys.exit(f"{' '.join(command)[:200]} ended with {done.returncode}:\n{done.stderr}")
    return seconds


def resetter(folder: Path) -> Callable[[], None]:
    """What puts the simulated node back to its start."""

    def reset() -> None:
        network = folder / "pve1" / "etc" / "network"
        network.mkdir(parents=True, exist_ok=True)
        (network / "interfaces.new").unlink(missing_ok=True)
        shutil.copyfile(START, network / "interfaces")

    return reset


@contextmanager
def serving(folder: Path, *faults: str) -> Iterator[dict[str, str]]:
    """A simulated node over HTTPS, and the environment that leads to it."""
    command = [str(BIN / "pvenet"), "sim", "serve", str(folder), "--listen", "127.0.0.1:0", "--json"]
    command += [word for fault in faults for word in ("--fault", fault)]
    clean = {name: value for name, value in os.environ.items() if not name.startswith("PVENET_")}
    with subprocess.Popen(command, env=clean, stdout=subprocess.PIPE, text=True) as server:
        try:
            assert server.stdout is not None
            at = json.loads(server.stdout.readline())
            yield clean | {
                "PVENET_ENDPOINT": at["endpoint"],
                "PVENET_TOKEN_ID": at["token_id"],
                "PVENET_TOKEN_SECRET": at["token_secret"],
                "PVENET_FINGERPRINT": at["fingerprint"],
                "PVENET_STATE_DIR": str(folder.parent / "state"),
                "PYTHONWARNINGS": "ignore",
            }
        finally:
            server.terminate()


def row(what: str, seconds: float, remark: str = "") -> None:
    """Print one figure."""
    print(f"{what:45} {seconds:6.3f}  {remark}".rstrip())


if __name__ == "__main__":
    main()
