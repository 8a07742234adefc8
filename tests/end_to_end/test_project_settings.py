"""The settings that serve the strangers whom no guess serves; each changes what is replayed."""

from __future__ import annotations

import pytest

from tests.support.release_tests import first_in_every_run
from tests.support.user_project import ENV, INI, WIDEN, Ran, World, project, revision

pytestmark = pytest.mark.slow


def passes(ran: Ran, what: str = "2 revisions, 1 table") -> Ran:
    """A clean project, replayed whole."""
    assert (ran.status, ran.complaints) == (0, ""), ran.said
    assert what in ran.out, ran.out
    return ran


def configured(here: World, configuration: str, files: dict[str, str]) -> Ran:
    """The project, with a configuration; the interpreter is named on the command line."""
    here.lay({**files, ".migration-gate.yml": configuration})
    return here.check()


def test_two_histories_are_named_and_both_replayed(here: World) -> None:
    files = {f"{place}/{name}": text for place in ("a", "b") for name, text in project().items()}
    ran = configured(here, "projects:\n  first: {path: a}\n  second: {path: b}\n", files)
    assert ran.status == 0, ran.said
    assert "first: 2 revisions" in ran.out
    assert "second: 2 revisions" in ran.out


def test_a_problem_of_one_project_does_not_hide_the_other(here: World) -> None:
    files = {f"{place}/{name}": text for place in ("a", "b") for name, text in project().items()}
    files["a/shop/settings.py"] = "raise RuntimeError('not here')\n"
    ran = configured(here, "projects:\n  first: {path: a}\n  second: {path: b}\n", files)
    assert ran.status == 2, ran.said
    assert "first: could not be checked" in ran.out
    assert "second: 2 revisions" in ran.out


FORK = {
    "migrations/versions/left.py": revision("left", "two", 'op.execute("create view l as select 1")'),
    "migrations/versions/right.py": revision("right", "two", 'op.execute("create view r as select 1")'),
}


def test_the_target_heads_upgrades_to_every_head(here: World) -> None:
    ran = configured(here, "checks: {several-heads: off}\n", {**project(), **FORK})
    passes(ran, "4 revisions")


def test_a_target_leaves_other_branches_alone_and_says_so(here: World) -> None:
    settings = "target: left\nchecks: {several-heads: off}\n"
    ran = configured(here, settings, {**project(), **FORK})
    assert ran.status == 1, ran.said
    assert "3 of 4 revisions" in ran.out
    assert "`right` was not checked: `target: left` leaves it out" in ran.out
    allowance = "allow: [{check: unchecked, object: right, reason: a project of its own replays it}]\n"
    here.lay({".migration-gate.yml": settings + allowance})
    assert here.check().status == 0


def test_a_target_that_alembic_does_not_know(here: World) -> None:
    ran = configured(here, "target: nowhere\n", project())
    assert ran.status == 2, ran.said
    assert "Fix `target:`" in ran.out


def test_arguments_for_env_py(here: World) -> None:
    env = ENV.replace(
        "\nengine", "\nassert context.get_x_argument(as_dictionary=True)['tenant'] == 'a'\nengine"
    )
    passes(configured(here, "x: [tenant=a]\n", project(env_py=env)))


OWN_SCHEMA = """\
prepare:
  - sql: CREATE ROLE app
  - sql: CREATE SCHEMA app AUTHORIZATION app
rollback: all
checks: {lossy-downgrade: off}
"""
RUN = "    context.run_migrations()"
ROLE_OF_SESSION = {
    "option": ENV.replace("URL)", "URL, connect_args={'options': '-c role=app'})"),
    "statement": ENV.replace(RUN, f"    connection.exec_driver_sql('SET ROLE app')\n    {RUN}"),
    "authorization": ENV.replace(
        RUN, f"    connection.exec_driver_sql('SET SESSION AUTHORIZATION app')\n    {RUN}"
    ),
    "authorization of the connection": ENV.replace(
        "URL)", "URL, connect_args={'options': '-c session_authorization=app'})"
    ),
}
NARROW = (
    'op.alter_column("item", "name", type_=sa.String(40), existing_type=sa.String(50), nullable=True,'
    " existing_nullable=False)"
)


@pytest.mark.parametrize("env_py", first_in_every_run(ROLE_OF_SESSION.values(), 1), ids=ROLE_OF_SESSION)
def test_a_session_with_another_role_leads_to_its_schema_and_has_no_right_too_few(
    here: World, env_py: str
) -> None:
    files = project(env_py=env_py, two_py=revision("two", "one", WIDEN, NARROW))
    ran = passes(configured(here, OWN_SCHEMA, files))
    assert "Compared 1 of 1 mapped table" in ran.out


def test_variables_from_the_configuration_and_from_files(here: World) -> None:
    code = """
import os

assert os.environ["FIRST"] == "1" and os.environ["SECOND"] == "two"
URL = os.environ["SHOP_DB"]
assert "localhost" in URL
"""
    files = {**project(settings_py=code), "ci/test.env": "FIRST=1\nSECOND=overridden\n"}
    keys = 'env_file: ci/test.env\nenv:\n  SECOND: two\n  SHOP_DB: "postgresql://{user}@{host}:{port}/{db}"\n'
    passes(configured(here, keys, files))


