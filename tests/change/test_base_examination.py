"""The gate's command on a change: what was there before does not block, what the change adds does."""

from __future__ import annotations

import json
import os
import signal
import time
from collections.abc import Iterator
from typing import Any

import pytest

from tests.support.git_repositories import commit, git
from tests.support.release_tests import first_in_every_run
from tests.support.user_project import ENV, INI, MODELS, WIDEN, Ran, World, project, revision, world

pytestmark = pytest.mark.slow

OLD_DRIFT = MODELS.replace("String(50), nullable=False", "String(60), nullable=False")
NEW_DRIFT = OLD_DRIFT + '    note = Column(String(9), comment="new")\n'


@pytest.fixture
def place() -> Iterator[World]:
    with world() as found:
        yield found


def laid(place: World, **files: str) -> str:
    """A project with a commit; its id."""
    folder = place.lay(project(**files))
    return git(folder, "rev-parse", "HEAD")


def checked(place: World, base: str, *options: str, **environment: str) -> tuple[Ran, dict[str, Any]]:
    """What the gate says of the work tree beside a commit: the run, and the report of the project."""
    ran = place.check("--base", base, "--format", "json", *options, env=environment)
    return ran, json.loads(ran.out)["projects"][0]


def novelties(report: dict[str, Any]) -> dict[str, str]:
    return {f"{item['check']} {item['object']}": item["novelty"] for item in report["verdicts"]}


def test_what_was_there_before_does_not_block_and_what_is_new_does(place: World) -> None:
    base = laid(place, models_py=OLD_DRIFT)
    commit(place.project, {"shop/models.py": OLD_DRIFT + "\nANSWER = 42\n"})
    ran, report = checked(place, base)
    assert (ran.status, novelties(report)) == (0, {"drift item.name": "old"}), ran.said
    commit(place.project, {"shop/models.py": NEW_DRIFT})
    ran, report = checked(place, base)
    assert ran.status == 1, ran.said
    assert novelties(report) == {"drift item.note": "new", "drift item.name": "old"}
    ran, report = checked(place, base, "--scope", "all")
    assert report["counts"]["blocking"] == 2, ran.said


@pytest.mark.parametrize("imports", first_in_every_run(["from shop.models import Item\n", ""], 1))
def test_a_change_that_only_adds_a_revision_is_judged_by_it(place: World, imports: str) -> None:
    base = laid(place, models_py=OLD_DRIFT)
    added = 'op.add_column("item", sa.Column("extra", sa.Integer))'
    text = imports + revision("three", "two", added, 'op.drop_column("item", "extra")')
    commit(place.project, {"migrations/versions/three.py": text})
    ran, report = checked(place, base)
    assert ran.status == 1, ran.said
    assert novelties(report) == {
        "drift item.extra": "new",
        "drift item.name": "old",
        "missing-lock-timeout lock_timeout": "new",
        "lossy-downgrade three": "new",
    }


@pytest.mark.parametrize("models", [MODELS, f"{MODELS}\nANSWER = 42\n"], ids=["the same", "others"])
def test_a_type_that_the_change_makes_was_never_at_the_base(place: World, models: str) -> None:
    base = laid(place)
    new = (
        "CREATE DOMAIN score AS int; CREATE TYPE span AS (a int); CREATE TYPE place AS RANGE (subtype = int)"
    )
    text = revision("three", "two", f'op.execute("{new}")', "raise NotImplementedError")
    commit(place.project, {"migrations/versions/three.py": text, "shop/models.py": models.lstrip()})
    ran, report = checked(place, base, "--from-scratch")
    assert report["fixed"] == [], ran.said


def test_a_change_of_an_old_revision_is_judged_beside_a_replay_of_the_base(place: World) -> None:
    base = laid(place, two_py=revision("two", "one", "pass"))
    commit(place.project, {"migrations/versions/two.py": revision("two", "one", WIDEN)})
    ran, report = checked(place, base)
    gone = {item["object"] for item in report["fixed"]}
    assert {"item.name"} <= gone, ran.said


@pytest.mark.release
def test_what_a_change_corrects_is_gone(place: World) -> None:
    base = laid(place, models_py=OLD_DRIFT)
    commit(place.project, {"shop/models.py": MODELS})
    ran, report = checked(place, base)
    assert (ran.status, [item["object"] for item in report["fixed"]]) == (0, ["item.name"]), ran.said


@pytest.mark.release
def test_a_base_that_cannot_be_imported_spares_nothing_and_is_named(place: World) -> None:
    base = laid(place, models_py="import no_such_module\n")
    commit(place.project, {"shop/models.py": OLD_DRIFT})
    ran, report = checked(place, base)
    assert (ran.status, novelties(report)) == (1, {"drift item.name": ""}), ran.said
    assert "no_such_module" in report["base"]["failure"]


