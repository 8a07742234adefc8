"""What a step that "succeeded" kept to itself: swallowed errors, hidden conflicts, a transaction it ended."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from migration_gate.analysis import ddl_text
from migration_gate.analysis.op_code import quoted
from migration_gate.check import Evidence, Finding, Severity
from migration_gate.facts import DdlCommand, Location, Replay, Statement, Step
from migration_gate.wording import code_block, count_noun

ABORTED = "25P02"
"""current transaction is aborted: it only follows from an earlier error"""


def swallowed(replay: Replay, step: Step) -> Iterator[Finding]:
    """Errors that the revision did not let through. One inside a savepoint is a guarded try: a warning."""
    followed = sum(1 for s in step.statements if s.error and s.error.sqlstate == ABORTED)
    first = True
    for number, statement in enumerate(step.statements):
        error = statement.error
        if error is None or error.sqlstate == ABORTED:
            continue
        evidence = [
            Evidence("statement", statement.sql),
            Evidence("error", f"{error.message} (SQLSTATE {error.sqlstate})"),
        ]
        if followed and first:
            lost = f"{count_noun(followed, 'later statement')} failed because of it, and did nothing"
            evidence.append(Evidence("lost", lost))
        first = False
        fix = "Let the error raise, and ask the catalog first where something may or may not be there:"
        ask = f"if {quoted(_named(statement.sql))} in sa.inspect(op.get_bind()).get_table_names():\n    ..."
        yield Finding(
            object=f"{step.revision} {error.sqlstate or error.exception_class}",
            message=f"`{step.revision}` swallowed an error: {error.message}",
            location=_place(replay, step, statement),
            revision=step.revision,
            evidence=tuple(evidence),
            fix=f"{fix}{code_block(ask)}",
            kind="swallowed-error",
            severity=Severity.WARNING if _guarded(step, number) else None,
        )


_TABLE = re.compile(
    r'\b(?:TABLE|INTO|UPDATE|FROM)\s+(?:IF\s+(?:NOT\s+)?EXISTS\s+)?(?:ONLY\s+)?"?([\w.]+)', re.IGNORECASE
)


def _named(statement: str) -> str:
    """The table that a statement names, as far as its words tell; a stand-in where they do not."""
    found = _TABLE.search(statement)
    return found[1].rpartition(".")[2] if found else "the_table"


def _guarded(step: Step, number: int) -> bool:
    """A savepoint was set before the statement, and rolled back to after it."""
    marks = [mark.partition("@") for mark in step.transactions]
    before = any(word == "savepoint" and int(at or 0) <= number for word, _, at in marks)
    after = any(word == "rollback to savepoint" and int(at or 0) > number for word, _, at in marks)
    words = [statement.sql.lstrip().upper() for statement in step.statements]
    before = before or any(word.startswith("SAVEPOINT") for word in words[:number])
    after = after or any(word.startswith("ROLLBACK TO") for word in words[number + 1 :])
    return before and after


def ended(replay: Replay, step: Step) -> Iterator[Finding]:
    """A raw COMMIT or ROLLBACK: what follows runs outside Alembic's transaction."""
    for statement in step.statements:
        if (word := ddl_text.ends_transaction(statement.sql)) and not statement.error:
            lines = "with op.get_context().autocommit_block():\n    op.execute(...)"
            yield Finding(
                object=f"{step.revision} {word.split()[0].upper()}",
                message=f"`{step.revision}` ended Alembic's transaction by a raw {word.split()[0].upper()}",
                location=_place(replay, step, statement),
                revision=step.revision,
                evidence=(
                    Evidence("statement", statement.sql),
                    Evidence(
                        "so",
                        "what came before it stays when a later revision fails; the version row does not",
                    ),
                ),
                fix=f"Delete it. Where a statement needs to stand outside a transaction:{code_block(lines)}",
                kind="raw-commit",
            )


def hidden(replay: Replay, step: Step) -> Iterator[Finding]:
    """IF NOT EXISTS that found something else under the name."""
    for number, touch in enumerate(replay.ddl_commands):
        if touch.step == step.number and not touch.identity and touch.statement:
            before = replay.ddl_commands[:number]
            for wish in ddl_text.wanted(touch.statement):
                if found := _conflict(wish, before):
                    yield _hidden(replay, step, touch, wish, found)


def _hidden(
    replay: Replay, step: Step, touch: DdlCommand, wish: ddl_text.Wanted, found: tuple[str, DdlCommand]
) -> Finding:
    there, maker = found
    made = next((s.revision for s in replay.steps if s.number == maker.step), None)
    by = f"revision `{made}`" if made else "something that ran before the first revision"
    statement = next((s for s in step.statements if s.sql.strip() == (touch.statement or "").strip()), None)
    return Finding(
        object=f"{step.revision} {wish.name}",
        message=f"`{step.revision}` left out the {wish.kind} `{wish.name}`: "
        "another one of that name was there",
        location=_place(replay, step, statement),
        revision=step.revision,
        evidence=(
            Evidence("wanted", ", ".join(wish.columns)),
            Evidence("there", there),
            Evidence("made by", f"{by}, before this one"),
        ),
        fix=f"Create it without IF NOT EXISTS, under its own name, or alter the {wish.kind} that is there.",
        kind="hidden-conflict",
    )


def _conflict(wish: ddl_text.Wanted, before: tuple[DdlCommand, ...]) -> tuple[str, DdlCommand] | None:
    """What was there instead, and who made it; None where it has the shape that was wanted."""
    if wish.kind == "table":
        same = [t for t in before if t.kind == "table" and t.columns and _is(t.identity, wish)]
        state = same[-1] if same else None
        if state is None or {column.name for column in state.columns} == {*wish.columns}:
            return None
        return ", ".join(column.name for column in state.columns), same[0]
    states: Mapping[str, tuple[str, DdlCommand]] = {
        index.name: (index.definition, touch) for touch in before for index in touch.indexes
    }
    definition, maker = states.get(wish.name, ("", None))
    match = re.search(r"\bON (?:ONLY )?(\S+) USING \w+ (\(.*)", definition)
    if maker is None or match is None:
        return None
    same_table = match[1].rpartition(".")[2].strip('"') == wish.table
    same_keys = tuple(ddl_text.keys_of(match[2])) == wish.columns
    same_kind = definition.startswith("CREATE UNIQUE") == wish.unique
    return None if same_table and same_keys and same_kind else (definition, maker)


def _is(identity: str, wish: ddl_text.Wanted) -> bool:
    schema, _, name = identity.replace('"', "").rpartition(".")
    return name == wish.name and (wish.schema is None or wish.schema == schema)


def _place(replay: Replay, step: Step, statement: Statement | None) -> Location | None:
    revision = replay.history.find_revision(step.revision)
    if revision is None or statement is None or statement.line is None:
        return revision.location if revision else None
    return Location(revision.location.file, statement.line)
