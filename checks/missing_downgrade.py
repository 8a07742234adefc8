"""A revision of the change has no downgrade.

Its `upgrade()` changes the database, and its `downgrade()` is missing or empty. `alembic downgrade` then
succeeds and does nothing: the version table says that the change is gone, the schema still has it,
and the next upgrade fails or changes it twice. This is noticed in the night of a rollback.
Nobody goes back below the first revision of a history: for that one it is a note, and for one that
replaces the whole history, a squash, nothing is said. In a project in which no older revision has a
downgrade, it is a note, too: there this was decided.

Instead, write the downgrade, or say that there is none: `raise NotImplementedError(reason)`.
"""

from collections.abc import Iterator

from migration_gate.analysis.history_change import compare_histories
from migration_gate.analysis.rollback_messages import DECLARE_ONE_WAY, locate_downgrade
from migration_gate.analysis.rolled_back_files import list_rolled_back_files
from migration_gate.check import Finding, Severity, Subject
from migration_gate.facts import Facts, Replay, RevisionFile

SEVERITY = Severity.ERROR
SUBJECT = Subject.ROLLED_BACK
MIN_OLDER = 3
"""older revisions without a downgrade that show what a project has decided"""
SCHEMA_PREFIXES = ("create_", "add_", "alter_", "drop_", "rename_")
"""how the functions of Alembic's begin that change a schema"""


def check(facts: Facts) -> Iterator[Finding]:
    """Yield the revisions whose upgrade does something, and whose downgrade does nothing."""
    replay = facts.replay
    squash_root = _find_squash_root(facts)
    goes_forward_only = _has_no_older_downgrade(replay)
    for file in list_rolled_back_files(replay):
        if file.revision == squash_root:
            continue
        if file.downgrade.is_empty and not file.downgrade.upgrade_is_empty:
            yield from _describe_revision(replay, file, goes_forward_only=goes_forward_only)


def _has_no_older_downgrade(replay: Replay) -> bool:
    """Whether the project has decided against downgrades: none of its older revisions has one."""
    judged = {file.revision for file in list_rolled_back_files(replay)}
    older = [
        file
        for file in replay.history.files
        if file.revision and file.revision not in judged and not file.downgrade.upgrade_is_empty
    ]
    return len(older) >= MIN_OLDER and all(file.downgrade.is_empty for file in older)


def _find_squash_root(facts: Facts) -> str | None:
    """The revision with which the history begins since a squash: what stood below it is gone."""
    change = compare_histories(facts)
    if change is None or change.squash is None:
        return None
    return change.squash.replacements[0].id


def _describe_revision(replay: Replay, file: RevisionFile, *, goes_forward_only: bool) -> Iterator[Finding]:
    revision = file.revision or ""
    rollback = replay.find_rollback(revision)
    if rollback is not None and rollback.may_stay:
        return  # Postgres cannot remove a label, nor forget that a constraint was validated
    changes_schema = rollback.has_changed_catalog if rollback is not None else _names_schema(file)
    what = "`downgrade()` is missing" if file.downgrade.line is None else "`downgrade()` does nothing"
    severity: Severity | None = Severity.NOTE
    if replay.history.bases == (revision,):
        message = f"`{revision}` is the first revision, and its {what}: `downgrade base` leaves the schema"
    elif changes_schema and goes_forward_only:
        message = f"`{revision}` changes the schema, and its {what}, as of every revision before it"
    elif changes_schema:
        message, severity = f"`{revision}` changes the schema, and its {what}", None
    else:
        message = f"`{revision}` changes rows at most, and its {what}"
    yield Finding(
        object=revision,
        message=message,
        location=locate_downgrade(replay, revision),
        revision=revision,
        fix=f"Write what undoes `upgrade()`, in the opposite order. {DECLARE_ONE_WAY}",
        severity=severity,
    )


def _names_schema(file: RevisionFile) -> bool:
    """Whether the text of a revision that did not run names what changes a schema."""
    return any(call.name.startswith(SCHEMA_PREFIXES) for call in file.find_calls())
