"""An edit in a report: in text, in Markdown and in JSON."""

from __future__ import annotations

import json
from dataclasses import replace

from migration_gate.facts import SourceEdit
from migration_gate.monorepo.rebuilt_project import rebuild_project
from migration_gate.report import comment, json_report, summary, text_report
from migration_gate.report.edit_diff import describe_edit, format_diff
from migration_gate.report.json_report import build_document
from migration_gate.verdict.outcome import ProjectReport, Report
from tests.support import example_reports

ADDED = SourceEdit("migrations/env.py", 4, ("import a",), ("import a", "import app.models"), "In env.py:")
HOSTILE = SourceEdit(
    "a`b\n::error::c.py", 7, ("    x = '```'  # @all <script>",), ("    x = '````'", "    y\u202e = 2"), "`x"
)


def make_report(*edits: SourceEdit) -> ProjectReport:
    """A blocked project whose first finding has these edits."""
    project = example_reports.blocked()
    return replace(project, verdicts=(replace(project.verdicts[0], edits=edits),))


def test_the_lines_of_an_edit_are_a_diff_without_their_shared_indentation() -> None:
    assert (describe_edit(ADDED), format_diff(ADDED)) == (
        "In env.py (migrations/env.py:4):",
        "  import a\n+ import app.models",
    )
    edit = SourceEdit("m.py", 2, ("    a(", "        1,", "    )"), ("    a(", "        2,", "    )"))
    assert (describe_edit(edit), format_diff(edit)) == ("In m.py:2:", "  a(\n-     1,\n+     2,\n  )")


def test_the_text_and_the_pages_show_an_edit() -> None:
    report = Report((make_report(ADDED),))
    assert "\n        + import app.models\n" in text_report.render(report)
    for page in (summary.render(report), comment.render_comment(report.projects[0]).body):
        assert "In env.py (migrations/env.py:4):\n\n```diff\n  import a\n+ import app.models\n```" in page


def test_the_text_of_an_edit_stays_text() -> None:
    report = Report((make_report(HOSTILE),))
    page = summary.render(report)
    assert "`````diff\n- x = '```'  # @all <script>\n+ x = '````'\n" in page
    assert "\u202e" not in page
    assert "\n::error::" not in text_report.render(report)
    assert "<script" not in page.replace("`````diff\n- x = '```'  # @all <script>", "")


def test_json_has_the_exact_lines_and_join_reads_them() -> None:
    project = make_report(ADDED, HOSTILE)
    (verdict,) = json.loads(json_report.render(Report((project,))))["projects"][0]["verdicts"]
    assert verdict["edits"][0] == {
        "file": "migrations/env.py",
        "first_line": 4,
        "last_line": 4,
        "old_lines": ["import a"],
        "new_lines": ["import a", "import app.models"],
        "says": "In env.py:",
    }
    rebuilt = rebuild_project(build_document(Report((project,))).projects[0])
    assert rebuilt.verdicts[0].edits == (ADDED, HOSTILE)
