"""The entry of `allow:` that a report offers: it is valid, and allows that finding."""

from __future__ import annotations

from dataclasses import replace

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from migration_gate.config.settings import Allowance
from migration_gate.report.allow_entry import format_allow_entry
from migration_gate.report.finding_markdown import render_finding
from migration_gate.verdict.allow import allowance_covers
from migration_gate.verdict.outcome import Verdict
from tests.support import example_reports


def verdict_about(name: str) -> Verdict:
    verdict = example_reports.blocked().verdicts[0]
    return replace(verdict, finding=replace(verdict.finding, object=name))


def assert_allows(verdict: Verdict) -> None:
    (entry,) = yaml.safe_load(format_allow_entry(verdict))["allow"]
    assert entry.pop("reason") == ""
    assert allowance_covers(Allowance(reason="x", **entry), verdict.check, verdict.finding, None)


@pytest.mark.parametrize(
    "name",
    ["a.b", "No", "null", "12", "1e3", "a: b", "- a", "a[0]*?", "'", '"Mixed".x', "a #b", "{", "ä", "x "],
)
def test_the_entry_is_read_back_as_the_name(name: str) -> None:
    assert_allows(verdict_about(name))


@given(st.text(st.characters(codec="utf-8"), min_size=1, max_size=40))
def test_the_entry_allows_the_finding_whatever_its_name(name: str) -> None:
    assert_allows(verdict_about(name))


def test_no_entry_is_offered_for_what_nobody_should_accept() -> None:
    with_own_entry, *others = example_reports.blocked().verdicts
    assert render_finding(with_own_entry).count("allow:") == 1
    assert "allow:\n- check: several-heads\n" in render_finding(others[0])
    failed = example_reports.failing().verdicts[0]
    assert "allow:" not in render_finding(failed)
    assert format_allow_entry(verdict_about("a" * 301)) == ""
