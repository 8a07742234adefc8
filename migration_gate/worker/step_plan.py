"""The steps of an upgrade in the order in which the worker runs them."""

from __future__ import annotations

from typing import Any, Sequence

from . import private_api
from .protocol.order import Order
from .real_paths import resolve_path


class StepPlan:
    """Alembic's plan, with old revisions first."""

    def __init__(self, order: Order, script: Any) -> None:
        """`script`: the project's ScriptDirectory."""
        self._order = order
        self._script = script

    def plan_upgrade(self, target: str, heads: Any) -> Sequence[Any]:
        """Alembic's steps, those of the change last: what is there before the first of them is the base.

        No old revision depends on a new one; if one does after all, the order stays as it is.
        """
        plan = self._put_earlier_first(private_api.plan_upgrade(self._script, target, heads))
        new_ids = self.list_new_revisions(plan)
        new = [step for step in plan if step.revision.revision in new_ids]
        old = [step for step in plan if step.revision.revision not in new_ids]
        depends = any(new_ids.intersection(_list_required(step)) for step in old)
        return plan if depends else [*old, *new]

    def _put_earlier_first(self, plan: Sequence[Any]) -> Sequence[Any]:
        """The plan with the steps of an earlier run first, as that has run them.

        A further revision may change the order in which Alembic goes through the branches of a history.
        """
        earlier = self._order.earlier_run.revisions if self._order.earlier_run is not None else ()
        steps = {step.revision.revision: step for step in plan}
        if not steps.keys() >= set(earlier):
            return plan
        first = [steps.pop(revision) for revision in earlier]
        depends = any(not steps.keys().isdisjoint(_list_required(step)) for step in first)
        return plan if depends else [*first, *steps.values()]

    def list_new_revisions(self, plan: Sequence[Any]) -> frozenset[str]:
        """The revisions of the plan whose files the change adds."""
        new_files = set(self._order.new_files)
        if not new_files:
            return frozenset()
        return frozenset(
            step.revision.revision for step in plan if resolve_path(str(step.revision.path)) in new_files
        )


def _list_required(step: Any) -> tuple[str, ...]:
    return private_api.list_required_revisions(step.revision)
