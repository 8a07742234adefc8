"""Something could not be checked.

A gate that skips something silently reports "clean" where nothing was checked. What could not be
run, read or compared is named here, with the reason.

Instead, give the gate what it lacks, or allow this one object by name, with a reason.
"""

from collections.abc import Iterator

from migration_gate.analysis.coverage_proof import find_gaps
from migration_gate.analysis.handlers_in_functions import find_handled_calls
from migration_gate.analysis.left_out_tables import LeftOutTables
from migration_gate.analysis.quoted_expressions import advise_on_quoted_expression
from migration_gate.analysis.removed_models import find_removed_models
from migration_gate.analysis.untried_revisions import find_untried
from migration_gate.check import Evidence, Finding, Severity, Subject
from migration_gate.facts import Facts, Models, Replay

SEVERITY = Severity.ERROR
SUBJECT = Subject.RUN


def check(facts: Facts) -> Iterator[Finding]:
    """Yield what the replay, the repository and the comparison with the models had to leave out."""
    for unchecked in (
        *facts.replay.unchecked,
        *facts.tree.unchecked,
        *find_removed_models(facts),
        *LeftOutTables(facts.replay).find_unchecked(),
        *find_gaps(facts.replay),
        *find_untried(facts),
    ):
        yield Finding(
            object=unchecked.object,
            message=f"`{unchecked.object}` was not checked: {unchecked.why}",
            fix=_describe_fix(unchecked.object, unchecked.advice),
            severity=Severity.WARNING if unchecked.is_foreseen else None,
        )
    yield from _find_uncreated_objects(facts.replay.models)
    yield from _find_hidden_errors(facts.replay)


def _find_hidden_errors(replay: Replay) -> Iterator[Finding]:
    """Calls of functions that change rows and catch every error."""
    for call in find_handled_calls(replay):
        name = f"{call.function.name}()"
        if call.function.catches_everything:
            yield Finding(
                object=name,
                message=f"`{name}` was not checked: `{call.revision}` calls it, and its EXCEPTION WHEN "
                "OTHERS hides whatever error its INSERT, UPDATE or DELETE may have had",
                location=call.location,
                revision=call.revision,
                evidence=(Evidence("statement", call.statement),),
                fix=_describe_fix(name, "Let the handler name the error that it expects, or RAISE again"),
            )


def _find_uncreated_objects(models: Models) -> Iterator[Finding]:
    for uncreated in models.uncreated_objects:
        name = uncreated.object
        # The words of the better one are among those of the worse one: findings are compared by them.
        extent = "" if uncreated.compared_by_alembic else "not even "
        yield Finding(
            object=name,
            message=f"`{name}` was {extent}compared by Alembic alone: it cannot be created from the models",
            location=models.find_location(uncreated.table) or models.find_location(f"public.{name}"),
            evidence=(Evidence("error", uncreated.message),),
            fix=_describe_fix(name, advise_on_quoted_expression(uncreated.message) or ""),
        )


def _describe_fix(name: str, advice: str = "") -> str:
    return f"{advice or 'Give the gate what it lacks'}, or allow unchecked for `{name}` with a reason."
