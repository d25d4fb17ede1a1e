"""Reading and planning many simulated nodes over HTTPS on loopback: seconds, the client's processor, and memory; the
same with one answer that is late, and where each node is a cluster of its own, with a profile that leads there, beside
what only the requests take otherwise; and what it adds to say which of 300 guests on three nodes a plan hits.

Whole processes, one run each; what the simulated node itself takes to answer is measured beside it. Nothing is kept.
"""

from __future__ import annotations

import json
import os
import re
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path

from bench import BIN, serving

from pvenet import private
from pvenet.sim.state import Sim

NODES = (1, 10, 50, 200)
INTERFACES = 30
NICS = tuple(f"ens{number}" for number in range(1, 9))

GUESTS = 100
"""On each of three nodes."""
LATE = 5.0
"""Seconds that one node's listing takes where one is late."""
SLOW = 2.0
"""Seconds that one answer takes where one is slow."""

ONE_READ = """
import time
from pvenet.node import Node
from pvenet.settings import connect, load_settings
connection = connect(load_settings())
Node(connection, "pve001").read()
begun = time.perf_counter()
for _ in range(20):
    Node(connection, "pve001").read()
print((time.perf_counter() - begun) / 20)
"""


SERVE = """
import json, sys
from contextlib import ExitStack
from pathlib import Path
from pvenet.sim.server import Server
with ExitStack() as served:
    for folder in sys.argv[2:]:
        faults = [sys.argv[1]] if folder == sys.argv[2] and sys.argv[1] else []
        at = served.enter_context(Server(Path(folder), faults=faults)).endpoint
        said = {"endpoint": at.url, "token_id": at.token_id, "secret": at.token_secret, "pin": at.fingerprint}
        print(json.dumps(said), flush=True)
    sys.stdin.read()
"""
"""Serves each folder, the first with a fault where one is named, until its stdin ends."""

_OF_ALL = """
import sys, time, tomllib
from concurrent.futures import ThreadPoolExecutor
def of_all(ask):
    with open(sys.argv[1], "rb") as file:
        profiles = tomllib.load(file)["profiles"]
    def one(name):
        host, port = profiles[name]["endpoints"][0].removeprefix("https://").split(":")
        ask(name, profiles[name], host, int(port))
    begun = time.process_time()
    with ThreadPoolExecutor(16) as threads:
        list(threads.map(one, profiles))
    print((time.process_time() - begun) / len(profiles) * 1000)
"""
_BY_PROXMOXER = """
import warnings
from proxmoxer import ProxmoxAPI
warnings.simplefilter("ignore")
def ask(name, profile, host, port):
    user, token = profile["token_id"].split("!")
    secret = profile["token_secret"]
    api = ProxmoxAPI(host, port=port, user=user, token_name=token, token_value=secret, verify_ssl=False)
    api.nodes.get(), api.nodes(name).network.get(), api.cluster.resources.get(type="vm"), api.nodes(name).netstat.get()
    api.access.permissions.get(path="/vms"), api.cluster.status.get()
of_all(ask)
"""
_BY_HTTP = """
import json, ssl
from http.client import HTTPSConnection
context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
def ask(name, profile, host, port):
    head = {"Authorization": f"PVEAPIToken={profile['token_id']}={profile['token_secret']}"}
    link = HTTPSConnection(host, port, context=context)
    node = f"nodes/{name}"
    for path in ("nodes", f"{node}/network", "cluster/resources?type=vm", f"{node}/netstat",
                 "access/permissions?path=/vms", "cluster/status"):
        link.request("GET", f"/api2/json/{path}", headers=head)
        with link.getresponse() as answer:
            json.loads(answer.read())
            if answer.getheader("Connection", "").startswith("close"):
                link.close()
    link.close()
of_all(ask)
"""
OTHERS = {"bare proxmoxer": _OF_ALL + _BY_PROXMOXER, "http.client and json": _OF_ALL + _BY_HTTP}
"""Asks what a plan asks of clusters without guests, and makes nothing of it; prints the processor's ms a cluster."""