def test_in_a_base_without_the_project_everything_is_new(place: World) -> None:
    base = laid(place)
    for path in ("alembic.ini", "migrations/env.py"):
        git(place.project, "rm", "-q", path)
    base = commit(place.project, {"README.md": "nothing here yet"})
    commit(place.project, project(models_py=OLD_DRIFT))
    ran, report = checked(place, base)
    assert (ran.status, novelties(report)) == (1, {"drift item.name": "new"}), ran.said


@pytest.mark.release
def test_the_migrations_may_have_been_elsewhere(place: World) -> None:
    base = laid(place, models_py=OLD_DRIFT)
    git(place.project, "mv", "migrations", "database")
    ini = (place.project / "alembic.ini").read_text().replace("= migrations", "= database")
    commit(place.project, {"alembic.ini": ini})
    ran, report = checked(place, base)
    assert (ran.status, novelties(report)) == (0, {"drift item.name": "old"}), ran.said


@pytest.mark.release
def test_a_base_whose_configuration_leads_to_the_checkout_is_not_judged_by_it(place: World) -> None:
    ini = INI.replace(
        "= migrations\n", f"= migrations\nversion_locations = {place.project}/migrations/versions\n"
    )
    base = laid(place, alembic_ini=ini)
    added = revision("three", "two", 'op.create_table("extra", sa.Column("id", sa.Integer))')
    commit(place.project, {"migrations/versions/three.py": added, "migrations/env.py": ENV + "# edited\n"})
    ran, report = checked(place, base)
    assert (ran.status, novelties(report)["drift extra"]) == (1, ""), ran.said
    assert "versions/one.py` of the change" in report["base"]["failure"]


@pytest.mark.release
def test_models_that_were_installed_from_the_checkout_are_the_bases_own(place: World) -> None:
    """As with an editable installation: the import path names the checkout of the change."""
    files = {path.replace("shop/", "src/shop/"): text for path, text in project(models_py=OLD_DRIFT).items()}
    files["alembic.ini"] = files["alembic.ini"].replace("prepend_sys_path = .\n", "")
    place.lay(files)
    base = git(place.project, "rev-parse", "HEAD")
    commit(place.project, {"src/shop/models.py": NEW_DRIFT})
    ran, report = checked(place, base, PYTHONPATH=str(place.project / "src"))
    assert novelties(report) == {"drift item.note": "new", "drift item.name": "old"}, ran.said


@pytest.mark.release
def test_a_change_of_what_nothing_reads_leaves_everything_old(place: World) -> None:
    base = laid(place, models_py=OLD_DRIFT)
    commit(place.project, {"README.md": "More."})
    ran, report = checked(place, base)
    assert (ran.status, novelties(report)) == (0, {"drift item.name": "old"}), ran.said


@pytest.mark.release
def test_what_an_old_revision_reads_is_no_part_of_the_bases_replay_if_it_differs(place: World) -> None:
    read = "; import glob; [op.execute(open(f).read()) for f in glob.glob('pages/*')]"
    base = laid(place, two_py=revision("two", "one", WIDEN + read), **{"pages/a.html": "SELECT 1"})
    commit(place.project, {"pages/b.html": "ALTER TABLE item ADD COLUMN extra integer"})
    ran, report = checked(place, base)
    assert novelties(report)["drift item.extra"] == "new", ran.said


@pytest.mark.release
def test_what_only_looks_like_a_revision_is_examined(place: World) -> None:
    base = laid(place, **{".gitignore": "__pycache__/\n"})
    text = (
        "# down_revision\nfrom sqlalchemy import text\n\n\n"
        "def go(connection):\n    connection.execute(text('ALTER TABLE item ADD COLUMN x integer'))\n"
    )
    commit(place.project, {"scripts/alter.py": text})
    ran, report = checked(place, base)
    assert novelties(report) == {"schema-change-outside-migrations item": "new"}, ran.said


def test_without_any_difference_everything_counts_and_that_is_said(place: World) -> None:
    base = laid(place, models_py=OLD_DRIFT)
    ran = place.check("--base", base)
    assert ran.status == 1
    assert "Every finding counts" in ran.out


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_the_end_of_the_gate_is_the_end_of_the_bases_examination(place: World, number: int) -> None:
    base = laid(place, models_py=f"import time\ntime.sleep(30)\n{MODELS}")
    commit(place.project, {"shop/models.py": MODELS})
    gate = place.start("--base", base)
    while not _has_base_process(place):
        assert gate.poll() is None, "the gate ended without examining the base"
        time.sleep(0.02)
    os.kill(gate.pid, number)
    gate.communicate()
    place.demand_nothing_left()


