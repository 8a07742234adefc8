"""Much drift at once: equal findings are a line each, one cause is one finding, all fixes one revision."""

from __future__ import annotations

from dataclasses import replace

from migration_gate import checks
from migration_gate.analysis.drift_revision import format_revision_file, make_drift_revision
from migration_gate.check import Finding
from migration_gate.facts import Difference, DifferenceKind, Facts, Models, Replay, Unchecked
from migration_gate.report import summary, text_report
from migration_gate.report.json_report import build_document
from migration_gate.verdict.judge import judge_findings
from migration_gate.verdict.outcome import ProjectReport, Report
from tests.support.example_reports import settings
from tests.support.fact_builders import make_chain, make_history, make_revision


def difference(kind: DifferenceKind, name: str, database: str | None, models: str | None) -> Difference:
    table = name.partition(".")[0]
    return Difference(
        kind, name, database, models, table=f"public.{table}",
        upgrade=f"op.execute('up {name}')", downgrade=f"op.execute('down {name}')",
    )  # fmt: skip


def report_on(*differences: Difference, **replay: object) -> Report:
    together = tuple(item for item in differences if item.upgrade)
    base = replace(Replay(history=make_chain("a1", "b2"), arrived_heads=("b2",)), **replay)  # type: ignore[arg-type]
    whole = replace(
        base,
        models=Models(("public.users",), 1),
        differences=differences,
        drift_revision=make_drift_revision(base, differences, together),
    )
    facts = Facts("shop", whole)
    verdicts = judge_findings(facts, settings("shop"), checks.ALL)
    return Report((ProjectReport("shop", facts, verdicts),))


def defaults(number: int) -> tuple[Difference, ...]:
    return tuple(difference("default", f"users.c{n}", "false", None) for n in range(number))


def drift_findings(report: Report) -> list[Finding]:
    return [verdict.finding for verdict in report.projects[0].verdicts if verdict.check == "drift"]


def test_equal_warnings_are_one_line_each_under_one_heading() -> None:
    text = text_report.render(report_on(*defaults(19)), checks.ALL)
    assert text.count("no model has it") == 1
    assert "19 objects: the migrations make this default, no model has it" in text
    assert all(f"`users.c{n}`" in text for n in range(19))
    assert len(text.splitlines()) < 19 * 2 + 80


def test_a_few_equal_warnings_are_shown_in_full() -> None:
    text = text_report.render(report_on(*defaults(2)), checks.ALL)
    assert " ".join(text.split()).count("no model has it") == 2


def wrong_defaults(number: int) -> tuple[Difference, ...]:
    return tuple(difference("default", f"users.c{n}", "0", f"{n + 1}") for n in range(number))


def test_six_equal_errors_of_a_property_are_one_line_each_under_one_heading() -> None:
    text = text_report.render(report_on(*wrong_defaults(6)), checks.ALL)
    assert "error: 6 objects: its default differs" in text.replace("ERROR", "error")
    assert all(f"`users.c{n}` migrations: 0, models: {n + 1}" in text for n in range(6))
    assert "the one revision for all drift has them" in " ".join(text.split())
    page = summary.render(report_on(*wrong_defaults(6)))
    assert "6 objects: its default differs" in page
    in_full = text_report.render(report_on(*wrong_defaults(5)), checks.ALL)
    assert in_full.count("its default differs") == 5


def test_tables_that_a_filter_leaves_out_are_one_line_each_with_one_advice() -> None:
    names = [f"old_{number}" for number in range(7)]
    unchecked = tuple(
        Unchecked(name, "`include_name` of env.py leaves it out", "Compare it") for name in names
    )
    text = " ".join(text_report.render(report_on(unchecked=unchecked), checks.ALL).split())
    assert "7 objects: was not checked: `include_name` of env.py leaves it out" in text
    assert all(f"`{name}`" in text for name in names)
    assert text.count("Compare it, or allow unchecked for each with a reason.") == 1


def test_a_heading_does_not_promise_lines_that_are_not_there() -> None:
    refused = tuple(replace(item, upgrade="", fix_refused=f"no {item.object}") for item in wrong_defaults(6))
    text = " ".join(text_report.render(report_on(*refused), checks.ALL).split())
    assert "What to do with each is in the JSON report" in text
    text = " ".join(text_report.render(report_on(*wrong_defaults(8)[6:], *refused), checks.ALL).split())
    assert "2 have lines of their own in the one revision" in text


