"""A downgrade drops a constraint that has no name.

Autogenerate writes `drop_constraint(None, …)` where the model gives the constraint no name. Alembic
cannot make a statement of it, so this downgrade can never run; nothing else says so before a rollback.

Instead, give the constraint its name, here and where it is made, or set a naming convention on the
models' MetaData.
"""

from collections.abc import Iterator

from migration_gate.analysis.given_names import find_dropped_name, name_calls
from migration_gate.analysis.rolled_back_files import list_rolled_back_files
from migration_gate.check import Evidence, Finding, Severity, Subject
from migration_gate.facts import Facts, Location, Replay, RevisionFile, UnnamedCall
from migration_gate.wording import join_words

SEVERITY = Severity.ERROR
SUBJECT = Subject.ROLLED_BACK
KINDS_OF_CONSTRAINTS = ("foreign key", "unique", "check")
SHOWN_NAMES = 6


def check(facts: Facts) -> Iterator[Finding]:
    """Yield each call, by the text of the file; not if the downgrade ran to its end all the same."""
    replay = facts.replay
    for file in list_rolled_back_files(replay):
        rollback = replay.find_rollback(file.revision)
        if rollback is not None and rollback.is_complete:
            continue
        for drop in file.downgrade.unnamed_drops:
            yield _describe_drop(replay, file, drop)


def _describe_drop(replay: Replay, file: RevisionFile, drop: UnnamedCall) -> Finding:
    what = "an index" if drop.function == "drop_index" else "a constraint"
    table = f" of `{drop.table}`" if drop.table else ""
    return Finding(
        object=f"{file.revision} {drop.table}".strip(),
        message=f"`{file.revision}`: the downgrade drops {what}{table} without a name, and can never run",
        location=Location(file.path, drop.line, drop.last_line),
        revision=file.revision,
        evidence=(Evidence("call", drop.code),),
        fix=_suggest_names(replay, file, drop),
        corrections=name_calls(replay, file, drop),
    )


def _suggest_names(replay: Replay, file: RevisionFile, drop: UnnamedCall) -> str:
    given = find_dropped_name(replay, file, drop)
    if given is not None:
        return f"Write the name that Postgres gave it in the place of None: `{given.name}`."
    names = [
        constraint.name
        for constraint in replay.catalog.constraints
        if constraint.table == drop.table and constraint.kind in KINDS_OF_CONSTRAINTS
    ]
    advice = "Write the name that the database has in the place of None."
    if names:
        advice += f" `{drop.table}` has {join_words(names[:SHOWN_NAMES])}."
    return advice
