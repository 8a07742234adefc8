from __future__ import annotations

import pytest

from migration_gate.scan.source_files import SourceKind, find_schema_changes, find_source_kind


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("app/db.py", "python"),
        ("scripts/init.sh", "shell"),
        ("Makefile", "shell"),
        ("docker/Dockerfile.dev", "shell"),
        ("bin/setup", "shell"),
        (".github/workflows/ci.yml", "workflow"),
        (".gitlab-ci.yml", "workflow"),
        ("docker-compose.dev.yaml", "workflow"),
        ("config/settings.yml", None),
        ("README.md", None),
        ("tests/test_db.py", None),
        ("app/tests/db.py", None),
        ("app/db_test.py", None),
        ("app/conftest.py", None),
        ("docs/conf.py", None),
        ("examples/run.sh", None),
        ("app/contest.py", "python"),
        ("app/latest/db.py", "python"),
        ("attestation/db.py", "python"),
    ],
)
def test_the_path_decides_how_a_file_is_read(path: str, kind: str | None) -> None:
    assert find_source_kind(path) == kind


def test_a_python_file_that_cannot_be_parsed_is_unchecked() -> None:
    found = find_schema_changes("old.py", SourceKind.PYTHON, b'exec "ALTER TABLE users ADD x int" in x')
    assert found.changes == ()
    assert "cannot parse it" in found.unchecked


def test_a_python_file_that_mentions_no_ddl_is_not_parsed() -> None:
    found = find_schema_changes("old.py", SourceKind.PYTHON, b'print "x"; user.create(1)')
    assert (found.changes, found.unchecked) == ((), "")


def test_a_sum_of_thousands_of_strings_is_read_or_unchecked() -> None:
    source = "x = " + " + ".join(['"ALTER TABLE users"'] * 3000) + "\nconn.execute(x)"
    found = find_schema_changes("long.py", SourceKind.PYTHON, source.encode())
    assert found.unchecked == "" or "cannot parse it" in found.unchecked


@pytest.mark.parametrize(
    ("path", "kind", "expected"),
    [
        ("run.sh", SourceKind.SHELL, ["shell"]),
        ("bin/setup", SourceKind.SHELL, []),
        ("ci.yml", SourceKind.WORKFLOW, ["workflow"]),
    ],
)
def test_a_change_has_the_kind_of_its_file(path: str, kind: SourceKind, expected: list[str]) -> None:
    found = find_schema_changes(path, kind, b'psql -c "ALTER TABLE users ADD x int"')
    assert [change.kind for change in found.changes] == expected


def test_a_file_without_a_suffix_is_a_script_where_its_first_line_says_so() -> None:
    found = find_schema_changes(
        "bin/setup", SourceKind.SHELL, b'#!/bin/sh\npsql -c "ALTER TABLE users ADD x int"'
    )
    assert [change.line for change in found.changes] == [2]