def main() -> None:
    """Measure and print."""
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        names = [f"pve{number:03}" for number in range(1, max(NODES) + 1)]
        for number, name in enumerate(names, start=1):
            Sim.init(folder / "sim", node=name, nics=NICS, interfaces=interfaces(number))
        with serving(folder / "sim") as environment:
            one = float(run([sys.executable, "-c", ONE_READ], environment))
            print(f"one listing of {INTERFACES} interfaces, request and answer: {one * 1000:.1f} ms")
            print(f"{'nodes':>5}  {'seconds':>7}  {'ms a node':>9}  {'client CPU':>10}  {'listings':>8}  MB at most")
            for count in NODES:
                file = folder / f"network-{count}.yaml"
                file.write_text(network_file(names[:count]))
                runs = [timed(file, environment) for _ in range(3 if count < max(NODES) else 1)]
                seconds, work = (statistics.median(each) for each in zip(*runs, strict=True))
                each, own = seconds / count, f"{work / count * 1000:.1f} ms"
                most = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
                print(f"{count:5}  {seconds:7.2f}  {each * 1000:9.1f}  {own:>10}  {each / one:7.1f}x  {most:10.0f}")
        with serving(folder / "sim", f"delay={LATE:.0f}@GET nodes/{names[7]}/network") as environment:
            seconds, _ = timed(folder / f"network-{max(NODES)}.yaml", environment)
            print(f"{max(NODES):5}  {seconds:7.2f}  with one listing {LATE:.0f} s late")
    clusters()
    guests()


def clusters() -> None:
    """The same where each node is a cluster of its own, with a profile that leads there."""
    with tempfile.TemporaryDirectory() as scratch:
        folder, count = Path(scratch), max(NODES)
        names = [f"pve{number:03}" for number in range(1, count + 1)]
        for number, name in enumerate(names, start=1):
            Sim.init(folder / name, node=name, nics=NICS, interfaces=interfaces(number))
        file = folder / "network.yaml"
        file.write_text(network_file(names))
        late = f"delay={LATE:.0f}@GET nodes/{names[0]}/network"
        for what, fault in ((f"in {count} clusters", ""), (f"the same with one listing {LATE:.0f} s late", late)):
            command = [sys.executable, "-c", SERVE, fault, *(str(folder / name) for name in names)]
            with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as server:
                assert server.stdin is not None
                assert server.stdout is not None
                write_profiles(folder, names, [json.loads(server.stdout.readline()) for _ in names])
                clean = {name: value for name, value in os.environ.items() if not name.startswith("PVENET_")}
                environment = clean | {"XDG_CONFIG_HOME": str(folder / "config"), "PVENET_PROFILE": "all"}
                environment |= {"PVENET_STATE_DIR": str(folder / "state")}
                seconds, work = timed(file, environment)
                config = str(folder / "config" / "pvenet" / "config.toml")
                asks = {} if fault else OTHERS
                others = {by: float(run([sys.executable, "-c", ask, config], clean)) for by, ask in asks.items()}
                server.stdin.close()
            own = f"{work / count * 1000:.1f} ms"
            print(f"{count:5}  {seconds:7.2f}  {seconds / count * 1000:9.1f}  {own:>10}  {what}")
            for by, each in others.items():
                print(f"{'':25}  {f'{each:.1f} ms':>10}  the requests alone, by {by}")


def write_profiles(folder: Path, names: list[str], places: list[dict[str, str]]) -> None:
    """The profiles that lead to these places."""
    file = folder / "config" / "pvenet" / "config.toml"
    private.make_own_folder(file.parent.parent)
    private.make_own_folder(file.parent)
    text = "".join(
        f'[profiles.{name}]\nendpoints = ["{at["endpoint"]}"]\ntoken_id = "{at["token_id"]}"\n'
        f'token_secret = "{at["secret"]}"\nfingerprint = "{at["pin"]}"\n'
        for name, at in zip(names, places, strict=True)
    )
    private.write(file, text.encode())


