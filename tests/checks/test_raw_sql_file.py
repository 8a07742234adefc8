from __future__ import annotations

from dataclasses import replace

from pathspec import GitIgnoreSpec

from migration_gate.check import Evidence, Finding, Severity
from migration_gate.checks.raw_sql_file import check
from migration_gate.facts import Facts, SqlFile, Tree

INIT = SqlFile(
    "db/init.sql",
    statement_kinds=("schema", "data"),
    first_statement="CREATE TABLE users ( id int )",
    line=3,
    tables=("users", "tags"),
)
REPORT = SqlFile("reports/daily.sql", statement_kinds=("query",), first_statement="SELECT 1", line=1)


def check_files(*files: SqlFile, prefix: str = "") -> list[Finding]:
    return list(check(Facts(tree=Tree(sql_files=files, prefix=prefix))))


def suggested_pattern(finding: Finding) -> str:
    return finding.fix.splitlines()[-1].strip(' -"')


def test_a_file_that_changes_the_schema_says_so_with_its_line() -> None:
    finding = check_files(INIT)[0]
    assert (
        finding.message
        == "`db/init.sql` changes the schema outside the migrations (CREATE TABLE users, line 3)"
    )
    assert (finding.object, str(finding.location), finding.severity) == ("db/init.sql", "db/init.sql:3", None)
    assert finding.evidence[1:] == (Evidence("holds", "schema, data"), Evidence("changes", "users, tags"))


def test_a_file_of_queries_is_an_error_that_names_the_pattern_which_allows_it() -> None:
    finding = check_files(REPORT)[0]
    assert finding.message == "`reports/daily.sql` holds queries, and no migration executes it"
    assert (finding.severity, suggested_pattern(finding)) == (None, "reports/daily.sql")


def test_an_allowed_file_is_no_finding() -> None:
    assert check_files(replace(REPORT, allowed_by="reports/*.sql")) == []


def test_a_file_that_a_revision_reads_is_a_warning() -> None:
    finding = check_files(replace(INIT, executed_by="versions/1_a.py"))[0]
    assert finding.severity is Severity.WARNING
    assert finding.message.startswith("`db/init.sql` is read by `versions/1_a.py`")


def test_an_unreadable_file_says_why() -> None:
    finding = check_files(SqlFile("a.sql", unreadable="it is not text"))[0]
    assert finding.message == "`a.sql` could not be read: it is not text"
    assert finding.location is not None
    assert finding.location.line is None


def test_an_empty_file_is_a_finding_too() -> None:
    assert "holds no statement" in check_files(SqlFile("a.sql"))[0].message


def test_several_files_of_a_folder_are_allowed_together() -> None:
    other = replace(REPORT, path="reports/weekly.sql")
    deeper = replace(REPORT, path="reports/old/x.sql")
    assert [suggested_pattern(finding) for finding in check_files(REPORT, other, deeper)] == [
        "reports/*.sql",
        "reports/*.sql",
        "reports/old/x.sql",
    ]


def test_a_pattern_is_counted_from_the_folder_of_the_project() -> None:
    files = [replace(REPORT, path=path) for path in ("back/a.sql", "back/r/b.sql")]
    assert [suggested_pattern(finding) for finding in check_files(*files, prefix="back")] == [
        "/a.sql",
        "r/b.sql",
    ]


def test_every_named_pattern_allows_its_file() -> None:
    for path in ("a.sql", "x/a b.sql", "x/[y]*?.sql", "#a.sql", "!a.sql", "ü/a.sql", "x/trailing .sql"):
        spec = GitIgnoreSpec.from_lines(
            [suggested_pattern(check_files(replace(REPORT, path=path))[0]).replace("\\\\", "\\")]
        )
        assert spec.match_file(path), path
        assert not spec.match_file("other/" + path), path


def test_a_file_that_was_not_read_at_all_is_unchecked_and_no_finding_of_this_check() -> None:
    assert check_files(SqlFile("a.sql", unread="it was not read: ...")) == []
    assert len(check_files(replace(INIT, unread="it was read in part: ..."))) == 1


def test_a_pattern_for_several_files_has_their_suffix() -> None:
    files = [replace(REPORT, path=f"reports/{name}") for name in ("a.sql.j2", "b.sql.j2", "c.psql")]
    assert [suggested_pattern(finding) for finding in check_files(*files)] == [
        "reports/*.sql.j2",
        "reports/*.sql.j2",
        "reports/c.psql",
    ]
