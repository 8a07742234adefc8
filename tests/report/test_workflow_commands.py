"""Workflow commands, read back as a runner reads them, and the annotations that are made with them."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from migration_gate.check import Severity
from migration_gate.facts import Location
from migration_gate.report import workflow_commands
from migration_gate.report.annotations import select_annotations
from migration_gate.report.workflow_commands import Annotation, format_annotation, format_command
from tests.support import example_reports
from tests.support.github_runner import lines, obeyed, read

EVIL = "x%0A::error::\r\n::add-mask::a,b:c##[error]y"


@given(st.text(), st.text())
def test_a_command_is_one_line_and_keeps_its_message(message: str, title: str) -> None:
    line = format_command("error", message, title=title)
    assert len(lines(line)) == 1
    one = obeyed(line)
    assert one
    assert (one.name, one.message) == ("error", message)
    assert one.properties == ({"title": title} if title else {})


def test_an_annotation_names_file_and_line() -> None:
    one = Annotation(Severity.NOTE, "100%\nof", "a: b", "x,y.py", 3)
    assert format_annotation(one) == "::notice file=x%2Cy.py,line=3,title=a%3A b::100%25%0Aof"
    assert format_annotation(Annotation(Severity.ERROR, EVIL)) == (
        "::error::x%250A::error::%0D%0A::add-mask::a,b:c##[error]y"
    )


def test_text_of_a_project_is_printed_while_commands_are_suspended(
    capsys: pytest.CaptureFixture[str],
) -> None:
    workflow_commands.show_folded(EVIL, f"{EVIL}\n::stop-commands::x\n::endgroup::")
    log = read(capsys.readouterr().out)
    assert [one.name for one in log.commands] == ["group", "endgroup"]
    assert log.commands[0].message == EVIL
    assert {"::endgroup::", "::add-mask::a,b:c##[error]y"} <= set(log.shown)


def test_commands_are_resumed_after_an_error(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(ValueError, match="x"), workflow_commands.suspend_commands():
        raise ValueError("x")
    stop, go = lines(capsys.readouterr().out)
    one = obeyed(stop)
    assert one
    assert re.fullmatch(r"resume-[0-9a-f]{40}", one.message)
    assert go == f"::{one.message}::"


def test_every_line_of_a_secret_is_masked(capsys: pytest.CaptureFixture[str]) -> None:
    workflow_commands.mask_secret("one%\n\n two \n")
    assert lines(capsys.readouterr().out) == ["::add-mask::one%25", "::add-mask::two"]
    workflow_commands.mask_secret("")
    assert capsys.readouterr().out == ""


def test_an_output_cannot_end_early_or_start_another_output(tmp_path: Path) -> None:
    file = tmp_path / "output"
    given = {"heads": f"a\nresult<<x\npassed\nx\nEOF\n{EVIL}\ud800", "result": "blocked"}
    workflow_commands.append_outputs(file, given)
    text = file.read_bytes().decode()
    found, rest = {}, text
    while rest:
        name, _, rest = rest.partition("<<")
        end, _, rest = rest.partition("\n")
        value, _, rest = rest.partition(f"\n{end}\n")
        found[name] = value
    assert list(found) == ["heads", "result"]
    assert found["result"] == "blocked"


def test_there_are_at_most_ten_annotations_of_a_severity_and_the_last_counts_the_others() -> None:
    project = example_reports.blocked()
    worst = next(v for v in project.verdicts if v.finding.location and v.severity is Severity.ERROR)
    for number, expected in ((10, 10), (11, 10), (40, 10)):
        many = tuple(replace(worst, id=str(n)) for n in range(number))
        found = select_annotations(example_reports.report(replace(project, verdicts=many)))
        assert len(found) == expected
        assert ("and" in found[-1].message.split()) is (number > 10)
    assert found[-1].message == "and 31 more errors: see the summary of this run"
    assert found[-1].file is None


def test_annotations_are_sorted_by_severity_and_name_files_of_the_repository() -> None:
    found = select_annotations(example_reports.report(example_reports.blocked()))
    levels = [one.severity for one in found]
    assert levels == sorted(levels, key=list(Severity).index)
    assert all(one.file and one.line for one in found if "more" not in one.message)
    assert not any("unindexed-owner" in one.title for one in found), "it is allowed"


@pytest.mark.parametrize("file", ["/etc/passwd", "../x.py", "a/../../x"])
def test_a_location_outside_the_repository_is_not_annotated(file: str) -> None:
    project = example_reports.blocked()
    one = replace(
        project.verdicts[0], finding=replace(project.verdicts[0].finding, location=Location(file, 1))
    )
    assert select_annotations(example_reports.report(replace(project, verdicts=(one,)))) == ()


def test_an_error_without_a_file_annotates_the_run() -> None:
    project = example_reports.blocked()
    one = replace(project.verdicts[0], finding=replace(project.verdicts[0].finding, location=None))
    (found,) = select_annotations(example_reports.report(replace(project, verdicts=(one,))))
    assert (found.severity, found.file, found.line) == (Severity.ERROR, None, None)
    note = replace(one, severity=Severity.NOTE)
    assert select_annotations(example_reports.report(replace(project, verdicts=(note,)))) == ()


def test_problems_are_counted_as_errors() -> None:
    report = example_reports.report(*[example_reports.broken()] * 12, example_reports.blocked())
    found = select_annotations(report)
    assert sum(one.severity is Severity.ERROR for one in found) == 10
    assert found[0].title == "Migration Gate: not checked"


def test_hostile_findings_cannot_leave_their_command() -> None:
    for one in select_annotations(example_reports.report(example_reports.hostile())):
        shown = obeyed(format_annotation(one))
        assert shown
        assert shown.name in ("error", "warning", "notice")
        assert set(shown.properties) <= {"file", "line", "title"}
        assert "\u202e" not in format_annotation(replace(one, file=""))
