"""Random commands: commands, faults, crashes and other people, in any order; what pvenet says stays true."""

from __future__ import annotations

import os
import shutil
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fault_truth import FOREIGN, truth
from fault_verdict import LEFT_AS_IT_WAS, ended
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule
from killed import Killed
from mortal import MortalWalk

from pvenet.apply.apply import apply as apply_pending
from pvenet.apply.options import ApplyOptions
from pvenet.apply.resume import roll_back
from pvenet.apply.revert import revert
from pvenet.apply.stage import Staging
from pvenet.apply.status import status
from pvenet.journal import Ours, ownership
from pvenet.model import Bond, BondMode, Bridge, Ethernet

if TYPE_CHECKING:
    from collections.abc import Mapping

    from fault_matrix import Act, Done
    from fault_truth import Described, Truth

    from pvenet.apply.status import Status
    from pvenet.changes import Desired
    from pvenet.journal import Journals
    from pvenet.model import Interface, Network
    from pvenet.node import Node

DESIRED: tuple[Desired, ...] = (
    {"bond0": Bond(name="bond0", slaves=("ens38", "ens39"))},
    {"bond0": Bond(name="bond0", slaves=("ens38", "ens39"), mode=BondMode.LACP)},
    {"vmbr1": Bridge(name="vmbr1", ports=("bond0",))},
    {"vmbr1": Bridge(name="vmbr1", comments="For nobody")},
    {"vmbr2": Bridge(name="vmbr2", ports=("ens40",), vlan_aware=True)},
    {"ens41": Ethernet(name="ens41", mtu=1400)},
    {"vmbr1": None},
    {"vmbr1": None, "bond0": None},
    {"vmbr2": None},
)
FAULTS = (
    *("drop-before", "drop-after", "595", "599=after", "delay=50", "restart", "locked", "task-late=3"),
    *("reload-fails", "reload-lies", "reload-fails=89", "never-up=bond0", "never-up=vmbr1", "path-lost=20"),
    *("foreign-edit", "foreign-revert", "foreign-reload"),
    *("no-carrier=ens38", "no-partner=bond0", "partner-splits=bond0", "lacp-takes=30", "not-joined=ens39"),
    *("port-missing=bond0", "port-missing=ens33", "mtu-stays=ens41", "address-missing=vmbr0", "route-missing"),
    *("report-slow=10", "report-odd", "report-too-late"),
)
Trouble = tuple[tuple[str, ...], int]


def _trouble(requests: int) -> st.SearchStrategy[Trouble]:
    """One fault at one request of the command, death at one of its moments, or nothing."""
    fault = st.builds("{}@{}".format, st.sampled_from(FAULTS), st.integers(1, requests))
    moments = st.integers(1, 3 * requests)
    return st.one_of(st.tuples(st.tuples(fault), st.just(0)), st.tuples(st.just(()), moments), st.just(((), 0)))


HOW: tuple[Mapping[str, Any], ...] = (
    *({}, {}, {"arm": True}, {"arm": True}, {"arm": True, "confirm_within": 5.0}),
    *({"confirm_within": 5.0, "says": says} for says in (True, False)),
)
"""How an apply is asked for, and what the person says who is asked whether it may stay."""
THEIRS = ("vmbr97", "vmbr98", FOREIGN)
EXAMPLES = int(os.environ.get("PVENET_EXAMPLES", "0"))