def test_a_killed_examination_of_the_base_is_no_verdict(place: World) -> None:
    base = laid(place, models_py=f"import time\ntime.sleep(30)\n{OLD_DRIFT}")
    commit(place.project, {"shop/models.py": OLD_DRIFT})
    gate = place.start("--base", base)
    while not (numbers := _base_processes(place)):
        assert gate.poll() is None, "the gate ended without examining the base"
        time.sleep(0.02)
    os.kill(numbers[0], signal.SIGKILL)
    out, err = gate.communicate()
    assert gate.returncode == 3, out + err
    words = " ".join((out + err).split())
    assert f"The base of the change (the commit {base[:7]}" in words or base[:12] in words, words
    assert "was killed by signal 9 (SIGKILL)" in words
    place.demand_nothing_left()


WRITES_ON_THE_PIPE = """
import os
for number in range(3, 64):
    try:
        os.write(number, b"x")
    except OSError:
        pass
"""
MENDED = revision("two", "one", WIDEN, "raise NotImplementedError('it stays')")


def test_a_change_that_mends_what_the_base_does_in_every_run_is_judged(place: World) -> None:
    base = laid(place, two_py=revision("two", "one", WRITES_ON_THE_PIPE))
    commit(place.project, {"migrations/versions/two.py": MENDED})
    ran, report = checked(place, base)
    assert ran.status == 0, ran.said
    assert "wrote on the gate's pipe" in report["base"]["failure"]


def test_a_change_that_mends_an_endless_base_can_be_checked_by_itself(place: World) -> None:
    waiting = revision("two", "one", 'op.execute("select pg_sleep(99)")')
    base = laid(place, two_py=waiting, **{".migration-gate.yml": "limits: {statement: 2}\n"})
    commit(place.project, {"migrations/versions/two.py": MENDED})
    ran, report = checked(place, base)
    assert (ran.status, report["problem"]["kind"]) == (2, "TimedOut"), ran.said
    assert "`--base HEAD`" in report["problem"]["advice"]
    assert place.check("--base", "HEAD").status == 0


def _base_processes(place: World) -> list[int]:
    return [number for number, line in place.processes().items() if "examine-base" in line]


def _has_base_process(place: World) -> bool:
    return any("examine-base" in line for line in place.processes().values())


def test_a_branch_that_loosens_the_gate_has_it_said_whatever_it_says_of_that_itself(place: World) -> None:
    base = laid(place)
    env = ENV.replace("Base.metadata)", "Base.metadata, include_object=lambda o, n, k, r, c: k != 'column')")
    settings = "checks: {loosened-gate: off, drift: warning}\n"
    settings += "allow: [{check: loosened-gate, reason: mine}, {check: drift, object: x, reason: mine}]\n"
    models = MODELS + "    # migration-gate: allow drift -- a comment\n"
    files = {"migrations/env.py": env, "shop/models.py": models, ".migration-gate.yml": settings}
    commit(place.project, files)
    ran, report = checked(place, base, "--fail-on", "warning")
    verdicts = {item["object"]: item for item in report["verdicts"] if item["check"] == "loosened-gate"}
    assert {f"{item['kind']} {name}": item["severity"] for name, item in verdicts.items()} == {
        "allowance allow drift x": "warning",
        "allowance allow loosened-gate": "warning",
        "allowance drift shop/models.py": "warning",
        "check-level checks.drift": "warning",
        "check-level checks.loosened-gate": "warning",
        "filter include_object": "warning",
    }
    assert not [item for item in verdicts.values() if item["allowed"]]
    assert verdicts["include_object"]["file"] == "migrations/env.py"
    assert ran.status == 1


def test_with_the_policy_of_the_base_a_branch_can_neither_lower_nor_allow_anything(place: World) -> None:
    base = laid(place, **{".migration-gate.yml": "policy: base\n"})
    models = NEW_DRIFT.replace("    note", "    # migration-gate: allow drift -- mine\n    note")
    settings = "checks: {drift: off}\nallow: [{check: drift, object: item.name, reason: mine}]\n"
    commit(place.project, {"shop/models.py": models, ".migration-gate.yml": settings})
    ran, report = checked(place, base)
    assert (ran.status, report["counts"]["blocking"]) == (1, 2), ran.said
    assert any("judged by the settings of the base" in note for note in report["notes"])
    assert "loosened-gate policy" in novelties(report)
    ran, report = checked(place, base, "--policy", "change")
    assert ran.status == 0, ran.said
