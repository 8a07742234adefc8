"""What a downgrade and the upgrade after it did to rows: how much each weighs."""

from __future__ import annotations

import pytest

from migration_gate.check import Severity
from migration_gate.checks import incomplete_downgrade
from migration_gate.facts import AlteredRows, Facts, Replay, RevisionRollback
from tests.support.fact_builders import make_chain, make_table


@pytest.mark.parametrize(
    ("column", "by_downgrade", "severity"),
    [
        ("interval", True, Severity.NOTE),
        ("name", True, None),
        ("name", False, Severity.WARNING),
        ("other", True, None),
    ],
)
def test_altered_values_weigh_what_they_prove(
    column: str, by_downgrade: bool, severity: Severity | None
) -> None:
    catalog = make_table("alert", "id integer NOT NULL", "interval jsonb", "name text")
    altered = AlteredRows(f"alert.{column}", "`x` held 1 before and 2 after", by_downgrade)
    rollback = RevisionRollback("b", altered_rows=(altered,))
    replay = Replay(history=make_chain("a", "b"), catalog=catalog, rollbacks=(rollback,))
    (finding,) = incomplete_downgrade.check(Facts(replay=replay))
    assert (finding.kind, finding.severity) == ("values", severity)
