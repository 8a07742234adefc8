"""What a run has of the earlier one whose checkpoint its server was started from."""

from __future__ import annotations

from migration_gate.checkpoint.saved_state import SavedState
from migration_gate.lazy_dataclass import dataclass
from migration_gate.replay.answer_lines import parse_line
from migration_gate.worker.protocol import Line
from migration_gate.worker.protocol.history_lines import ContextConfigured
from migration_gate.worker.protocol.order import EarlierRun


class CheckpointUnfit(Exception):
    """The run cannot go on from its checkpoint: it has to begin from scratch."""


@dataclass(frozen=True, slots=True)
class RestoredState:
    """The revisions that have run already, and what the worker said of them."""

    state: SavedState
    context: ContextConfigured
    """as it was before the first revision"""
    lines: tuple[Line, ...]
    """of the steps"""

    @property
    def earlier_run(self) -> EarlierRun:
        """What the worker has to know."""
        return EarlierRun(self.state.record.revisions, self.context.starting_heads)

    def replace_context(self, line: ContextConfigured) -> ContextConfigured:
        """The context as it was. Raises CheckpointUnfit if this is another one."""
        for name in ("number", "driver", "version_table", "version_table_schema", "has_metadata"):
            if getattr(line, name) != getattr(self.context, name):
                raise CheckpointUnfit(f"the context of env.py has another {name}")
        return self.context


def read_restored_state(state: SavedState) -> RestoredState:
    """The lines of a checkpoint that is intact. Raises what `parse_line` raises, or OSError."""
    context, *lines = map(parse_line, state.read_lines())
    if not isinstance(context, ContextConfigured):
        raise CheckpointUnfit("its first line is no context")
    return RestoredState(state, context, tuple(lines))
