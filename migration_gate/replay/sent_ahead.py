"""What is known of revisions whose statements the worker sent before the one before was answered.

See `worker/step_pipeline.py`.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from migration_gate.facts import Step
from migration_gate.replay.ddl_log import IS_INSTALLED, STEP_BEGINS
from migration_gate.replay.server_log import read_end, read_entries
from migration_gate.worker.protocol import Line
from migration_gate.worker.protocol.step_lines import StepFinished, StepStarted

if TYPE_CHECKING:
    import psycopg

STEP_ENTRY = re.compile(r"migration_gate step: (?P<number>\d+)")
"""in the server's log: see `begin_step` in ddl_log.sql"""
STEP_SECONDS = f"""
select step, extract(epoch from next_moment - moment)::float from (
    select step, moment, lead(step) over next as next_step, lead(moment) over next as next_moment
    from migration_gate.ddl_log where tag = '{STEP_BEGINS}' window next as (order by id)
) steps where next_step = step + 1
"""  # noqa: S608 - a constant


def find_running_step(log: Path | None, database: str) -> int | None:
    """The number of the step that the server has begun last in this database; None if that is not known."""
    entries = read_entries(read_end(log), database) if log is not None else []
    found = [match for entry in entries if (match := STEP_ENTRY.fullmatch(entry.text))]
    return int(found[-1]["number"]) if found else None


def read_step_seconds(connection: psycopg.Connection[Any], lines: Iterable[Line]) -> Mapping[int, float]:
    """What the server took for each step whose statements were sent ahead, by the step's number.

    Where all answers had come when the step ended, no longer than the worker: the next step may begin much
    later, in another run.
    """
    ahead: dict[int, float] = {}
    begun: set[int] = set()
    for line in lines:
        if isinstance(line, StepStarted) and line.is_ahead:
            begun.add(line.number)
        elif isinstance(line, StepFinished) and (line.is_ahead or line.number in begun):
            ahead[line.number] = math.inf if line.is_ahead else line.seconds
    if not ahead or connection.execute(IS_INSTALLED).fetchone() != (True,):
        return {}
    rows = connection.execute(STEP_SECONDS.encode()).fetchall()
    return {step: min(seconds, ahead[step]) for step, seconds in rows if step in ahead}


def with_server_seconds(steps: Sequence[Step], seconds: Mapping[int, float]) -> tuple[Step, ...]:
    """The steps; those that were sent ahead took as long as the server says."""
    return tuple(
        replace(step, seconds=round(seconds[step.number], 5)) if step.number in seconds else step
        for step in steps
    )
