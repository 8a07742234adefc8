"""Alembic was given no models to compare with.

`env.py` sets no `target_metadata`, or one without tables, because nothing imports the models.
`alembic revision --autogenerate` then proposes to drop every table, and nobody notices drift.

Instead, import every module with models in `env.py`, and set `target_metadata = Base.metadata`.
"""

from collections.abc import Iterator

from migration_gate.analysis.model_imports import correct_environment, list_imports, write_target_metadata
from migration_gate.analysis.model_registration import Candidates, ModelRegistration
from migration_gate.check import Evidence, Finding, Severity, Subject
from migration_gate.facts import Correction, Facts, Location, Models, Replay
from migration_gate.wording import code_block, count_noun

SEVERITY = Severity.ERROR
SUBJECT = Subject.METADATA
SHOWN_MODELS = 10

_SET_METADATA = code_block("from app.models import Base\n\ntarget_metadata = Base.metadata")
_IMPORT_MODELS = "import app.models  # noqa: F401  (fills Base.metadata)"
_MANY_METADATAS = """Pass the MetaData of these models' base class. If env.py passes it, something emptied \
it (`metadata.clear()`): delete that."""
_ALLOW = "\nIf the project has no models on purpose, allow missing-models with that reason."


def check(facts: Facts) -> Iterator[Finding]:
    """Yield one finding where env.py ran and passed no table to Alembic, or one of its contexts did not."""
    replay = facts.replay
    yield from _find_contexts_without_models(replay)
    # The models are read after the last revision: a replay that ended early shows nothing about them.
    if replay.models.tables or replay.history.error or replay.failure:
        return
    # Models that could not be read are reported by unchecked.
    if any(unchecked.object == "models" for unchecked in replay.unchecked):
        return
    definitions = ModelRegistration(replay, facts.tree).candidates
    message, fix = _explain_missing_models(replay.models, definitions)
    replayed = Evidence("replayed", count_noun(len(replay.catalog.tables), "table"))
    models = tuple(
        Evidence("model", f"{definition.class_name or definition.variable} ({definition.location})")
        for definition in (*definitions.imported, *definitions.missing)[:SHOWN_MODELS]
    )
    locations = (definition.location for definition in definitions.missing)
    yield Finding(
        "env.py",
        message,
        evidence=(replayed, *models),
        fix=f"{fix}{_ALLOW}",
        corrections=_import_models(replay.models, definitions),
        other_locations=(*_locate_environment(replay.models), *locations),
    )


def _import_models(models: Models, definitions: Candidates) -> tuple[Correction, ...]:
    """The imports, if they are all that is missing: there is a `target_metadata`, and no model in it."""
    if models.metadatas == 0 or definitions.imported:
        return ()
    return correct_environment(models, definitions.missing)


def _locate_environment(models: Models) -> tuple[Location, ...]:
    """env.py, if it is known."""
    return (Location(models.environment_file),) if models.environment_file is not None else ()


def _explain_missing_models(models: Models, definitions: Candidates) -> tuple[str, str]:
    """The message and the fix."""
    if models.metadatas == 0:
        message = "`target_metadata` is missing in env.py: there are no models to compare with"
        found = write_target_metadata(models, (*definitions.imported, *definitions.missing))
        code = code_block(found) if found else _SET_METADATA
        fix = f"Set it in env.py, before `context.configure`, and pass it there:{code}"
    elif definitions.imported:
        message = "`target_metadata` holds no tables, though modules with models were imported"
        fix = _MANY_METADATAS
    else:
        message = "`target_metadata` holds no tables: env.py imports no models"
        imports = "\n".join(list_imports(models, definitions.missing)) or _IMPORT_MODELS
        fix = (
            "Import every module that defines a model in env.py, above `target_metadata`:"
            f"{code_block(imports)}"
        )
    return message, fix


def _find_contexts_without_models(replay: Replay) -> Iterator[Finding]:
    """One of several contexts: if none has models, that is said once."""
    if replay.models.metadatas == 0 or replay.failure:
        return
    for context in replay.contexts:
        revisions = {step.revision for step in replay.steps if step.context == context.number}
        if revisions and not context.has_metadata:
            yield Finding(
                object=f"env.py context {context.number}",
                message=f"`target_metadata` is missing in context {context.number} of env.py: there are no "
                f"models for what its {count_noun(len(revisions), 'revision')} made",
                fix=f"Pass its models to that `context.configure`:{_SET_METADATA}{_ALLOW}",
                other_locations=_locate_environment(replay.models),
            )
