"""Bad configuration: refused with file, line, key, what was found and the nearest that is valid."""

from __future__ import annotations

from pathlib import Path

import pytest

from migration_gate.config import loading
from migration_gate.errors import Misconfigured
from tests.support.privileges import folder_for_everybody, plain_user

YML = ".migration-gate.yml"
TOML = "pyproject.toml"
KNOWN = {"drift": ("table", "column"), "nullable-owner": (), "raw-sql-file": ()}

Bad = tuple[str, str, str, str, str, str]
"""name, file, text, where, says, advice"""
BAD: list[Bad] = [
    (
        "an unknown key",
        YML, "postgres: 17\npostgress: 16\n",
        f"{YML}:2", "`postgress` is not a setting.", "Did you mean `postgres`?",
    ),
    (
        "an unknown key of a section",
        YML, "owners:\n  colums: [a]\n",
        f"{YML}:2", "`owners.colums` is not a setting.", "Did you mean `owners.columns`?",
    ),
    (
        "an unknown key of a project",
        YML, "projects:\n  api:\n    limits:\n      imports: 3\n",
        f"{YML}:4", "`projects.api.limits.imports` is not a setting.",
        "Did you mean `projects.api.limits.import`?",
    ),
    (
        "projects in a project",
        YML, "projects:\n  api:\n    projects: {}\n",
        f"{YML}:3", "`projects.api.projects` is not a setting.",
        "Projects cannot hold projects: name them all at the top.",
    ),
    (
        "a key that is like none",
        YML, "limits: {zzz: 3}\n",
        f"{YML}:1", "`limits.zzz` is not a setting.", "Known here: run, statement, import, install.",
    ),
    (
        "a gap that was not filled in",
        YML, "env:\n  KEY: …\n",
        f"{YML}:2", "`env: KEY` is still `…`, which stands for a value that only you know.",
        "Write a value that the project accepts.",
    ),
    (
        "a wrong word",
        YML, "fail_on: eror\n",
        f"{YML}:1", "`fail_on` must be error or warning, but is `eror`.", "Did you mean `error`?",
    ),
    (
        "a wrong severity",
        YML, "checks:\n  drift: of\n",
        f"{YML}:2", "`checks.drift` must be error, warning, note or off, but is `of`.", "Did you mean `off`?",
    ),
    (
        "an unknown check",
        YML, "checks:\n  nulable-owner: off\n",
        f"{YML}:2", "`checks` names `nulable-owner`, and there is no such check.",
        "Did you mean `nullable-owner`?",
    ),
    (
        "an unknown kind",
        YML, "checks:\n  drift/colum: off\n",
        f"{YML}:2", "`checks` names `drift/colum`, and `drift` has no such kind.", "Did you mean `column`?",
    ),
    (
        "an unknown check of an allowance in a project",
        YML, "projects:\n  a:\n    allow:\n      - reason: r\n        check: drif\n",
        f"{YML}:5", "`projects.a.allow` names `drif`, and there is no such check.", "Did you mean `drift`?",
    ),
    (
        "no reason",
        YML, "allow:\n  - check: drift\n",
        f"{YML}:2", "`allow[0].reason` is missing.", "Expected here: why it is accepted.",
    ),
    (
        "an empty reason",
        YML, "allow:\n  - check: drift\n    reason: '  '\n",
        f"{YML}:3", "`allow[0].reason` is empty.", "Expected here: why it is accepted.",
    ),
    (
        "a date that is none",
        YML, "allow:\n- {check: drift, reason: r, until: 2027-02-30}\n",
        f"{YML}:2", "`allow[0].until` must be a date such as 2027-01-31, but is `2027-02-30`.",
        "Expected here: the last day on which it holds, as 2027-01-31.",
    ),
    (
        "no function",
        YML, "rehearsal:\n  python: ci/rows.py\n",
        f"{YML}:2", "`rehearsal.python` is `ci/rows.py`, and has to be `module:function`.",
        "Expected here: a function, `module:function`, which is given a connection of env.py's and inserts "
        "rows.",
    ),
    (
        "rows from elsewhere",
        YML, "rehearsal:\n  sql_file: /etc/passwd\n",
        f"{YML}:2", "`rehearsal.sql_file` names `/etc/passwd`, which is outside of the repository.",
        "Name a file of the repository.",
    ),
    (
        "a limit of nothing",
        YML, "limits: {run: 0}\n",
        f"{YML}:1", "`limits.run` must be more than 0, but is `0`.",
        "Expected here: for the whole replay of a project.",
    ),
    (
        "a limit in words",
        YML, "limits: {run: 5m}\n",
        f"{YML}:1", "`limits.run` must be a number, but is `5m`.",
        "Expected here: for the whole replay of a project.",
    ),
    (
        "neither true nor false",
        YML, "network: perhaps\n",
        f"{YML}:1", "`network` must be true or false, but is `perhaps`.",
        "Expected here: let the project's code reach the network.",
    ),
    (
        "nothing where text belongs",
        YML, "postgres:\n",
        f"{YML}:1", "`postgres` must be a list, but is nothing.",
        "Expected here: auto, local, embedded, a major version, an image, or the URL of a server; of "
        "several, each is replayed on and checked, and what differs between them is reported.",
    ),
    (
        "a list where a mapping belongs",
        YML, "owners:\n  - owner_id\n",
        f"{YML}:1", "`owners` must be a mapping, but is a list.",
        "Expected here: which columns name the owner of a row.",
    ),
    (
        "two things in one step",
        YML, "prepare:\n  - SELECT 1\n  - {sql: a, run: b}\n",
        f"{YML}:3", "`prepare[1]` must hold exactly one of sql, sql_file, python and run.",
        "Expected here: what to do in the empty database before the first revision.",
    ),
    (
        "a start from nowhere",
        YML, "start_from: {stamp: abc}\n",
        f"{YML}:1", "`start_from` must hold exactly one of dump and create_all.",
        "Expected here: where a history begins that does not begin with an empty database.",
    ),
    (
        "a hook beside a configuration",
        YML, "hook: a.py\nalembic: alembic.ini\n",
        YML,
        "The configuration names both a hook and an Alembic configuration: "
        "keep one, as the hook makes its own.",
        "",
    ),
    (
        "a key spelled twice",
        YML, "fail_on: error\nfail-on: error\n",
        YML, "The configuration holds `fail_on` twice, spelled with - and with _.", "",
    ),
    (
        "a duplicate key",
        YML, "owners:\n  columns: [a]\n  columns: [b]\n",
        f"{YML}:3", "`owners.columns` is written twice: here and on line 2.", "Keep one of the two.",
    ),
    (
        "no mapping",
        YML, "- postgres: 17\n",
        f"{YML}:1", "The configuration is not a mapping of keys to values.",
        "Write one `key: value` a line, such as `postgres: 17`.",
    ),
    (
        "a tab",
        YML, "owners:\n\tcolumns: [a]\n",
        f"{YML}:2", "This is not YAML: found character '\\t' that cannot start any token.",
        "Indent with spaces: YAML refuses tabs.",
    ),
    (
        "two documents",
        YML, "postgres: 17\n---\npostgres: 16\n",
        f"{YML}:2", "This is not YAML: but found another document.",
        "Fix the indentation, or put the value in quotes.",
    ),
    (
        "an alias that contains itself",
        YML, "env: &a\n  b: *a\n",
        f"{YML}:1", f"`{YML}` unfolds to more than a configuration can hold.",
        "Take out the YAML aliases (`*name`) that repeat or contain themselves.",
    ),
    (
        "a file that does not exist",
        YML, "hook: hok.py\n",
        f"{YML}:1", "`hook` names the file `hok.py`, which does not exist.",
        "Did you mean `hook.py`? Relative paths start at `{folder}`.",
    ),
    (
        "a command that is not there",
        YML, "python: 3.99\n",
        f"{YML}:1", "`python` names the command `3.99`, which is not on PATH.", "Did you mean `python3.99`?",
    ),
    (
        "a dotenv file with an error",
        YML, "env_file: bad.env\n",
        "bad.env:2", "`not a variable` is not a variable.",
        "Write NAME=value, in quotes where the value holds spaces or #.",
    ),
    (
        "a folder without a configuration of Alembic's",
        YML, "alembic: empty\n",
        f"{YML}:1", "`alembic` names the folder `empty`, which holds neither alembic.ini nor pyproject.toml.",
        "Name the file.",
    ),
    (
        "a key in pyproject",
        TOML,
        "[project]\nname = 'x'\n[tool.migration-gate.owners]\nreferences = 'users'\ncolums = [\n  'a',\n]\n",
        f"{TOML}:5", "`owners.colums` is not a setting.", "Did you mean `owners.columns`?",
    ),
    (
        "an entry in pyproject",
        TOML,
        "[[tool.migration-gate.allow]]\ncheck = 'drift'\nreason = 'r'\n"
        "[[tool.migration-gate.allow]]\ncheck = 'drift'\n",
        f"{TOML}:4", "`allow[1].reason` is missing.", "Expected here: why it is accepted.",
    ),
    (
        "a pyproject with an error",
        TOML, "[tool.migration-gate]\npostgres = \n",
        f"{TOML}:2", "This is not TOML: Invalid value (at line 2, column 12).", "Fix the file.",
    ),
    (
        "the table under another name",
        TOML, "[tool.other]\n[tool.migration_gate]\npostgres = 17\n",
        f"{TOML}:2", "`[tool.migration_gate]` is not the name of our table.",
        "Write `[tool.migration-gate]`.",
    ),
]  # fmt: skip


