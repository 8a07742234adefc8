"""The text report, whole, and what must never be in it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from migration_gate import checks
from migration_gate.check import Evidence, Finding, Severity
from migration_gate.facts import Failure, History, Location, Models
from migration_gate.report.printable_text import Block, escape_unprintable, split_blocks
from migration_gate.report.text_layout import wants_colour
from migration_gate.report.text_report import render
from migration_gate.verdict.outcome import ProjectReport, Report, Verdict
from tests.support import example_reports

Golden = Callable[[str, str], None]


def text(*projects: ProjectReport, **options: bool | int) -> str:
    return render(example_reports.report(*projects), checks.ALL, **options)  # type: ignore[arg-type]


def test_a_blocked_project_is_reported_whole(golden: Golden) -> None:
    golden("blocked.txt", text(example_reports.blocked()))


def test_a_clean_project_is_two_lines(golden: Golden) -> None:
    golden("clean.txt", text(example_reports.clean()))


def test_a_failed_replay_shows_what_the_project_printed(golden: Golden) -> None:
    golden("failing.txt", text(example_reports.failing()))


def test_several_projects_are_one_report(golden: Golden) -> None:
    golden("several.txt", text(example_reports.clean(), example_reports.broken(), example_reports.failing()))


def test_hostile_names_cannot_act_on_a_terminal(golden: Golden) -> None:
    shown = text(example_reports.hostile())
    golden("hostile.txt", shown)
    assert not [c for c in shown if c != "\n" and not c.isprintable()]
    assert not any(line.startswith("::") for line in shown.split("\n"))


def test_lines_have_at_most_80_columns_except_for_names_and_code() -> None:
    shown = text(example_reports.blocked(), example_reports.failing(), example_reports.broken())
    assert [line for line in shown.split("\n") if len(line) > 80 and "op." not in line] == []


def test_the_text_is_the_same_without_colour() -> None:
    plain, coloured = text(example_reports.blocked()), text(example_reports.blocked(), colour=True)
    assert "\x1b[31;1merror\x1b[0m" in coloured
    for code in ("\x1b[31;1m", "\x1b[33m", "\x1b[36m", "\x1b[1m", "\x1b[32;1m", "\x1b[0m"):
        coloured = coloured.replace(code, "")
    assert coloured == plain


@pytest.mark.parametrize(
    ("environ", "terminal", "expected"),
    [
        ({}, True, True),
        ({}, False, False),
        ({"NO_COLOR": "1"}, True, False),
        ({"NO_COLOR": ""}, True, True),
        ({"TERM": "dumb"}, True, False),
        ({"FORCE_COLOR": "1"}, False, True),
        ({"FORCE_COLOR": "1", "NO_COLOR": "1"}, True, False),
    ],
)
def test_no_color_and_force_color_decide_about_colour(
    environ: dict[str, str], terminal: bool, expected: bool
) -> None:
    assert wants_colour(environ, is_terminal=terminal) is expected


def test_output_of_the_project_is_not_shown_where_the_replay_succeeded() -> None:
    project = example_reports.blocked()
    replay = replace(project.facts.replay, output="chatter")
    assert "chatter" not in text(replace(project, facts=replace(project.facts, replay=replay)))


def test_long_evidence_is_cut_and_says_so() -> None:
    long = Finding("a", "x", evidence=(Evidence("statement", "\n".join(f"line {n}" for n in range(40))),))
    verdict = Verdict("drift", Severity.ERROR, long, "id", "p")
    shown = render(Report((ProjectReport("p", verdicts=(verdict,)),)))
    assert "line 11\n      ... 28 more lines" in shown
    wide = replace(verdict, finding=Finding("a", "x", evidence=(Evidence("value", "a" * 9000),)))
    assert len(render(Report((ProjectReport("p", verdicts=(wide,)),)))) < 3000


def test_a_history_that_cannot_be_read_is_not_called_empty() -> None:
    project = example_reports.clean()
    replay = replace(project.facts.replay, history=History(error=Failure("no")), steps=())
    shown = text(replace(project, facts=replace(project.facts, replay=replay)))
    assert shown.startswith("clean: the history could not be read, 0.5 s")


def test_a_run_without_a_project_has_not_passed() -> None:
    assert render(Report(())) == "Not checked: there was no project\n"


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("a\tb", "a    b"),
        ("a\r\nb", "a b"),
        ("\x1b[2J", "\\x1b[2J"),
        ("\u202egnp.exe", "\\u202egnp.exe"),
        ("\u2066x", "\\u2066x"),
        ("caf\u00e9 \U0001f600 \u5b57", "caf\u00e9 \U0001f600 \u5b57"),
        ("\ud800", "\\ud800"),
        ("a\x85b\u2028c", "a\\x85b\\u2028c"),
    ],
)
def test_unprintable_characters_are_escaped(written: str, expected: str) -> None:
    assert escape_unprintable(written) == expected


def test_a_fix_is_split_into_prose_and_code() -> None:
    fix = "Do this:\n\n    one()\n\n    two():\n        three()\n\nThen that.\nAnd this."
    assert split_blocks(fix) == (
        Block("Do this:"),
        Block("one()\n\ntwo():\n    three()", is_code=True),
        Block("Then that.\nAnd this."),
    )
    assert split_blocks("") == ()


def test_after_twenty_findings_of_a_check_only_messages_and_locations_are_shown() -> None:
    seen = (Evidence("seen", "this"),)
    findings = [Finding(f"t{number}", f"`t{number}` is odd", evidence=seen) for number in range(23)]
    verdicts = tuple(Verdict("drift", Severity.ERROR, finding, finding.object, "p") for finding in findings)
    page = render(Report((ProjectReport("p", verdicts=verdicts),)))
    assert page.count("seen  this") == 20
    assert "`t22` is odd" in page
    assert "Evidence and fix of these 3 are in the other formats" in page


def test_findings_that_only_the_authors_of_a_package_can_mend_are_short_unless_they_block() -> None:
    plug_in = Location("/venv/lib/python3.12/site-packages/auth_plugin/migrations/versions/1.py", 9)
    finding = Finding(
        "a1", "`a1` swallowed an error", plug_in, "a1", (Evidence("statement", "CREATE x"),), "No."
    )
    verdict = Verdict("silent-upgrade", Severity.WARNING, finding, "silent-upgrade:a1", "shop")
    project = replace(example_reports.clean(), verdicts=(verdict,))
    folded = text(project)
    assert "`a1` swallowed an error" in folded
    assert "CREATE x" not in folded
    assert "Evidence and fix of this one are in the other formats" in folded
    blocking = text(replace(project, fail_on=Severity.WARNING))
    assert "CREATE x" in blocking
    own = Models(environment_file=plug_in.file.replace("versions/1", "env"))
    facts = replace(project.facts, replay=replace(project.facts.replay, models=own))
    assert "CREATE x" in text(replace(project, facts=facts))
