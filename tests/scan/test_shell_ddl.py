from __future__ import annotations

import pytest

from migration_gate.scan.shell_ddl import find_psql_statements

ALTER = "ALTER TABLE users ADD COLUMN slug text"


@pytest.mark.parametrize(
    "script",
    [
        f'psql -c "{ALTER}"',
        f"psql $URL --command='{ALTER}'",
        f'psql -h db -qc "{ALTER}"',
        f'psql -c "select 1" \\\n  -c "{ALTER}"',
        'psql -c "ALTER TABLE \\"users\\" ADD x int"',
        f"psql <<EOF\n{ALTER};\nEOF",
        f"psql -v x=1 <<-'SQL'\n  {ALTER};\n  SQL",
        f'echo "{ALTER}" | psql $URL',
        f"docker compose exec db bash -c 'psql -U x -c \"{ALTER}\"'",
        f"docker compose exec db sh -c \"psql -U x -c '{ALTER}'\"",
        f'command: ["psql", "-c", "{ALTER}"]',
        f'- run: |\n    psql -c "\n      {ALTER};\n    "',
    ],
)
def test_sql_given_to_psql_is_found(script: str) -> None:
    assert [found.relations[0].strip('"') for found in find_psql_statements(script)] == ["users"]


@pytest.mark.parametrize(
    "script",
    [
        f'# psql -c "{ALTER}"',
        f'mysql -e "{ALTER}"',
        f'psql -c "select 1"\necho "{ALTER}"',
        'psql -c "CREATE DATABASE x"',
        'psql -c "ALTER TABLE $TABLE ADD x int"',
        f'psql -U "{ALTER}"',
        f"{ALTER}\npsql <<EOF",
    ],
)
def test_what_psql_does_not_run_is_not_found(script: str) -> None:
    assert list(find_psql_statements(script)) == []


def test_the_line_in_a_script_is_that_of_the_statement() -> None:
    script = f"set -e\npsql <<EOF\nselect 1;\n{ALTER};\nEOF"
    assert [found.line for found in find_psql_statements(script)] == [4]