def guests() -> None:
    """What a plan takes to say whom it hits."""
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        names = ["pve001", "pve002", "pve003"]
        for number, name in enumerate(names, start=1):
            own = [f"{number}{guest:03}:guest{guest}:vmbr0" for guest in range(GUESTS)]
            Sim.init(folder / "sim", node=name, nics=NICS, interfaces=interfaces(number), guests=own)
        nobody, everybody = folder / "nobody.yaml", folder / "everybody.yaml"
        nobody.write_text(f"defaults: {{vmbr1: {{type: bridge, ports: [ens5]}}}}\nnodes: {{{': , '.join(names)}: }}\n")
        everybody.write_text(
            f"defaults: {{bond0: {{type: bond, mode: balance-rr}}}}\nnodes: {{{': , '.join(names)}: }}\n"
        )
        print(f"\n{f'{len(names) * GUESTS} guests on {len(names)} nodes':32}  seconds  requests  slowest answer")
        slow = f"delay={SLOW:.0f}@GET nodes/pve002/sdn/zones/localnetwork/bridges"
        for what, file, faults in (
            ("a plan that hits nobody", nobody, ()),
            ("a plan that hits all of them", everybody, ()),
            (f"the same, one answer {SLOW:.0f} s late", everybody, (slow,)),
        ):
            with serving(folder / "sim", *faults) as environment:
                took, answers = planned(file, environment)
                print(f"{what:32} {took:7.2f}  {len(answers):8}  {max(answers):14.2f}")


def planned(file: Path, environment: dict[str, str]) -> tuple[float, list[float]]:
    """The seconds of one `pvenet plan`, and of each answer that it waited for."""
    begun = time.perf_counter()
    command = [str(BIN / "pvenet"), "--debug", "plan", "-f", str(file)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True, timeout=300)
    return time.perf_counter() - begun, [float(text) for text in re.findall(r"-> 200 .*\(([0-9.]+) s\)", done.stderr)]


def timed(file: Path, environment: dict[str, str]) -> tuple[float, float]:
    """The seconds of one `pvenet plan`, and of the processor in it."""
    begun, before = time.perf_counter(), resource.getrusage(resource.RUSAGE_CHILDREN)
    run([str(BIN / "pvenet"), "plan", "-f", str(file)], environment)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.perf_counter() - begun, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def run(command: list[str], environment: dict[str, str]) -> str:
    """What a command prints; it has to succeed."""
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=300)
    if done.returncode:
        sys.exit(f"{' '.join(command)[:200]} ended with {done.returncode}:\n{done.stderr}")
    return done.stdout


def interfaces(number: int) -> str:
    """A node's file: eight NICs, two bonds, and bridges and VLANs on them."""
    lines = ["auto lo\niface lo inet loopback\n"]
    lines += [f"iface {nic} inet manual\n" for nic in NICS]
    for bond, slaves in (("bond0", "ens1 ens2"), ("bond1", "ens3 ens4")):
        lines.append(f"auto {bond}\niface {bond} inet manual\n\tbond-slaves {slaves}\n\tbond-mode 802.3ad\n")
    address = f"\taddress 10.0.{number}.2/24\n\tgateway 10.0.{number}.1\n"
    lines.append(f"auto vmbr0\niface vmbr0 inet static\n{address}\tbridge-ports bond0\n")
    for tag in range(1, INTERFACES - len(NICS) - 2):
        lines.append(f"auto bond1.{tag}\niface bond1.{tag} inet static\n\taddress 10.{tag}.{number % 250}.2/24\n")
    return "\n".join(lines)


def network_file(names: list[str]) -> str:
    """A file that changes two interfaces of each node, and describes the rest as it is."""
    lines = ["defaults:", "  bond0: {type: bond, slaves: [ens1, ens2], mode: 802.3ad, mtu: 9000}"]
    lines += ["  vmbr1: {type: bridge, ports: [ens5], comments: guests}", "nodes:"]
    for number, name in enumerate(names, start=1):
        lines += [f"  {name}:", f"    vmbr0: {{type: bridge, ports: [bond0], cidr: 10.0.{number}.2/24}}"]
        lines += [
            f"    bond1.{tag}: {{type: vlan, cidr: 10.{tag}.{number % 250}.2/24}}"
            for tag in range(1, INTERFACES - len(NICS) - 2)
        ]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    with suppress(KeyboardInterrupt):
        os.environ.pop("PVENET_SIM", None)
        main()
