"""What people hand the gate by mistake: one clear message, and the right exit status."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.release_tests import first_in_every_run
from tests.support.user_project import Ran, World, commit, project, revision

pytestmark = pytest.mark.slow
Golden = Callable[[str, str], None]


@pytest.fixture
def says(here: World, golden: Golden, request: pytest.FixtureRequest) -> Callable[[Ran, int], None]:
    """Compare status and message, whole, with the golden file of the test's name."""

    def compare(ran: Ran, status: int) -> None:
        assert ran.status == status, ran.said
        name = request.node.name.removeprefix("test_").replace("_", "-")
        golden(f"bad-input/{name}.txt", here.plain(ran.complaints + ran.out))

    return compare


Says = Callable[[Ran, int], None]

# --- the folder ----------------------------------------------------------------------------------


def test_an_empty_folder(here: World, says: Says) -> None:
    here.lay({}, git=False)
    says(here.check(), 2)


def test_a_folder_without_alembic(here: World, says: Says) -> None:
    here.lay({"app.py": "", "pyproject.toml": "[project]\nname = 'app'\n"})
    says(here.check(), 2)


def test_a_folder_that_does_not_exist(here: World, says: Says) -> None:
    says(here.check(), 2)


def test_a_file_instead_of_a_folder(here: World, says: Says) -> None:
    here.lay(project())
    says(here.check(path=here.project / "alembic.ini"), 2)


def test_no_git(here: World, says: Says) -> None:
    here.lay(project(), git=False)
    says(here.check(), 0)


@pytest.mark.release
def test_no_git_program(here: World, says: Says) -> None:
    here.lay(project())
    lone = here.top / "bin"
    lone.mkdir()
    (lone / "python3").symlink_to(sys.executable)
    says(here.check(env={"PATH": str(lone)}), 0)


def test_a_shallow_clone(here: World, says: Says) -> None:
    here.lay(project())
    commit(here.project)
    clone = here.top / "clone"
    command = ["git", "clone", "-q", "--depth=1", f"file://{here.project}", str(clone)]
    subprocess.run(command, check=True, capture_output=True)
    says(here.check(path=clone), 0)


def test_a_path_with_spaces_quotes_and_letters_outside_of_ascii(here: World, says: Says) -> None:
    here.project = here.top / "my 'naïve' \"проект\" 100%, {x}"
    here.lay(project())
    says(here.check(), 0)


# --- the files -----------------------------------------------------------------------------------


@pytest.mark.release
def test_a_binary_sql_file(here: World, says: Says) -> None:
    here.lay({**project(), "data/dump.sql": bytes(range(256)) * 40})
    says(here.check(), 1)


def test_an_sql_file_that_links_to_somewhere_else(here: World, says: Says) -> None:
    here.lay({**project(), "data/load.sql": "select 1;\n"})
    (here.project / "data/load.sql").unlink()
    (here.project / "data/load.sql").symlink_to("/nowhere/at/all.sql")
    commit(here.project)
    says(here.check(), 0)


def test_a_revision_with_a_syntax_error(here: World, says: Says) -> None:
    here.lay(project(two_py='revision = "two"\ndown_revision = "one"\n\ndef upgrade(:\n    pass\n'))
    says(here.check(), 1)


@pytest.mark.release
def test_a_revision_that_raises_at_import(here: World, says: Says) -> None:
    here.lay(project(two_py=revision("two", "one", "pass") + "\nraise RuntimeError('not today')\n"))
    says(here.check(), 1)


# --- the interpreter -----------------------------------------------------------------------------


def fake(here: World, text: str) -> str:
    """An executable script, outside of the project."""
    file = here.top / "fake"
    file.write_text(text)
    file.chmod(0o755)
    return str(file)


def test_an_interpreter_that_is_not_python(here: World, says: Says) -> None:
    here.lay(project())
    says(here.check(python=fake(here, "#!/bin/sh\necho hello\n")), 2)


