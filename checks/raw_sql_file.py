"""A tracked `.sql` file lies beside the migrations.

Nothing records when it ran, on which database, or whether it ran at all: a schema that it changed is one
that no revision can rebuild, and nobody notices that the models and the database differ.

Instead, move what changes the schema into a revision (`op.execute` takes any statement), and name the files
that are meant to stay, queries for example, in `raw_sql.allow`.
"""

from collections.abc import Iterator

from migration_gate.analysis import raw_sql_messages
from migration_gate.check import Finding, Severity, Subject
from migration_gate.facts import Facts, Location, SqlFile

SEVERITY = Severity.ERROR
SUBJECT = Subject.TRACKED_FILE


def check(facts: Facts) -> Iterator[Finding]:
    """Yield every tracked .sql file that no `raw_sql.allow` pattern covers."""
    # Of a file that was not read at all only unchecked knows to say something.
    files = [
        file
        for file in facts.tree.sql_files
        if file.allowed_by is None and (file.unread is None or file.statement_kinds)
    ]
    patterns = raw_sql_messages.suggest_patterns(files, facts.tree.prefix)
    for file in files:
        yield Finding(
            object=file.path,
            message=_describe_file(file),
            location=Location(file.path, file.line if file.first_statement else None),
            evidence=raw_sql_messages.collect_evidence(file),
            fix=raw_sql_messages.describe_fix(file, patterns[file.path]),
            kind=file.statement_kinds[0] if file.statement_kinds else None,
            severity=Severity.WARNING if file.executed_by else None,
        )


def _describe_file(file: SqlFile) -> str:
    if file.unreadable:
        return f"`{file.path}` could not be read: {file.unreadable}"
    if file.executed_by:
        return f"`{file.path}` is read by `{file.executed_by}`: a later edit of it rewrites history"
    if file.first_statement is None:
        return f"`{file.path}` holds no statement that changes or reads anything"
    if "schema" not in file.statement_kinds:
        contents = raw_sql_messages.describe_contents(file)
        return f"`{file.path}` holds {contents}, and no migration executes it"
    statement = raw_sql_messages.shorten_first_statement(file)
    return f"`{file.path}` changes the schema outside the migrations ({statement}, line {file.line})"