def test_equal_errors_about_columns_keep_their_own_lines() -> None:
    missing = tuple(difference("column", f"users.c{n}", None, "text") for n in range(6))
    text = text_report.render(report_on(*missing), checks.ALL)
    assert text.count("no migration makes it") == 6


def test_a_summary_of_many_warnings_is_short() -> None:
    page = summary.render(report_on(*defaults(300)))
    assert "300 objects" in page
    assert len(page.splitlines()) < 800
    assert page.count("One revision for all drift") == 1


def test_names_of_one_convention_are_one_finding() -> None:
    pairs = [("key", "uq"), ("fkey", "fk"), ("pkey", "pk")]
    renamed = tuple(
        difference("name-only", f"t{n}.t{n}_x_{label}", f"t{n}_x_{label}", f"{prefix}_t{n}_x")
        for n in range(43)
        for label, prefix in pairs
    )
    other = difference("name-only", "users.once", "once", "uq_users_email")
    found = drift_findings(report_on(*renamed, other))
    assert [finding.object for finding in found] == ["users.once", "constraint names"]
    assert "129 constraints" in found[1].message
    assert "t0: t0_x_key -> uq_t0_x" in found[1].evidence[0].text


def test_a_few_names_are_findings_of_their_own() -> None:
    renamed = tuple(
        difference("name-only", f"t{n}.t{n}_x_key", f"t{n}_x_key", f"uq_t{n}_x") for n in range(4)
    )
    assert len(drift_findings(report_on(*renamed))) == 4


def test_all_drift_is_one_revision_on_the_head_in_every_report() -> None:
    report = report_on(*defaults(2), difference("check", "users.ck", None, "CHECK (a > 0)"))
    (project,) = build_document(report).projects
    revision = project.drift_revision
    assert revision is not None
    assert (revision.down_revision, revision.depends_on, revision.differences) == (("b2",), (), 3)
    assert [line.strip() for line in revision.downgrade.splitlines()] == [
        "op.execute('down users.ck')", "op.execute('down users.c1')", "op.execute('down users.c0')",
    ]  # fmt: skip
    compile(revision.text, "revision.py", "exec")
    assert "down_revision = 'b2'" in revision.text
    text = text_report.render(report, checks.ALL)
    assert f"    revision = {revision.id!r}" in text
    assert revision.text.splitlines()[-1] in summary.render(report)


def test_one_difference_has_no_second_revision_beside_its_own_lines() -> None:
    text = text_report.render(report_on(difference("check", "users.ck", None, "CHECK (a > 0)")), checks.ALL)
    assert "One revision for all drift" not in text


def test_a_long_revision_is_left_to_the_json_report() -> None:
    text = text_report.render(report_on(*defaults(60)), checks.ALL)
    assert "up users.c59" not in text
    assert "drift_revision.text" in text


def test_what_has_no_lines_is_named() -> None:
    refused = replace(difference("type", "users.x", "bigint", "uuid"), upgrade="", fix_refused="it fails")
    revision = report_on(*defaults(2), refused).projects[0].facts.replay.drift_revision
    assert revision is not None
    assert revision.left_out == ("users.x",)


def test_of_several_heads_the_one_that_made_the_tables_is_followed() -> None:
    history = make_history(
        make_revision("base"), make_revision("left", "base"), make_revision("right", "base")
    )
    changed = replace(defaults(1)[0], revision="right")
    heads = {"history": history, "arrived_heads": ("left", "right")}
    revision = report_on(changed, **heads).projects[0].facts.replay.drift_revision
    assert revision is not None
    assert (revision.down_revision, revision.depends_on) == (("right",), ())
    both = report_on(changed, replace(defaults(2)[1], revision="left"), changed, **heads)
    revision = both.projects[0].facts.replay.drift_revision
    assert revision is not None
    assert (revision.down_revision, revision.depends_on) == (("right",), ("left",))


def test_a_downgrade_without_anything_to_restore_is_no_error() -> None:
    items = (replace(item, downgrade="# nothing to restore\npass") for item in defaults(2))
    revision = report_on(*items).projects[0].facts.replay.drift_revision
    assert revision is not None
    assert revision.downgrade == "# nothing to restore\npass"
    assert "NotImplementedError" not in format_revision_file(revision)
