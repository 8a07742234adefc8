"""Formats that people read line by line: concise, GitHub's commands, and the table that ends the text."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from migration_gate import checks, cli
from migration_gate.facts import Location
from migration_gate.report import concise, github_log, text_report
from migration_gate.report.formats import render_report
from migration_gate.report.phrases import report_title, verdict_line
from migration_gate.report.verdict_selection import standing_verdicts
from migration_gate.report.workflow_commands import carry_out_commands, suspend_commands, write_line
from migration_gate.verdict.outcome import ProjectReport, Report
from tests.support import example_reports
from tests.support.github_runner import read_log

EVIL = "x\n::error::y%0A::add-mask::z"


def test_each_finding_is_one_line_with_its_place_and_the_worst_comes_last() -> None:
    project = example_reports.blocked()
    *lines, result = concise.render(example_reports.report(project)).splitlines()
    assert len(lines) == len(standing_verdicts(project.verdicts))
    assert (
        "app/models.py:9: drift/table: `ratings`: the models have this table, no migration makes it" in lines
    )
    assert lines[0].endswith("listed, not compared [note]")
    assert lines[-1].startswith("sql/init.sql:3: raw-sql-file/schema: `sql/init.sql` changes the schema")
    assert result == verdict_line(example_reports.report(project))


def test_a_project_that_could_not_be_checked_is_a_line() -> None:
    line, result = concise.render(example_reports.report(example_reports.broken())).splitlines()
    assert ": not-checked: " in line
    assert result.startswith("Not checked")


@pytest.mark.parametrize("form", ["concise", "github"])
def test_words_of_a_project_cannot_act(form: str) -> None:
    page = render_report(hostile(), form)
    assert not [c for c in page if c != "\n" and not c.isprintable()]
    names = {command.name for command in read_log(page).commands}
    assert names <= {"group", "endgroup", "error", "warning", "notice"}
    assert bool(names) == (form == "github")


def hostile() -> Report:
    """Commands in every field that is printed."""
    project = example_reports.blocked()
    verdicts = tuple(
        replace(
            verdict,
            finding=replace(
                verdict.finding, object=EVIL, message=EVIL, fix=EVIL, location=None, revision=EVIL
            ),
        )
        for verdict in project.verdicts
    )
    return example_reports.report(replace(project, name=EVIL, verdicts=verdicts), example_reports.hostile())


def test_github_reads_annotations_and_shows_the_text_in_a_group() -> None:
    report = example_reports.report(example_reports.blocked())
    log = read_log(github_log.render(report, text_report.render(report, checks.ALL)))
    assert [command.name for command in log.commands[:2]] == ["group", "endgroup"]
    assert log.commands[0].message == report_title(report)
    assert len(log.named("error")) == len(report.projects[0].blocking_verdicts)
    assert log.named("error")[0].properties["file"] == "sql/init.sql"
    assert log.shown.count(verdict_line(report)) == 2, "at the end of the text, and after the annotations"


def test_the_title_of_a_group_tells_the_outcome() -> None:
    def title(project: ProjectReport) -> str:
        return report_title(example_reports.report(project))

    assert title(example_reports.clean()) == "clean passed, no findings"
    assert title(example_reports.failing()) == "failing is blocked, 1 error"
    reason = "The project's env.py did not load: No module named 'app.settings'"
    assert title(example_reports.broken()) == f"billing could not be checked: {reason}"
    assert "\n" not in title(replace(example_reports.broken(), name=EVIL))
    several = example_reports.report(example_reports.clean(), example_reports.failing())
    assert report_title(several) == "Blocked: 1 error"


def test_on_the_runner_only_the_report_itself_is_carried_out(capsys: pytest.CaptureFixture[str]) -> None:
    with suspend_commands():
        write_line("::error::before")
        with carry_out_commands():
            write_line("::error::ours")
        write_line("::error::after")
    log = read_log(capsys.readouterr().out)
    assert [command.message for command in log.named("error")] == ["ours"]


def test_check_prints_annotations_on_githubs_runner(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    status = cli.run_command_line(["check", str(tmp_path), "--static", "--format", "github"])
    log = read_log(capsys.readouterr().out)
    assert status == 2
    assert not log.named("add-mask")


def test_the_long_text_ends_with_what_blocks() -> None:
    report = example_reports.report(example_reports.blocked())
    page = text_report.render(report, checks.ALL)
    table = page[page.index("\nWhat blocks\n") :].strip().splitlines()
    blocking = report.projects[0].blocking_verdicts
    assert len(table) == len(blocking) + 3
    assert table[1].split()[1] == blocking[-1].check
    assert table[-3].split() == ["sql/init.sql:3", "raw-sql-file", "sql/init.sql"]


def test_paths_that_are_too_long_for_a_line_are_left_out_of_the_table() -> None:
    project = example_reports.blocked()
    location = Location(f"migrations/versions/{'x' * 60}.py", 3)
    verdicts = tuple(
        replace(verdict, finding=replace(verdict.finding, location=location)) for verdict in project.verdicts
    )
    page = text_report.render(example_reports.report(replace(project, verdicts=verdicts)))
    table = page[page.index("\nWhat blocks\n") :].strip().splitlines()
    assert table[-3].split() == ["raw-sql-file/schema", "sql/init.sql"]
    assert all(len(line) <= 80 for line in table)


def test_one_finding_needs_no_table() -> None:
    assert "What blocks" not in text_report.render(example_reports.report(example_reports.failing()))