@pytest.mark.parametrize("bad", BAD, ids=[name for name, *_ in BAD])
def test_a_wrong_file_is_refused_with_a_complete_message(tmp_path: Path, bad: Bad) -> None:
    _, file, text, where, says, advice = bad
    (tmp_path / "hook.py").touch()
    (tmp_path / "bad.env").write_text("A=1\nnot a variable\n")
    (tmp_path / "empty").mkdir()
    (tmp_path / file).write_text(text)
    with pytest.raises(Misconfigured) as caught:
        loading.load_settings(tmp_path, {}, {}, list_checks=lambda: KNOWN)
    error = caught.value
    expected = advice.replace("{folder}", str(tmp_path))
    assert (error.where, error.message, error.advice, error.status) == (where, says, expected, 2)


def refused(
    folder: Path, options: dict[str, object] | None = None, environ: dict[str, str] | None = None
) -> Misconfigured:
    with pytest.raises(Misconfigured) as caught:
        loading.load_settings(folder, options or {}, environ or {}, list_checks=lambda: KNOWN)
    return caught.value


@pytest.mark.parametrize(
    ("name", "value", "says", "advice"),
    [
        ("MIGRATION_GATE_POSTGRE", "17", "is not a variable of ours.",
        "Did you mean `MIGRATION_GATE_POSTGRES`?"),
        (
            "MIGRATION_GATE_OWNERS__COLUMS", "a", "is not a variable of ours.",
            "Did you mean `MIGRATION_GATE_OWNERS__COLUMNS`?",
        ),
        ("MIGRATION_GATE_PROJECTS__A__X", "1", "is not a variable of ours.",
        "Name projects in `.migration-gate.yml`."),
        ("MIGRATION_GATE_ENV", "A=1", "is not a variable of ours.", "Did you mean `MIGRATION_GATE_ENV__`?"),
        ("MIGRATION_GATE_ALLOW", "[{]", "begins like JSON", "Fix its quotes and commas."),
    ],
)  # fmt: skip
def test_an_unknown_variable_is_refused_by_name(
    tmp_path: Path, name: str, value: str, says: str, advice: str
) -> None:
    error = refused(tmp_path, environ={name: value})
    assert (error.where, error.advice) == (name, advice)
    assert error.message.startswith(f"`{name}` {says}")


