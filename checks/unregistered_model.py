"""A model is not in the metadata that env.py gives to Alembic, because nothing imports its module.

Alembic takes the table for one that nobody needs: `alembic revision --autogenerate` writes `drop_table`
for it, and a change of the model becomes no revision. The application imports the module, and needs it.

Instead, import the module in `env.py`, or in a package that `env.py` imports.
"""

from collections.abc import Iterator, Sequence

from migration_gate.analysis.model_imports import correct_environment, list_imports
from migration_gate.analysis.model_registration import ModelRegistration, UnregisteredModel
from migration_gate.check import Evidence, Finding, Severity, Subject
from migration_gate.facts import Facts, Location, Models
from migration_gate.wording import code_block, count_noun

SEVERITY = Severity.ERROR
SUBJECT = Subject.MODEL
SHOWN_MODELS = 40
"""models that are listed with their places"""


def check(facts: Facts) -> Iterator[Finding]:
    """Yield one finding for all models that would be in the metadata if their modules were imported."""
    models = facts.replay.models
    # Without any model it is missing-models that says what to import.
    if not models.tables:
        return
    unregistered = ModelRegistration(facts.replay, facts.tree).unregistered
    if unregistered:
        locations = _list_locations(unregistered, models)
        yield Finding(
            object=" ".join(str(model) for model in unregistered),
            message=_describe_models(unregistered),
            location=next(iter(locations), None),
            evidence=tuple(_list_models(unregistered)),
            fix=_describe_fix(unregistered, models),
            corrections=correct_environment(models, (model.definition for model in unregistered)),
            other_locations=locations[1:],
        )


def _describe_models(unregistered: Sequence[UnregisteredModel]) -> str:
    if len(unregistered) == 1:
        return f"`{unregistered[0]}` has a model that env.py does not import"
    return f"{len(unregistered)} tables have models that env.py does not import"


def _list_locations(unregistered: Sequence[UnregisteredModel], models: Models) -> tuple[Location, ...]:
    """The models and env.py: the model first, if it is one; env.py for several."""
    of_models = tuple(model.definition.location for model in unregistered)
    if models.environment_file is None:
        return of_models
    env_py = Location(models.environment_file)
    return (*of_models, env_py) if len(unregistered) == 1 else (env_py, *of_models)


def _list_models(unregistered: Sequence[UnregisteredModel]) -> Iterator[Evidence]:
    for model in unregistered[:SHOWN_MODELS]:
        definition = model.definition
        name = definition.class_name or definition.variable or "Table"
        made = "" if model.table is not None else ", which no migration makes"
        yield Evidence("model", f"{name} ({definition.location}): table {model}{made}")
    if len(unregistered) > SHOWN_MODELS:
        yield Evidence("model", f"and {count_noun(len(unregistered) - SHOWN_MODELS, 'other')}")


def _describe_fix(unregistered: Sequence[UnregisteredModel], models: Models) -> str:
    imports = "\n".join(list_imports(models, (model.definition for model in unregistered)))
    env_py = f"`{models.environment_file}`" if models.environment_file else "env.py"
    fix = (
        "When env.py had run, these modules had not been imported. Import them there, "
        f"above `target_metadata` ({env_py}):{code_block(imports)}"
    )
    made = sum(model.table is not None for model in unregistered)
    if made:
        tables = "the table" if made == len(unregistered) == 1 else f"{count_noun(made, 'table')} of these"
        fix += f"\nThe migrations make {tables}: write no `op.drop_table`, the application's rows are there."
    objects = " ".join(str(model) for model in unregistered)
    return (
        f"{fix}\nIf it is not for this history to make {'it' if len(unregistered) == 1 else 'them'}, "
        f"allow unregistered-model for `{objects}` with the reason."
    )
