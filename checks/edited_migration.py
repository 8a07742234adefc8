"""A revision that stands on the base does something else now.

A database that has run it never runs it again: what was edited reaches new databases alone, and the same
head stands for different schemas or rows.

Instead, restore the revision, and write what is to change into a new one. Another layout, comments,
docstrings and names of variables are no edit.
"""

import shlex
from collections.abc import Iterator

from migration_gate.analysis.edited_revisions import EditedRevision, find_edited
from migration_gate.analysis.history_change import (
    HistoryChange,
    compare_histories,
    write_restoring_command,
)
from migration_gate.analysis.reused_ids import list_reused
from migration_gate.check import Evidence, Finding, Severity, Subject
from migration_gate.facts import Facts, Lineage, Location, Revision, Statement
from migration_gate.wording import code_block, count_noun, join_lines, join_words

SEVERITY = Severity.ERROR
SUBJECT = Subject.RUN_REVISION
KINDS = ("imported",)
MAX_PAIRS = 3
"""differing statements that are shown"""
MAX_CAUSES = 3
"""changed files that are named as what a revision uses"""
MAX_TEXT = 400
"""characters of a statement that are shown"""


def check(facts: Facts) -> Iterator[Finding]:
    """Yield the edited revisions; those with one cause outside of them together."""
    change = compare_histories(facts)
    if change is None or facts.replay.history.error is not None:
        return
    others = {pair.now.id for pair in list_reused(change)}
    if change.squash is not None and change.squash.reused is not None:
        others.add(change.squash.reused.id)
    by_cause: dict[tuple[str, ...], list[EditedRevision]] = {}
    for edited in find_edited(change, facts.replay):
        if edited.revision.id in others:
            continue
        if edited.is_own:
            yield _describe_own(change, edited)
        else:
            by_cause.setdefault(edited.causes, []).append(edited)
    for causes, group in by_cause.items():
        yield _describe_imported(change, causes, group)


def _describe_own(change: HistoryChange, edited: EditedRevision) -> Finding:
    revision = edited.revision
    restore = code_block("\n".join(_list_restoring_commands(change, revision)))
    return Finding(
        object=revision.id,
        message=f"`{revision.id}` {_name_difference(edited)} than at the base: a database that has run it "
        "never runs it again",
        location=_locate(edited),
        revision=revision.id,
        evidence=tuple(_list_evidence(edited)),
        fix=f"Restore it, and write what is to change into a new revision:{restore}\n"
        "If no database has run it yet, allow this finding with that as the reason.",
        severity=_soften(change),
    )


def _list_restoring_commands(change: HistoryChange, revision: Revision) -> Iterator[str]:
    """What brings the file of the base back, and takes away the one to which it was moved."""
    before = change.before.find_revision(revision.id) or revision
    yield write_restoring_command(change.base, before)
    if before.location.file != revision.location.file:
        yield f"rm {shlex.quote(revision.location.file)}"  # git may not know it yet


def _describe_imported(
    change: HistoryChange, causes: tuple[str, ...], group: list[EditedRevision]
) -> Finding:
    ids = [edited.revision.id for edited in group]
    names_causes = 0 < len(causes) <= MAX_CAUSES
    reason = _describe_causes(causes)
    pronoun = "its" if len(ids) == 1 else "their"
    verb = _name_difference(group[0], is_plural=len(ids) > 1)
    more = f" and {len(ids) - 5} more" if len(ids) > 5 else ""
    return Finding(
        object=" ".join(causes if names_causes else sorted(ids)),
        message=f"{join_words(ids[:5])}{more} {verb} than at the base, though {pronoun} own text is "
        f"the same: {reason}",
        location=_locate(group[0]),
        revision=ids[0],
        evidence=tuple(_list_evidence(group[0])),
        fix="Copy what a revision needs into its own file, as it was when the revision was written: a "
        "revision must not depend on what changes. Then restore what it did.",
        kind="imported",
        severity=_soften(change),
        other_locations=tuple(_locate(edited) for edited in group[1:]),
    )


def _describe_causes(causes: tuple[str, ...]) -> str:
    if not causes:
        return "something else that it uses did (env.py, a naming convention, a file, a package)"
    if len(causes) <= MAX_CAUSES:
        return f"{join_words(causes)} changed"
    # Files of a package that it imports: which of them it uses is not known.
    return (
        f"something did in the {count_noun(len(causes), 'changed file')} of what it imports "
        f"({', '.join(causes[:MAX_CAUSES])} and {len(causes) - MAX_CAUSES} more)"
    )


def _name_difference(edited: EditedRevision, *, is_plural: bool = False) -> str:
    ending = "" if is_plural else "s"
    if not edited.pairs:
        return f"leave{ending} another catalog"
    if edited.has_equal_statements:
        return f"write{ending} other values"
    return f"emit{ending} other SQL"


def _list_evidence(edited: EditedRevision) -> Iterator[Evidence]:
    texts = [(_show(pair.before, edited), _show(pair.now, edited)) for pair in edited.pairs]
    different = [*dict.fromkeys(texts)]  # each schema of a tenant has the same
    for before, now in different[:MAX_PAIRS]:
        yield Evidence("base", before)
        yield Evidence("now", now)
    if len(different) > MAX_PAIRS:
        yield Evidence("and", count_noun(len(different) - MAX_PAIRS, "more statement"))
    if edited.commands_before:
        yield Evidence("base", _name_commands(edited.commands_before))
    if edited.commands_now:
        yield Evidence("now", _name_commands(edited.commands_now))


def _name_commands(commands: tuple[str, ...]) -> str:
    return join_words([*dict.fromkeys(commands)][:MAX_PAIRS], quote="")


def _show(statement: Statement | None, edited: EditedRevision) -> str:
    if statement is None:
        return "nothing"
    text = join_lines(statement.sql)
    if edited.has_equal_statements or statement.parameters:
        text = f"{text} {statement.parameters}"
    return text if len(text) <= MAX_TEXT else f"{text[:MAX_TEXT]}…"


def _locate(edited: EditedRevision) -> Location:
    """The line of the first statement that differs."""
    file = edited.revision.location.file
    for pair in edited.pairs:
        if pair.now is not None and pair.now.line:
            return Location(file, pair.now.line)
    return edited.revision.location


def _soften(change: HistoryChange) -> Severity | None:
    return Severity.WARNING if change.base.lineage is Lineage.SAME_BRANCH else None
