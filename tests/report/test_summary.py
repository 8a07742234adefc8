"""The Markdown summary, whole, and what a hostile project cannot make of it."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from migration_gate.check import Evidence, Severity
from migration_gate.facts import Location
from migration_gate.report.finding_markdown import LINE_WIDTH, render_finding
from migration_gate.report.markdown import escape_markdown, fence_code
from migration_gate.report.problem_markdown import render_problem
from migration_gate.report.summary import LIMIT, MAX_OPEN_FINDINGS, render
from migration_gate.verdict.outcome import Problem, Report
from tests.support import example_reports

Golden = Callable[[str, str], None]


def test_a_blocked_project_is_reported_whole(golden: Golden) -> None:
    golden("blocked.md", render(example_reports.report(example_reports.blocked())))


def test_the_verdict_is_in_the_first_line_with_the_name() -> None:
    first = render(example_reports.report(example_reports.blocked())).partition("\n")[0]
    counts = "6 errors, 2 warnings, 1 note, 1 allowed"
    assert first == f"## ❌ Migration Gate: media-library is blocked, {counts}"
    clean = render(example_reports.report(example_reports.clean()))
    assert clean.startswith("## ✅ Migration Gate: clean passed, no findings\n")
    broken = render(example_reports.report(example_reports.broken()))
    assert broken.startswith("## ⚠️ Migration Gate: billing could not be checked\n")


def test_nothing_but_findings_is_above_the_fold() -> None:
    page = render(example_reports.report(example_reports.blocked()))
    lines = [line for line in page.splitlines() if line]
    assert lines[1].startswith("<details open><summary>🔴 <b>error</b>")
    assert page.count("<details open>") == MAX_OPEN_FINDINGS
    folded = [page.index(f"<summary>{title}") for title in ("The history", "1 allowed", "Counts", "Timings")]
    assert folded == sorted(folded)
    assert page.rindex("🔴") < folded[0]


def test_a_passed_page_is_three_lines() -> None:
    project = example_reports.blocked()
    notes = tuple(verdict for verdict in project.verdicts if verdict.severity is Severity.NOTE)
    for passed in (example_reports.clean(), replace(project, verdicts=notes)):
        page = render(example_reports.report(passed))
        shown = re.sub(r"<details>.*</details>", "<details>", page, flags=re.DOTALL)
        assert len([line for line in shown.splitlines() if line]) == 3


def test_the_history_is_drawn_where_a_finding_is_about_it() -> None:
    project = example_reports.blocked()
    others = tuple(verdict for verdict in project.verdicts if verdict.check != "several-heads")
    assert "flowchart" in render(example_reports.report(project))
    assert "flowchart" not in render(example_reports.report(replace(project, verdicts=others)))


def test_several_projects_and_failures_are_one_page(golden: Golden) -> None:
    golden(
        "several.md",
        render(
            example_reports.report(
                example_reports.clean(), example_reports.broken(), example_reports.failing()
            )
        ),
    )


def test_names_and_messages_of_a_hostile_project_stay_text(golden: Golden) -> None:
    page = render(example_reports.report(example_reports.hostile()))
    golden("hostile.md", page)
    outside = re.sub(r"(?ms)^(`{3,})\w*\n.*?^\1$", "", page)
    assert "<script" not in outside
    assert "](http" not in outside
    assert "\n# h" not in outside
    assert outside.count("<details") == outside.count("</details>") == outside.count("</summary>")


@given(st.text())
def test_escaped_text_has_no_meaning_in_markdown(text: str) -> None:
    shown = escape_markdown(text)
    bare = shown.replace("<code>", "").replace("</code>", "")
    assert "\n" not in shown
    assert not re.search(r"[<>*_\[\]|`~]", bare)
    assert not re.search(r"&(?!#\d+;)", bare)
    assert not re.search(r"@\w", bare)


@given(st.text(alphabet="`~ab\n"))
def test_text_cannot_end_its_code_block(text: str) -> None:
    first, *inside, last = fence_code(text).split("\n")
    assert last == first
    assert all(first not in line for line in inside)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("`a_b` is", "<code>a&#95;b</code> is"),
        ("a ` b", "a &#96; b"),
        ("1. one", "&#49;. one"),
        ("- one", "&#45; one"),
        ("see https://x.test", "see https&#58;//x.test"),
        ("@all", "&#64;&#8203;all"),
    ],
)
def test_markdown_is_escaped(text: str, expected: str) -> None:
    assert escape_markdown(text) == expected


@pytest.mark.slow
def test_a_page_that_is_too_long_is_cut_between_findings_and_says_so() -> None:
    project = example_reports.blocked()
    many = tuple(
        replace(verdict, id=f"{number}") for number in range(3000) for verdict in project.verdicts[:1]
    )
    page = render(example_reports.report(replace(project, verdicts=many)))
    assert len(page.encode()) <= LIMIT
    assert page.count("<details") == page.count("</details>") > 1000
    assert re.search(r"> \*\*Cut at 1024 KiB:\*\* \d+ findings more did not fit", page)
    small = render(example_reports.report(project), limit=2000)
    assert len(small.encode()) <= 2000


def test_a_run_without_a_project_says_so() -> None:
    assert render(Report(())).startswith("## ⚠️ Migration Gate. Not checked: there was no project")


@pytest.mark.slow
def test_a_finding_of_ten_megabytes_is_shortened() -> None:
    project = example_reports.blocked()
    big = "😀`@|</details>#1\n" * 700_000
    finding = replace(
        project.verdicts[0].finding, message=big, object=big, evidence=(Evidence(big, big),), fix=big
    )
    verdicts = (replace(project.verdicts[0], finding=finding), *project.verdicts[1:])
    page = render(example_reports.report(replace(project, name=big, verdicts=verdicts)))
    assert len(page.encode()) < LIMIT // 4
    assert all(f"<sub>{verdict.id}</sub>" in page for verdict in project.verdicts if not verdict.allowed)


@pytest.mark.parametrize("limit", [500, 1000, 2000, 3000, 5000, 8000])
def test_a_shortened_page_has_no_open_tag_or_code_block(limit: int) -> None:
    page = render(
        example_reports.report(
            example_reports.hostile(), example_reports.failing(), example_reports.blocked()
        ),
        limit=limit,
    )
    assert len(page.encode()) <= limit
    assert page.count("<details") == page.count("</details>")
    fences = re.findall(r"(?m)^(`{3,})", page)
    assert len(fences) % 2 == 0
    assert fences[::2] == fences[1::2]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("fixes #12, GH-7", "fixes &#35;&#8203;12, GH&#45;&#8203;7"),
        ("@org/team", "&#64;&#8203;org/team"),
        ("www.x.test", "www&#46;x.test"),
        ("<!-- migration-gate -->", "&#60;!-- migration-gate --&#62;"),
    ],
)
def test_text_makes_no_link_and_no_mention(text: str, expected: str) -> None:
    assert escape_markdown(text) == expected


def test_locations_link_to_the_files_of_the_commit() -> None:
    page = render(example_reports.report(example_reports.blocked()), source="https://github.com/o/r/blob/abc")
    link = '<a href="https://github.com/o/r/blob/abc/sql/init.sql#L3">sql/init.sql:3</a>'
    assert link in page
    project = example_reports.blocked()
    finding = replace(project.verdicts[0].finding, location=Location(os.fsdecode(b"a/\\\xff.py"), 3))
    strange = replace(project, verdicts=(replace(project.verdicts[0], finding=finding),))
    page = render(example_reports.report(strange), source="https://github.com/o/r/blob/abc")
    assert '<a href="https://github.com/o/r/blob/abc/a/%5C%FF.py#L3">' in page
    hostile = render(
        example_reports.report(example_reports.hostile()), source="https://github.com/o/r/blob/abc"
    )
    assert all(re.fullmatch(r"[\w.:/%#~-]+", address) for address in re.findall(r'href="([^"]*)"', hostile))


def test_a_long_piece_of_evidence_is_wrapped_below_its_label() -> None:
    verdict = example_reports.blocked().verdicts[0]
    statement = (
        "CREATE TABLE t (" + ", ".join(f"column_{number} bigint NOT NULL" for number in range(9)) + ")"
    )
    texts = {"statement": statement, "at": "x  y", "word": "z" * 200}
    evidence = tuple(Evidence(label, text) for label, text in texts.items())
    page = render_finding(replace(verdict, finding=replace(verdict.finding, evidence=evidence)))
    block = page.split("```")[1].strip().split("\n")
    assert " ".join(line[11:] for line in block[:-2]) == statement
    assert all(len(line) <= LINE_WIDTH for line in block[:-1])
    assert all(line.startswith(" " * 11) for line in block[1:-3])
    assert block[-2] == "at         x  y"
    assert "z" * 200 in page


def test_a_problem_says_its_place_once_and_links_it() -> None:
    problem = Problem("env.py failed", "Set it.", "app/a b.py:2", "app/a b.py:2 in <module>")
    assert render_problem(problem) == "env.py failed\n\n<code>app/a b.py:2</code>\n\nSet it.\n"
    longer = replace(problem, where="app/env.py:2", evidence="app/env.py:2 in <module>\nx.py:3 in f")
    page = render_problem(longer, source="https://github.com/o/r/blob/abc")
    assert '<a href="https://github.com/o/r/blob/abc/app/env.py#L2">app/env.py:2</a>' in page
    assert "x.py:3 in f" in page
    for place in ("--postgres", "/etc/x.py:3", "with: `path`"):
        assert "<a " not in render_problem(replace(problem, where=place), source="https://github.com/o/r")