class Commands(RuleBasedStateMachine):
    """One node, its users, and what they know."""

    def __init__(self) -> None:
        super().__init__()
        memory = Path("/dev/shm")
        self.folder = Path(tempfile.mkdtemp(dir=memory if memory.is_dir() else None))
        self.walk = MortalWalk(self.folder / "lab")
        self.theirs: set[str] = set()
        """What somebody else has staged, and nobody has applied or reverted."""

    def teardown(self) -> None:
        shutil.rmtree(self.folder)

    # --- commands ----------------------------------------------------------------------------------------------------

    @rule(desired=st.sampled_from(DESIRED), trouble=_trouble(4))
    def stages(self, desired: Desired, trouble: Trouble) -> None:
        """All of it or nothing."""

        def act(node: Node, journals: Journals) -> None:
            with Staging(node, journals, now=self.walk.lab.stamp()) as staging:
                staging.stage(_fitting(desired, staging.network))

        done = self._command("stage", act, trouble)
        if done is None:
            return
        alone = not self.walk.witness.acts
        if done.code == 0 and alone:
            there = {name: name in done.after.view for name in desired if name != "ens41"}
            assert there == {name: desired[name] is not None for name in there}
        if done.code in LEFT_AS_IT_WAS and alone:
            assert done.after.view == done.before.view, done.message
        assert not done.sent

    @rule(
        more=st.one_of(st.lists(st.sampled_from(DESIRED), min_size=1, max_size=3), st.just([])),
        trouble=_trouble(20),
        how=st.sampled_from(HOW),
    )
    def applies(self, more: list[Desired], trouble: Trouble, how: Mapping[str, Any]) -> None:
        """The end that is told is the node's."""
        for desired in more:
            self.stages(desired, ((), 0))
        done = self._command("apply", lambda node, journals: self._told(apply_pending, node, journals, **how), trouble)
        if done is not None:
            assert list(ended(self.walk, done, {})) == [], (done, self.walk.cell)
            self._may_be_unknown(done)

    @rule(trouble=_trouble(30))
    def rolls_back(self, trouble: Trouble) -> None:
        """Rolled back means that nothing of ours is pending, and that the kernel has the file."""
        done = self._command("rollback", lambda node, journals: self._told(roll_back, node, journals), trouble)
        if done is None:
            return
        assert done.end is not None
        assert done.end.exit_code == done.code
        if done.code == 0 and done.end.verdict == "rolled_back":
            assert done.after.agrees or not done.sent
            assert done.after.pending is None or self.walk.witness.acts
        if done.code in LEFT_AS_IT_WAS:
            assert not done.sent, done.message
        self._may_be_unknown(done)

    @rule(trouble=_trouble(3))
    def reverts(self, trouble: Trouble) -> None:
        """What is ours goes; anybody else's is refused."""
        done = self._command("revert", lambda node, journals: revert(node, journals, discard=False) or None, trouble)
        if done is not None and done.code == 0 and not self.walk.witness.acts:
            assert done.after.pending is None

    @rule(seconds=st.sampled_from([0.05, 1.0, 100.0]))
    def looks(self, seconds: float) -> None:
        """Diff and status say what is there, a moment or a while later."""
        self.walk.time.now += seconds
        said: list[Status] = []

        def look(node: Node, journals: Journals) -> bool:
            said.append(status(node, journals))
            return isinstance(ownership(journals, node.read()), Ours)

        done = self._command("status", look, ((), 0))
        assert done is not None
        assert done.code == 0
        if not said[0].reloading:
            assert said[0].pending == (done.after.pending is not None)
            assert not (said[0].ours and self._staged(done.after.view))
        assert not (done.ours and self._staged(done.after.view))

    # --- others ------------------------------------------------------------------------------------------------------

    @rule(what=st.sampled_from([*THEIRS[:2], "take back", "take back", "revert", "reload"]))
    def somebody_acts(self, what: str) -> None:
        """They stage a bridge, take theirs back one by one, revert everything, or make everything live."""
        if what == "take back":
            for name in sorted(self.theirs):
                self.walk.lab.somebody(f"DELETE network/{name}")
            self.theirs.clear()
        elif what in THEIRS:
            if what not in self._now().view:
                self.walk.lab.foreign(what)
                self.theirs.add(what)
        else:
            self.walk.lab.somebody("PUT network" if what == "reload" else "DELETE network")
            self.theirs.clear()

    # --- always ------------------------------------------------------------------------------------------------------

    @invariant()
    def journals_can_be_read(self) -> None:
        """Every one that is there, whoever died while writing it."""
        _, journals = self.walk.client()
        assert len(journals.all()) == len(list(journals.folder.glob("*.json")))

    @invariant()
    def nobody_elses_staging_is_touched(self) -> None:
        """It is pending as it was: not thrown away, and not live."""
        now = self._now()
        assert self.theirs <= now.view.keys()
        assert not self.theirs & now.live.keys()

    # --- beneath -----------------------------------------------------------------------------------------------------

    def _command(self, name: str, act: Act, trouble: Trouble) -> Done | None:
        """What one command did; None where it died."""
        faults, dies = trouble
        self.walk.trouble(faults, dies=dies)
        try:
            self.walk.play(name, act)
        except Killed:
            return None
        finally:
            self.walk.fate.dead, self.walk.fate.left = False, 0
            self._others_acted()
        return self.walk.done[-1]

    def _told(self, command: Any, node: Node, journals: Journals, **how: Any) -> None:
        says: bool | None = how.pop("says", None)

        def word(_left: float, seconds: float) -> bool | None:
            self.walk.time.sleep(seconds)
            return says

        command(
            node,
            journals,
            ApplyOptions(allow_management=True, **how),
            replace(self.walk.lab.runtime(), await_confirmation=word),
        )

    def _others_acted(self) -> None:
        """What a fault let somebody else do is theirs from here on; what met the window of a request is lost to it."""
        now, witness = self._now(), self.walk.witness
        if witness.began("foreign-revert", "foreign-reload"):
            self.theirs &= self._staged(now.view)
        for at in witness.began("foreign-edit"):
            window = at in [*witness.reverts, *(number for number, _ in witness.reloads)]
            self.theirs |= set() if window or FOREIGN in now.live else {FOREIGN}

    def _may_be_unknown(self, done: Done) -> None:
        """Unknown is true only where others stood in the way, or a lost answer met another's reload."""
        if done.code in (1, 9):
            assert self.theirs or self.walk.witness.acts, (done.message, self.walk.cell)

    def _staged(self, view: Described) -> set[str]:
        return {name for name in THEIRS if name in view} - self._now().live.keys()

    def _now(self) -> Truth:
        return truth(self.walk.folder, self.walk.time.now)


def _fitting(desired: Desired, network: Network) -> dict[str, Interface | None]:
    """What is desired, with a type of update where it is there already, and nothing to delete where it is not."""
    wanted = {name: want for name, want in desired.items() if want is not None or name in network.interfaces}
    vmbr1 = wanted.get("vmbr1")
    if isinstance(vmbr1, Bridge) and vmbr1.ports and "bond0" not in network.interfaces:
        wanted["vmbr1"] = replace(vmbr1, ports=())
    return wanted


Commands.TestCase.settings = settings(
    max_examples=EXAMPLES or 12,
    stateful_step_count=12,
    deadline=None,
    derandomize=not EXAMPLES,
    database=None,
    suppress_health_check=list(HealthCheck),
)
TestCommands = Commands.TestCase
