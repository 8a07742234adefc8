"""Histories that do not begin with an empty database: a dump, or the models of an older commit."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from migration_gate.postgres.choice import start_server
from migration_gate.sandbox.landlock import find_landlock_version
from tests.support.privileges import folder_for_everybody
from tests.support.release_tests import first_in_every_run
from tests.support.user_project import World, commit, project, revision

pytestmark = pytest.mark.slow
OLD = """
create table item (id serial primary key, name varchar(40));
create table alembic_version (version_num varchar(32) not null primary key);
insert into alembic_version values ('one');
"""
FIRST = "raise RuntimeError('the first revision was lost in 2019')"


def dump(folder: Path, *options: str) -> bytes:
    """A dump of a database that stands at revision one."""
    if shutil.which("pg_dump") is None:
        pytest.skip("there is no pg_dump on this machine")
    with start_server("auto", folder=folder) as server:
        name = server.create_database()
        with server.connect(name) as connection:
            connection.execute(OLD)
        done = subprocess.run(
            [
                "pg_dump", "-h", server.socket_directory, "-p", str(server.port), "-U", server.user,
                *options, name,
            ],
            env={"PGPASSWORD": server.password}, capture_output=True, check=True,
        )  # fmt: skip
    return done.stdout


@pytest.mark.parametrize("form", first_in_every_run(["plain", "custom"], 1))
def test_the_replay_begins_with_a_dump(here: World, form: str) -> None:
    keys = "start_from: {dump: ci/old.dump}\n"
    made = dump(here.temporary, f"--format={form}", "--no-owner")
    here.lay(
        {**project(one_py=revision("one", None, FIRST)), ".migration-gate.yml": keys, "ci/old.dump": made}
    )
    ran = here.check()
    assert (ran.status, ran.complaints) == (0, ""), ran.said
    assert "the replay began with old.dump, not with an empty database" in " ".join(ran.out.split())


def test_a_dump_with_a_syntax_error_is_reported(here: World) -> None:
    files = {**project(), "ci/old.sql": "create table item (;\n"}
    here.lay({**files, ".migration-gate.yml": "start_from: {dump: ci/old.sql}\n"})
    ran = here.check()
    assert ran.status == 2, ran.said
    assert "could not be restored" in ran.out
    assert "syntax error" in ran.out


def test_shell_commands_in_a_dump_run_in_the_sandbox(here: World) -> None:
    """psql would run what stands behind `\\!`: it does so in the sandbox."""
    text = OLD + "\\! (exec 3<>/dev/tcp/127.0.0.1/9) 2>&1 | head -1 >&2\n\\! id -u >&2\n"
    files = {**project(), "ci/old.sql": text.replace("\\! (", "\\! bash -c '(").replace("2>&1 |", "' 2>&1 |")}
    with folder_for_everybody() as folder:
        folder.chmod(0o777)
        files["ci/old.sql"] += f"\\! printf '\\377' >&2; touch {folder}/written\nselect 1 / 0;\n"
        here.lay({**files, ".migration-gate.yml": "start_from: {dump: ci/old.sql}\n"})
        ran = here.check()
        assert not (find_landlock_version() and any(folder.iterdir()))
    assert ran.status == 2, ran.said
    assert "Permission denied" in ran.out
    assert "refused" not in ran.out


def test_the_replay_begins_with_the_models_of_an_older_commit(here: World) -> None:
    lost = revision("one", None, FIRST)
    here.lay(project(one_py=lost, two_py=None, models_py=_old_models()))
    old = commit(here.project)
    here.lay({**project(one_py=lost), ".migration-gate.yml": f"start_from: {{create_all: {old[:10]}}}\n"})
    ran = here.check()
    assert (ran.status, ran.complaints) == (0, ""), ran.said
    said = " ".join(ran.out.split())
    assert f"the replay began with the models of {old[:10]}, stamped as heads" in said


def test_a_commit_that_does_not_exist_is_reported(here: World) -> None:
    here.lay({**project(), ".migration-gate.yml": "start_from: {create_all: deadbeef}\n"})
    ran = here.check()
    assert ran.status == 2, ran.said
    assert "deadbeef" in ran.out


def _old_models() -> str:
    return project()["shop/models.py"].replace("String(50), nullable=False", "String(40)")


def test_a_change_of_the_models_since_the_older_commit_is_drift(here: World) -> None:
    """The models changed, and no revision did: that is found, whatever the replay began with."""
    lost = revision("one", None, FIRST)
    here.lay(project(one_py=lost, two_py=None, models_py=_old_models()))
    old = commit(here.project)
    here.lay(
        {
            ".migration-gate.yml": f"start_from: {{create_all: {old[:10]}}}\n",
            **project(one_py=lost, two_py=None),
        }
    )
    (here.project / "migrations/versions/two.py").unlink(missing_ok=True)
    ran = here.check()
    assert ran.status == 1, ran.said
    assert "item.name" in ran.out
