"""Findings in the files of an installed package are marked, and nobody is told to edit these."""

from __future__ import annotations

from dataclasses import replace

import pytest

from migration_gate.check import Evidence, Finding, Severity
from migration_gate.facts import (
    Difference,
    Facts,
    History,
    Location,
    ModelLocation,
    Models,
    Replay,
    Revision,
)
from migration_gate.verdict.installed_package import mark_installed

PLUGIN = Location("/venv/lib/python3.12/site-packages/auth_plugin/migrations/versions/1.py", 9)
FINDING = Finding(
    "a1 x", "`a1` swallowed an error", PLUGIN, "a1", (Evidence("statement", "x"),), "Delete it."
)
EMPTY = Facts()


def test_a_finding_in_a_plug_in_is_marked_blocks_no_more_and_tells_nobody_to_edit_it() -> None:
    marked = mark_installed("silent-upgrade", FINDING, EMPTY)
    assert marked.message == "`a1` swallowed an error (in the installed package `auth_plugin`)"
    assert marked.severity is Severity.WARNING
    assert "Nobody here can edit it" in marked.fix
    assert "allow silent-upgrade for `a1 x`" in marked.fix
    assert (marked.object, marked.location) == (FINDING.object, FINDING.location)


@pytest.mark.parametrize("check", ["failing-upgrade", "broken-history", "several-heads"])
def test_what_ends_the_replay_blocks_wherever_it_is(check: str) -> None:
    marked = mark_installed(check, FINDING, EMPTY)
    assert marked.severity is None
    assert marked.fix.endswith("or use another version.")


def test_a_difference_from_a_model_of_the_project_stays_with_its_fix() -> None:
    drift = replace(FINDING, evidence=(Evidence("migrations", "a int"), Evidence("models", "a bigint")))
    marked = mark_installed("drift", drift, EMPTY)
    assert (marked.severity, marked.fix) == (None, FINDING.fix)
    assert "installed package" in marked.message


def test_a_table_of_a_plug_in_that_no_model_has_is_not_to_be_dropped() -> None:
    drift = replace(FINDING, evidence=(Evidence("migrations", "a table"), Evidence("models", "nothing")))
    marked = mark_installed("drift", drift, EMPTY)
    assert marked.severity is Severity.WARNING
    assert "Import the models of `auth_plugin`" in marked.fix


@pytest.mark.parametrize("models", ["a bigint", "nothing"])
def test_a_difference_from_a_model_of_the_plug_in_is_its_authors_to_correct(models: str) -> None:
    drift = replace(FINDING, evidence=(Evidence("migrations", "a int"), Evidence("models", models)))
    difference = Difference("type", drift.object, "a int", models, table="public.log")
    plugin = ModelLocation("public.log", replace(PLUGIN, file=PLUGIN.file.replace("migrations", "models")))
    history = History((Revision("a1", (), "", PLUGIN),))
    replay = Replay(history=history, differences=(difference,), models=Models(locations=(plugin,)))
    marked = mark_installed("drift", drift, Facts(replay=replay))
    assert (marked.severity, marked.fix.partition(":")[0]) == (Severity.WARNING, "Nobody here can edit it")
    own = replace(plugin, location=Location("app/models.py", 3))
    replay = replace(replay, models=Models(locations=(own,)))
    marked = mark_installed("drift", drift, Facts(replay=replay))
    assert (marked.severity, marked.fix) == (None, drift.fix)


def test_a_model_of_an_installed_package_without_revisions_may_be_the_projects() -> None:
    """`pip install .` was run, and env.py, which lies in the repository, imports what that left."""
    model = Location("/venv/lib/python3.12/site-packages/shop/models.py", 9)
    drift = Finding(
        "log.a", "no migration makes it", model, None, (Evidence("migrations", "nothing"),), "Add it."
    )
    difference = Difference("column", drift.object, None, "a int", table="public.log")
    replay = Replay(
        history=History((Revision("a1", (), "", Location("migrations/versions/1.py", 9)),)),
        differences=(difference,),
        models=Models(locations=(ModelLocation("public.log", model),), environment_file="migrations/env.py"),
    )
    marked = mark_installed("drift", drift, Facts(replay=replay))
    assert (marked.severity, marked.fix) == (None, "Add it.")


def test_the_project_s_own_files_are_not_marked_also_where_it_is_installed() -> None:
    own = replace(FINDING, location=Location("migrations/versions/1.py", 9))
    assert mark_installed("silent-upgrade", own, EMPTY) is own
    installed = Facts(replay=Replay(models=Models(environment_file=PLUGIN.file.replace("versions/1", "env"))))
    assert mark_installed("silent-upgrade", FINDING, installed) is FINDING
