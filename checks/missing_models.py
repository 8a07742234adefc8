"""Alembic was given no models to compare with.

`env.py` sets no `target_metadata`, or one without tables, because nothing imports the models.
`alembic revision --autogenerate` then proposes to drop every table, and nobody notices drift.

Instead, import every module with models in `env.py`, and set `target_metadata = Base.metadata`.
"""

from collections.abc import Iterator

from migration_gate.check import Evidence, Finding, Severity
from migration_gate.facts import Facts
from migration_gate.wording import code_block, count_noun

SEVERITY = Severity.ERROR

_SET_METADATA = code_block("from app.models import Base\n\ntarget_metadata = Base.metadata")
_IMPORT_MODELS = code_block("import app.models  # noqa: F401  (fills Base.metadata)")
_ALLOW = "\nIf the project has no models on purpose, allow missing-models with that reason."


def check(facts: Facts) -> Iterator[Finding]:
    """Yield one finding where env.py ran and passed no table to Alembic."""
    replay = facts.replay
    # The models are read after the last revision: a replay that ended early shows nothing about them.
    if replay.models.tables or replay.history.error or replay.failure:
        return
    # Models that could not be read are reported by unchecked.
    if any(unchecked.object == "models" for unchecked in replay.unchecked):
        return
    if replay.models.metadatas == 0:
        message = "`target_metadata` is missing in env.py: there are no models to compare with"
        fix = f"Set it in env.py, before `context.configure`, and pass it there:{_SET_METADATA}"
    else:
        message = "`target_metadata` holds no tables: env.py imports no models"
        fix = f"Import every module that defines a model in env.py, above `target_metadata`:{_IMPORT_MODELS}"
    replayed = Evidence("replayed", count_noun(len(replay.catalog.tables), "table"))
    yield Finding("env.py", message, evidence=(replayed,), fix=f"{fix}{_ALLOW}")