def test_a_wrong_value_names_the_variable_or_the_option(tmp_path: Path) -> None:
    assert refused(tmp_path, environ={"MIGRATION_GATE_FAIL_ON": "never"}).where == "MIGRATION_GATE_FAIL_ON"
    assert refused(tmp_path, {"fail_on": "never"}).where == "--fail-on"
    assert refused(tmp_path, {"limits": {"run": "x"}}).where == "--run-timeout"


def test_all_faults_are_reported_at_once(tmp_path: Path) -> None:
    (tmp_path / YML).write_text("fail_on: eror\nsnapshots: many\n")
    error = refused(tmp_path)
    assert error.message == "`snapshots` must be changed, none, all or a number, but is `many`."
    assert (
        error.evidence == f"{YML}:1: `fail_on` must be error or warning, but is `eror`. Did you mean `error`?"
    )


def test_two_configurations_are_refused(tmp_path: Path) -> None:
    (tmp_path / YML).write_text("postgres: 17\n")
    (tmp_path / TOML).write_text("\n[tool.migration-gate]\npostgres = 17\n")
    error = refused(tmp_path)
    assert error.message == f"Both `{YML}` and `{TOML}` configure the gate."
    assert error.advice == "Keep one of them."
    (tmp_path / TOML).unlink()
    (tmp_path / ".migration-gate.yaml").touch()
    assert refused(tmp_path).message == f"Both `{YML}` and `.migration-gate.yaml` configure the gate."


def test_a_binary_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / YML).write_bytes(b"\x80\x81postgres")
    assert refused(tmp_path).message == f"`{YML}` is not UTF-8 text (byte 0)."
    (tmp_path / YML).write_bytes(b"a\0b")
    assert refused(tmp_path).message == f"`{YML}` is not text."


def test_a_folder_instead_of_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / YML).mkdir()
    assert refused(tmp_path).message == f"`{YML}` cannot be read: Is a directory."


def test_an_unreadable_file_is_refused() -> None:
    with folder_for_everybody() as folder:
        (folder / YML).touch(mode=0o000)
        with plain_user():
            error = refused(folder)
    assert error.message == f"`{YML}` cannot be read: Permission denied."


def test_a_missing_folder_is_refused(tmp_path: Path) -> None:
    assert refused(tmp_path / "nowhere").message == f"`{tmp_path / 'nowhere'}` does not exist."
    (tmp_path / "file").touch()
    assert refused(tmp_path / "file").message == f"`{tmp_path / 'file'}` is not a folder."


def test_an_unknown_project_is_refused(tmp_path: Path) -> None:
    (tmp_path / YML).write_text("projects: {api: {postgres: 17}}\n")
    error = refused(tmp_path, {"project": ("apy",)})
    assert (error.message, error.advice) == ("There is no project `apy`.", "Did you mean `api`?")
