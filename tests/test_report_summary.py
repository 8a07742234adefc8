"""The Markdown summary, whole, and what a hostile project cannot make of it."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from migration_gate.judge import Report
from migration_gate.report.markdown import escaped, fenced
from migration_gate.report.summary import LIMIT, render
from tests import specimen

Golden = Callable[[str, str], None]


def test_a_blocked_project_is_reported_whole(golden: Golden) -> None:
    golden("blocked.md", render(specimen.report(specimen.blocked())))


def test_the_verdict_is_in_the_first_line() -> None:
    first = render(specimen.report(specimen.blocked())).partition("\n")[0]
    assert first == "## ❌ Migration Gate. Blocked: 6 errors, 2 warnings, 1 note, 1 allowed"
    assert render(specimen.report(specimen.clean())).startswith("## ✅ Migration Gate. Passed: no findings\n")
    assert render(specimen.report(specimen.broken())).startswith("## ⚠️ Migration Gate. Not checked")


def test_several_projects_and_failures_are_one_page(golden: Golden) -> None:
    golden("several.md", render(specimen.report(specimen.clean(), specimen.broken(), specimen.failing())))


def test_a_hostile_project_stays_text(golden: Golden) -> None:
    page = render(specimen.report(specimen.hostile()))
    golden("hostile.md", page)
    outside = re.sub(r"(?ms)^(`{3,})\w*\n.*?^\1$", "", page)
    assert "<script" not in outside
    assert "](http" not in outside
    assert "\n# h" not in outside
    assert outside.count("<details") == outside.count("</details>") == outside.count("</summary>")


@given(st.text())
def test_no_text_leaves_its_place(text: str) -> None:
    shown = escaped(text)
    bare = shown.replace("<code>", "").replace("</code>", "")
    assert "\n" not in shown
    assert not re.search(r"[<>*_\[\]|`~]", bare)
    assert not re.search(r"&(?!#\d+;)", bare)
    assert not re.search(r"@\w", bare)


@given(st.text(alphabet="`~ab\n"))
def test_no_text_ends_its_fence(text: str) -> None:
    first, *inside, last = fenced(text).split("\n")
    assert last == first
    assert all(first not in line for line in inside)


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("`a_b` is", "<code>a&#95;b</code> is"),
        ("a ` b", "a &#96; b"),
        ("1. one", "&#49;. one"),
        ("- one", "&#45; one"),
        ("see https://x.test", "see https&#58;//x.test"),
        ("@all", "&#64;&#8203;all"),
    ],
)
def test_markdown_is_spelt_out(given: str, expected: str) -> None:
    assert escaped(given) == expected


def test_a_page_that_is_too_long_is_cut_between_findings_and_says_so() -> None:
    project = specimen.blocked()
    many = tuple(
        replace(verdict, id=f"{number}") for number in range(3000) for verdict in project.verdicts[:1]
    )
    page = render(specimen.report(replace(project, verdicts=many)))
    assert len(page.encode()) <= LIMIT
    assert page.count("<details") == page.count("</details>") > 1000
    assert re.search(r"> \*\*Cut at 1024 KiB:\*\* \d+ findings more did not fit", page)
    small = render(specimen.report(project), limit=2000)
    assert len(small.encode()) <= 2000


def test_a_run_without_a_project_says_so() -> None:
    assert render(Report(())).startswith("## ⚠️ Migration Gate. Not checked: there was no project")