def test_every_kind_of_prepare_entry_runs(here: World) -> None:
    """SQL, a file of SQL, a Python file of the project's, and a command; in this order."""
    needs = """
import os
assert os.path.exists("prepared.txt")
op.execute("insert into legacy.log values (1)")
op.execute("select count(*) from other.log")
op.execute("drop schema legacy, other cascade")
"""
    files = {
        **project(two_py=revision("two", "one", needs + "\n" + WIDEN)),
        "ci/schema.sql": "create schema other; create table other.log (id int);\n",
        "ci/prepare.py": "open('prepared.txt', 'w').write('x')\n",
    }
    keys = """
raw_sql: {allow: [ci/]}
prepare:
  - sql: create schema legacy; create table legacy.log (id int)
  - sql_file: ci/schema.sql
  - python: ci/prepare.py
  - run: test -f prepared.txt
"""
    here.lay({**files, ".migration-gate.yml": keys})
    here.project.chmod(0o777)
    passes(here.check())


@pytest.mark.parametrize(
    ("step", "says"),
    first_in_every_run(
        [
            ("sql: create tabel x ()", 'syntax error at or near "tabel"'),
            ("sql: create extension no_such_thing", "no_such_thing"),
            ("python: ci/fails.py", "A command of `prepare:` failed: ZeroDivisionError"),
            ("run: exit 3", "A command of `prepare:` failed"),
            ("sql_file: ci/latin.sql", "save it as UTF-8"),
        ],
        3,
    ),
)
def test_a_failing_entry_of_prepare_is_reported(here: World, step: str, says: str) -> None:
    here.lay({**project(), "ci/fails.py": "1 / 0\n", ".migration-gate.yml": f"prepare:\n  - {step}\n"})
    (here.project / "ci/latin.sql").write_bytes("-- Größe\n".encode("latin-1"))
    ran = here.check()
    assert ran.status == 2, ran.said
    assert says in " ".join(ran.out.split())


def test_a_hook_that_builds_the_configuration(here: World) -> None:
    hook = """
from pathlib import Path
from alembic.config import Config

cfg = Config()
cfg.set_main_option("script_location", str(Path(__file__).parents[1] / "migrations"))
"""
    files = {**project(alembic_ini=None), "ci/alembic_config.py": hook}
    passes(configured(here, "hook: ci/alembic_config.py\n", files))


@pytest.mark.parametrize("file", ["ci/prepare.py", "ci/hook.py"])
def test_another_history_of_the_checkout_that_has_to_run_first_runs(here: World, file: str) -> None:
    needs = 'op.execute("insert into core values (1)")\nop.execute("drop table core, core_version")\n'
    core = {
        "core/alembic.ini": INI.replace("= migrations", "= core/migrations"),
        "core/migrations/env.py": ENV.replace("Base.metadata", "None, version_table='core_version'"),
        "core/migrations/versions/c1.py": revision("c1", None, 'op.execute("create table core (id int)")'),
    }
    code = """
import sys
from alembic import command
from alembic.config import Config

sys.path.insert(0, ".")
command.upgrade(Config("core/alembic.ini"), "head")
cfg = Config("alembic.ini")
"""
    files = {**project(two_py=revision("two", "one", needs + WIDEN)), **core, file: code}
    use = "hook: ci/hook.py\n" if "hook" in file else f"alembic: alembic.ini\nprepare: [python: {file}]\n"
    ran = passes(configured(here, use, files))
    assert "runs this history itself" not in ran.out


def test_two_histories_with_one_env_py_are_two(here: World) -> None:
    needs = 'op.execute("insert into core values (1)")\nop.execute("drop table core, core_version")\n'
    env = ENV.replace(
        "Base.metadata", "Base.metadata, version_table=context.config.get_main_option('kept_in')"
    )
    ini = f"{INI}kept_in = %s_version\nversion_locations = %%(here)s/%s\n"
    hook = """
import sys
from alembic import command
from alembic.config import Config

sys.path.insert(0, ".")
command.upgrade(Config("core.ini"), "head")
command.upgrade(Config("alembic.ini"), "head")
cfg = Config("alembic.ini")
"""
    files = {
        **project(env_py=env, alembic_ini=ini % ("app", "migrations/versions")),
        "migrations/versions/two.py": revision("two", "one", needs + WIDEN),
        "core.ini": ini % ("core", "core"),
        "core/c1.py": revision("c1", None, 'op.execute("create table core (id int)")'),
        "ci/hook.py": hook,
    }
    ran = passes(configured(here, "hook: ci/hook.py\n", files))
    assert ran.out.count("runs this history itself") == 1


def test_a_hook_that_leaves_nothing(here: World) -> None:
    ran = configured(here, "hook: ci/empty.py\n", {**project(), "ci/empty.py": "config = 1\n"})
    assert ran.status == 2, ran.said
    assert "left no `cfg`" in " ".join(ran.out.split())


def test_migrations_that_read_files_of_another_folder(here: World) -> None:
    reads = f"""
open("seed.txt").read()
{WIDEN}
"""
    files = {**project(two_py=revision("two", "one", reads)), "data/seed.txt": "x"}
    passes(configured(here, "working_directory: data\nalembic: alembic.ini\n", files))


def test_a_configuration_that_is_named_by_its_path(here: World) -> None:
    files = project()
    files["ops/db/shop.ini"] = files.pop("alembic.ini")
    passes(configured(here, "alembic: ops/db/shop.ini\n", files))


def test_an_interpreter_that_lies_beside_the_project(here: World) -> None:
    """Found without `python:`."""
    import sys
    from pathlib import Path

    here.lay(project())
    (here.project / ".venv").symlink_to(Path(sys.prefix))
    passes(here.check(python=None))