def test_an_interpreter_that_is_a_folder(here: World, says: Says) -> None:
    here.lay(project())
    says(here.check(python=str(here.temporary)), 2)


def test_an_interpreter_that_does_not_exist(here: World, says: Says) -> None:
    here.lay(project())
    says(here.check(python=str(here.top / "nowhere" / "python")), 2)


def test_a_python_that_is_too_old(here: World, says: Says) -> None:
    here.lay(project())
    says(here.check(python=fake(here, "#!/bin/sh\necho '[[3, 8, 18], {}, \"\"]'\n")), 2)


def test_a_python_without_alembic(here: World, says: Says) -> None:
    here.lay(project())
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", here.top / "bare"], check=True)
    says(here.check(python=str(here.top / "bare")), 2)


def test_a_python_without_a_postgres_driver(here: World, says: Says) -> None:
    """Its packages are the ones that the tests use, but for the drivers."""
    here.lay(project())
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", here.top / "bare"], check=True)
    (packages,) = (here.top / "bare").glob("lib/python3*/site-packages")
    import alembic

    for each in Path(alembic.__file__).parents[1].iterdir():
        if each.name.lower().split("-")[0] in ("alembic", "sqlalchemy", "mako", "markupsafe", "greenlet",
                                               "typing_extensions", "typing_extensions.py"):  # fmt: skip
            (packages / each.name).symlink_to(each)
    says(here.check(python=str(here.top / "bare")), 2)


# --- where the report goes -----------------------------------------------------------------------


@pytest.mark.release
def test_an_output_file_that_cannot_be_written(here: World, says: Says) -> None:
    here.lay(project())
    says(here.check("--output", str(here.project / "alembic.ini" / "report.txt")), 2)


@pytest.mark.release
def test_an_output_that_is_a_folder(here: World, says: Says) -> None:
    here.lay(project())
    says(here.check("--output", str(here.temporary)), 2)


def test_a_reader_that_goes_away(here: World) -> None:
    here.lay(project())
    process = here.start()
    assert process.stdout
    process.stdout.close()
    assert process.stderr
    said = process.stderr.read()
    process.stderr.close()
    assert (process.wait(60), said) == (0, "")
    here.demand_nothing_left()


def test_a_full_disk_under_the_report(here: World, says: Says) -> None:
    if not os.access("/dev/full", os.W_OK):
        pytest.skip("there is no /dev/full on this machine")
    here.lay(project())
    says(here.check("--output", "/dev/full"), 2)


# --- the world around it -------------------------------------------------------------------------


@pytest.mark.parametrize("locale", first_in_every_run(["C", "xx_YY.nonsense", "POSIX", ""], 1))
def test_a_locale_without_unicode(here: World, locale: str) -> None:
    here.project = here.top / "Grüße"
    here.lay(project(models_py=None, **{"shop/models.py": project()["shop/models.py"] + "# ï\n"}))
    ran = here.check(env={"LANG": locale, "LC_ALL": locale})
    assert (ran.status, ran.complaints) == (0, ""), ran.said
    assert ran.out.startswith("Grüße: 2 revisions, 1 table")


@pytest.mark.release
def test_a_very_long_folder_for_temporary_files(here: World) -> None:
    here.lay(project())
    here.temporary = here.top / ("long" * 30) / ("longer" * 20)
    here.temporary.mkdir(parents=True)
    for each in (here.temporary, here.temporary.parent):
        each.chmod(0o777)
    ran = here.check()
    assert ran.status == 0, ran.said


@pytest.mark.release
def test_a_folder_for_temporary_files_that_does_not_exist(here: World) -> None:
    here.lay(project())
    ran = here.check(env={"TMPDIR": "/nowhere"})
    assert ran.status == 0, ran.said


@pytest.mark.parametrize("home", first_in_every_run(["/nowhere", None, "/proc/1/fdinfo"], 1))
def test_no_home_that_can_be_written(here: World, home: str | None) -> None:
    here.lay(project())
    ran = here.check(env={"HOME": home})
    assert (ran.status, ran.complaints) == (0, ""), ran.said
