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
from tests.support.github_runner import parse_command, read_log, split_lines

EVIL = "x%0A::error::\r\n::add-mask::a,b:c##[error]y"


@given(st.text(), st.text())
def test_a_command_is_one_line_and_keeps_its_message(message: str, title: str) -> None:
    line = format_command("error", message, title=title)
    assert len(split_lines(line)) == 1
    command = parse_command(line)
    assert command
    assert (command.name, command.message) == ("error", message)
    assert command.properties == ({"title": title} if title else {})


def test_an_annotation_names_file_and_line() -> None:
    annotation = Annotation(Severity.NOTE, "100%\nof", "a: b", "x,y.py", 3)
    assert format_annotation(annotation) == "::notice file=x%2Cy.py,line=3,title=a%3A b::100%25%0Aof"
    assert format_annotation(Annotation(Severity.ERROR, EVIL)) == (
        "::error::x%250A::error::%0D%0A::add-mask::a,b:c##[error]y"
    )


def test_text_of_a_project_is_printed_while_commands_are_suspended(
    capsys: pytest.CaptureFixture[str],
) -> None:
    workflow_commands.show_folded(EVIL, f"{EVIL}\n::stop-commands::x\n::endgroup::")
    log = read_log(capsys.readouterr().out)
    assert [command.name for command in log.commands] == ["group", "endgroup"]
    assert log.commands[0].message == EVIL
    assert {"::endgroup::", "::add-mask::a,b:c##[error]y"} <= set(log.shown)


def test_commands_are_resumed_after_an_error(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(ValueError, match="x"), workflow_commands.suspend_commands():
        raise ValueError("x")
    stop, go = split_lines(capsys.readouterr().out)
    command = parse_command(stop)
    assert command
    assert re.fullmatch(r"resume-[0-9a-f]{40}", command.message)
    assert go == f"::{command.message}::"


def test_every_line_of_a_secret_is_masked(capsys: pytest.CaptureFixture[str]) -> None:
    workflow_commands.mask_secret("one%\n\n two \n")
    assert split_lines(capsys.readouterr().out) == ["::add-mask::one%25", "::add-mask::two"]
    workflow_commands.mask_secret("")
    assert capsys.readouterr().out == ""


def test_an_output_cannot_end_early_or_start_another_output(tmp_path: Path) -> None:
    file = tmp_path / "output"
    outputs = {"heads": f"a\nresult<<x\npassed\nx\nEOF\n{EVIL}\ud800", "result": "blocked"}
    workflow_commands.append_outputs(file, outputs)
    text = file.read_bytes().decode()
    values, rest = {}, text
    while rest:
        name, _, rest = rest.partition("<<")
        end, _, rest = rest.partition("\n")
        value, _, rest = rest.partition(f"\n{end}\n")
        values[name] = value
    assert list(values) == ["heads", "result"]
    assert values["result"] == "blocked"


def test_there_are_at_most_ten_annotations_of_a_severity_and_the_last_counts_the_others() -> None:
    project = example_reports.blocked()
    worst = next(v for v in project.verdicts if v.finding.location and v.severity is Severity.ERROR)
    for number, expected in ((10, 10), (11, 10), (40, 10)):
        many = tuple(replace(worst, id=str(n)) for n in range(number))
        annotations = select_annotations(example_reports.report(replace(project, verdicts=many)))
        assert len(annotations) == expected
        assert annotations[-1].message.startswith("and ") is (number > 10)
    assert annotations[-1].message == "and 31 more errors: see the summary of this run"
    assert annotations[-1].file is None


def test_an_annotation_holds_the_first_advice_with_its_code() -> None:
    annotations = select_annotations(example_reports.report(example_reports.blocked()))
    heads = next(annotation for annotation in annotations if annotation.title.endswith("several-heads"))
    first, *advice = heads.message.split("\n")
    assert first.endswith("2 heads where one is expected")
    assert advice == ["Join them:", '    alembic merge -m "merge heads" c3e5 d4f6']
    assert "%0A    alembic merge" in format_annotation(heads)


def test_annotations_are_sorted_by_severity_and_name_files_of_the_repository() -> None:
    annotations = select_annotations(example_reports.report(example_reports.blocked()))
    levels = [annotation.severity for annotation in annotations]
    assert levels == sorted(levels, key=list(Severity).index)
    assert all(
        annotation.file and annotation.line for annotation in annotations if "more" not in annotation.message
    )
    assert not any("unindexed-owner" in annotation.title for annotation in annotations), "it is allowed"


@pytest.mark.parametrize("file", ["/etc/passwd", "../x.py", "a/../../x"])
def test_a_location_outside_the_repository_is_not_annotated(file: str) -> None:
    project = example_reports.blocked()
    verdict = replace(
        project.verdicts[0], finding=replace(project.verdicts[0].finding, location=Location(file, 1))
    )
    assert select_annotations(example_reports.report(replace(project, verdicts=(verdict,)))) == ()


def test_an_error_without_a_file_annotates_the_run() -> None:
    project = example_reports.blocked()
    verdict = replace(project.verdicts[0], finding=replace(project.verdicts[0].finding, location=None))
    (annotation,) = select_annotations(example_reports.report(replace(project, verdicts=(verdict,))))
    assert (annotation.severity, annotation.file, annotation.line) == (Severity.ERROR, None, None)
    note = replace(verdict, severity=Severity.NOTE)
    assert select_annotations(example_reports.report(replace(project, verdicts=(note,)))) == ()


def test_problems_are_counted_as_errors() -> None:
    report = example_reports.report(*[example_reports.broken()] * 12, example_reports.blocked())
    annotations = select_annotations(report)
    assert sum(annotation.severity is Severity.ERROR for annotation in annotations) == 10
    assert annotations[0].title == "Migration Gate: not checked"


def test_hostile_findings_cannot_leave_their_command() -> None:
    for annotation in select_annotations(example_reports.report(example_reports.hostile())):
        shown = parse_command(format_annotation(annotation))
        assert shown
        assert shown.name in ("error", "warning", "notice")
        assert set(shown.properties) <= {"file", "line", "title"}
        assert "\u202e" not in format_annotation(replace(annotation, file=""))
