"""Alembic was given no models to compare with.

`env.py` sets no `target_metadata`, or one without tables, because nothing imports the models.
`alembic revision --autogenerate` then proposes to drop every table, and drift goes unseen.

Instead, import every module with models in `env.py`, and set `target_metadata = Base.metadata`.
"""

from collections.abc import Iterator

from migration_gate.check import Evidence, Finding, Severity
from migration_gate.facts import Facts
from migration_gate.wording import code_block, count_noun

SEVERITY = Severity.ERROR


def check(facts: Facts) -> Iterator[Finding]:
    """Yield one finding where env.py ran and handed over no table."""
    replay = facts.replay
    # The models are looked at after the last revision: a replay that ended early says nothing about them.
    if replay.models.tables or replay.history.error or replay.failure:
        return
    # Where the models could not be read, `unchecked` says so.
    if any(item.object == "models" for item in replay.unchecked):
        return
    tables = count_noun(len(replay.catalog.tables), "table")
    if replay.models.metadatas == 0:
        says = "`target_metadata` is missing in env.py: there are no models to compare with"
        lines = "from app.models import Base\n\ntarget_metadata = Base.metadata"
        fix = f"Set it in env.py, before `context.configure`, and hand it over there:{code_block(lines)}"
    else:
        says = "`target_metadata` holds no tables: env.py imports no models"
        lines = "import app.models  # noqa: F401  (fills Base.metadata)"
        fix = (
            f"Import every module that defines a model in env.py, above `target_metadata`:{code_block(lines)}"
        )
    fix += "\nIf the project has no models on purpose, allow missing-models with that reason."
    yield Finding(object="env.py", message=says, evidence=(Evidence("replayed", tables),), fix=fix)
