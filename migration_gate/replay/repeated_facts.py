"""What one run does with the facts of an earlier one: they serve again, or it keeps its own.

Facts of runs without a new revision are kept: see `checkpoint.kept_facts`. Where they serve, the repository
is read as text, as in any run; the base of the change is what was kept of it, too, or the facts do not serve.
"""

from __future__ import annotations

import pickle
from contextlib import suppress
from dataclasses import replace
from datetime import date

from migration_gate.change.base_policy import JudgingPolicy
from migration_gate.checkpoint.facts_key import FactsPlace
from migration_gate.checkpoint.kept_facts import (
    LAYOUT,
    FactsInputs,
    KeptFacts,
    compute_inputs,
    has_changed_since,
    has_kept_facts,
    read_kept_facts,
    remove_kept_facts,
    select_used_files,
    write_kept_facts,
)
from migration_gate.ci.base_revision import Comparison, absolute_paths
from migration_gate.config.settings import Settings
from migration_gate.facts import Facts, RunningCode, Tree, WorkRates
from migration_gate.git.git_command import find_repository_root
from migration_gate.lazy_dataclass import dataclass
from migration_gate.project import Project
from migration_gate.replay.dropped_name_uses import add_name_uses
from migration_gate.replay.project_run import ProjectRun
from migration_gate.replay.repository_paths import name_changed_files
from migration_gate.scan.repository import read_repository
from migration_gate.wording import count_noun

REPEATED = (
    "nothing ran: what {revisions} and the models depend on is as it was in an earlier run, whose facts "
    "serve again (`--from-scratch` replays everything)"
)


@dataclass(frozen=True, slots=True)
class FactsRepetition:
    """One run. `notes`: what its report says of the project's start."""

    place: FactsPlace
    project: Project
    change: Comparison
    policy: JudgingPolicy
    notes: tuple[str, ...]
    day: date
    """when the run began: models may depend on it"""

    @property
    def settings(self) -> Settings:
        """Those that judge."""
        return self.policy.settings

    def find_kept(self) -> KeptFacts | None:
        """Those of an earlier run, if they serve as far as the replay and the models are concerned."""
        kept = read_kept_facts(self.place, self._compute_key()) if has_kept_facts(self.place) else None
        if kept is None:
            return None
        inputs = kept.inputs
        digest = compute_inputs(find_repository_root(self.settings.root), inputs.used, inputs.folders)
        if digest and digest == inputs.digest:
            return kept
        remove_kept_facts(self.place)
        return None

    def renew(self, kept: KeptFacts) -> Facts | None:
        """The facts with the repository's text as it is now; None if that says more of the models."""
        settings = self.settings
        facts = kept.read_facts()
        if facts is None:
            return None
        tree = read_repository(settings, kept.migration_files)
        if _describe_models(tree) != _describe_models(facts.tree):
            return None  # whether a model is registered decides what is a difference
        top = find_repository_root(settings.root)
        changed = absolute_paths(settings.root, self.change.edited_paths())
        replay = facts.replay
        note = REPEATED.format(revisions=count_noun(len(self.place.state.record.revisions), "revision"))
        replay = replace(
            replay,
            changed_files=name_changed_files(top, changed),
            changed_lines=self.change.lines,
            notes=(*replay.notes, note),
        )
        return replace(
            facts,
            replay=replay,
            tree=add_name_uses(tree, replay, settings.root, list(kept.migration_files)),
        )

    def keep(self, facts: Facts, run: ProjectRun, *, since: float) -> None:
        """Keep the facts of this run, if they may serve again.

        since: when the run began, in seconds since 1970.
        """
        checkpoint, inputs = run.checkpoint, run.checkpoint.facts_run if run.checkpoint is not None else None
        if checkpoint is None or inputs is None or not self.place.writes or not self._may_serve(facts):
            return
        top = find_repository_root(self.settings.root)
        used = select_used_files(inputs.used_files, run.folder)
        folders = select_used_files(inputs.module_folders, run.folder)
        if used is None or folders is None:
            return
        digest = compute_inputs(top, used, folders)
        # In this order: something may change meanwhile.
        if not digest or has_changed_since(top, used, folders, since):
            return
        replay = facts.replay
        notes = tuple(note for note in replay.notes if note != checkpoint.describe())
        kept_facts = replace(facts, base=None, replay=replace(replay, notes=notes))
        shared = run.base.describe_shared() if run.base is not None else ""
        kept_inputs = FactsInputs(used, folders, digest)
        data = pickle.dumps(kept_facts, protocol=5)
        kept = KeptFacts(self._compute_key(), kept_inputs, inputs.migration_files, shared, data)
        with suppress(OSError):
            write_kept_facts(self.place, kept)

    def _compute_key(self) -> str:
        change, policy = self.change, self.policy
        subject = (
            LAYOUT, change.base, change.known_revisions, policy.note, policy.commit, self.notes, self.day
        )  # fmt: skip
        return self.place.compute_key(self.settings, self.project.python, repr(subject))

    def _may_serve(self, facts: Facts) -> bool:
        """Whether a replay with nothing new came to its end, and nothing in it was left unchecked."""
        replay = facts.replay
        ran = [step.revision for step in replay.steps]
        return (
            replay.is_complete
            and not replay.unchecked
            and ran == list(self.place.state.record.revisions)
            and not replay.observation.revisions
            and facts.running_code == RunningCode()
            and facts.work_rates == WorkRates()
        )


def _describe_models(tree: Tree) -> tuple[object, ...]:
    """What the comparison with the models takes from the text: see `ModelRegistration`."""
    return (tree.model_definitions, tree.other_tables)
