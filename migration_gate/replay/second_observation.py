"""Observes the new revisions again, from the base, where their locks could not be told from old ones.

That is so where env.py runs all revisions in one transaction which may not be committed between them. What
stands at the base was made a second time then, and is committed, as it is in production.
"""

from __future__ import annotations

from collections.abc import Sequence

from migration_gate.facts import Rehearsal
from migration_gate.replay.base_database import RevisionSplit, copy_base_database, split_history
from migration_gate.replay.observation_log import LogMessage, install_observation, read_observed_log
from migration_gate.replay.replay_setup import ReplaySetup
from migration_gate.replay.runs_channel import AnswerInProgress, RunsChannel
from migration_gate.worker.protocol import Line
from migration_gate.worker.protocol.order import RevisionRun
from migration_gate.worker.protocol.step_lines import StepFinished


def observe_again(
    setup: ReplaySetup, answer: AnswerInProgress, rehearsal: Rehearsal, log: Sequence[LogMessage]
) -> tuple[LogMessage, ...]:
    """The log of such a run; empty if none is needed, or it did not come to its end. `log`: the first run's.

    The rehearsal has made the database of the base.
    """
    was_kept = any(message.point is not None and message.point.point == "kept" for message in log)
    split = split_history(answer.lines, setup.pending_files)
    if not was_kept or setup.settings.observe != "change" or rehearsal.unproven or not split.old:
        return ()
    runs = _list_runs(answer.lines, split)
    copy_base_database(setup)
    with setup.server.connect(setup.rehearsal_database) as connection:
        install_observation(connection, setup.server)
    finished = RunsChannel(answer).run(setup.rehearsal_database, runs)
    if finished.error is not None or finished.problem:
        return ()
    messages = read_observed_log(setup.server, setup.rehearsal_database)
    ended = {message.point.step for message in messages if message.point and message.point.point == "end"}
    return messages if ended == {run.observed_step for run in runs if run.observed_step} else ()


def _list_runs(lines: Sequence[Line], split: RevisionSplit) -> list[RevisionRun]:
    """The new revisions in their order; those that the change adds or edits are observed."""
    numbers = {line.revision: line.number for line in lines if isinstance(line, StepFinished)}
    return [
        RevisionRun(revision, "upgrade", numbers[revision] if revision in split.changed else 0)
        for revision in split.new
    ]
