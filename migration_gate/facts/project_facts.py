"""What checks judge: one project, and the base that it is compared with."""

from __future__ import annotations

from dataclasses import field

from migration_gate.facts.branch_history import BranchTip, SquashProof
from migration_gate.facts.change import Lineage
from migration_gate.facts.gate_files import AllowanceText, GateFiles
from migration_gate.facts.history import History
from migration_gate.facts.owners import Owners
from migration_gate.facts.replay import Replay
from migration_gate.facts.running_code import RunningCode
from migration_gate.facts.table_sizes import TableSizes, WorkRates
from migration_gate.facts.tree import Tree
from migration_gate.lazy_dataclass import dataclass


@dataclass(frozen=True, slots=True)
class Facts:
    """All that a check may read, for one project."""

    project: str = ""
    """its name in a report: the `projects:` key, or the folder"""
    replay: Replay = field(default_factory=Replay)
    tree: Tree = field(default_factory=Tree)
    owners: Owners = field(default_factory=Owners)
    base: Base | None = None
    """the state that a change is compared with; None if it was not asked for"""
    gate_files: GateFiles | None = None
    """what the change's files say about the gate; None if the change has none of these files"""
    policy_commit: str = ""
    """the commit whose settings judge, with `policy: base`; '' where the change's own do"""
    new_comments: tuple[AllowanceText, ...] = ()
    """comments that allow findings, and are not at the base"""
    running_code: RunningCode = field(default_factory=RunningCode)
    """what the change does to the release that runs while it is deployed"""
    sizes: TableSizes = field(default_factory=TableSizes)
    """of production's tables, as far as the settings know them"""
    work_rates: WorkRates = field(default_factory=WorkRates)
    """of this machine, for the work that findings are about; no severity depends on them"""


@dataclass(frozen=True, slots=True)
class Base:
    """The project at the base, or why it is not known."""

    commit: str
    """its full id; '' if there is none"""
    reason: str
    """which commit that is, or why there is none"""
    facts: Facts | None = None
    """from an examination of that commit's own tree; None if it failed"""
    failure: str = ""
    """why it failed, as a sentence"""
    is_new_project: bool = False
    """the project is not in that tree: all of it is new"""
    is_unchanged: bool = False
    """nothing that is read differs: the facts would be the same"""
    comment_texts: tuple[tuple[str, str], ...] = ()
    """path and text of the files whose comments may allow findings"""
    gate_files: GateFiles | None = None
    """what its files say about the gate; None if the change has none of these files"""
    lineage: Lineage = Lineage.ANCESTOR
    text_history: History | None = None
    """the revision files as text, where there are no facts"""
    submodules: tuple[str, ...] = ()
    """those with revisions that stand at another commit in the change, relative to the repository"""
    tip: BranchTip | None = None
    """the newest state of the branch into which the change goes; None if HEAD has it, or it is not known"""
    squash_proof: SquashProof | None = None
    """how the catalogs before and after a squash compare; None if there is none, or it cannot be told"""

    @property
    def is_known(self) -> bool:
        """Whether it is known what was there before the change; nothing was before a new project."""
        return self.facts is not None or self.is_new_project

    @property
    def history(self) -> History | None:
        """The revisions at the base, as far as they are known."""
        return self.facts.replay.history if self.facts is not None else self.text_history
