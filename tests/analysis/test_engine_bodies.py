"""One revision for an env.py that migrates several databases."""

from __future__ import annotations

from migration_gate.analysis.drift_revision import describe_drift_revision, format_revision_file
from migration_gate.analysis.engine_bodies import fit_environment, join_revisions
from migration_gate.facts import DriftRevision, Replay, StepKeyword, StepKeywords


def keywords(name: str, *, is_judged: bool, keyword: str = "engine_name") -> StepKeywords:
    return StepKeywords((StepKeyword(keyword, name),), is_judged)


def fit(
    judged: str, *others: str, keyword: str = "engine_name", body: str = "op.drop_column('a', 'b')"
) -> DriftRevision:
    """The revision for the judged engine of several."""
    calls = [keywords(name, is_judged=name == judged, keyword=keyword) for name in sorted((judged, *others))]
    revision = DriftRevision(judged, ("one",), (), body, "pass", 1)
    return fit_environment(revision, Replay(step_keywords=tuple(calls), database=f"localhost:5432/{judged}"))


def call_functions(revision: DriftRevision, **arguments: str) -> list[str]:
    """What the file's upgrade() does when Alembic calls it so."""
    done: list[str] = []

    class Operations:
        def drop_column(self, table: str, column: str) -> None:
            done.append(f"{table}.{column}")

    text = format_revision_file(revision).replace("import sqlalchemy as sa\nfrom alembic import op\n", "")
    names = {"op": Operations()}
    exec(text, names)
    names["upgrade"](**arguments)  # type: ignore[operator]
    return done


def test_the_functions_are_those_of_the_multidb_template() -> None:
    revision = fit("events", "main")
    assert "def upgrade_main():\n    pass\n" in format_revision_file(revision)
    assert call_functions(revision, engine_name="events") == ["a.b"]
    assert call_functions(revision, engine_name="main") == []
    assert "it changes `events`" in describe_drift_revision(revision)


def test_names_that_are_no_identifiers_and_the_default_bind_of_flask() -> None:
    for name, other in (("shard-1", "shard-2"), ("", "users")):
        revision = fit(name, other, keyword="bind")
        assert call_functions(revision, bind=name) == ["a.b"]
        assert call_functions(revision, bind=other) == []


def test_two_databases_share_one_revision() -> None:
    parts = (fit("events", "main"), None, fit("main", "events", body="op.drop_column('c', 'd')"))
    joined, *rest = join_revisions(parts)
    assert rest == [None, None]
    assert joined is not None
    assert joined.differences == 2
    assert call_functions(joined, engine_name="events") == ["a.b"]
    assert call_functions(joined, engine_name="main") == ["c.d"]
    assert join_revisions((parts[0], None)) == (parts[0], None)


def test_an_env_py_that_names_no_engine_is_told() -> None:
    revision = DriftRevision("a", ("one",), (), "op.drop_column('a', 'b')", "pass", 1)
    unnamed = fit_environment(revision, Replay(database="localhost:5432/events"))
    assert "def upgrade():" in format_revision_file(unnamed)
    assert "for the database `events` alone" in describe_drift_revision(unnamed)
    assert join_revisions((unnamed, revision)) == (unnamed, revision)


def test_keywords_of_one_database_are_taken_and_not_used() -> None:
    revision = DriftRevision("a", ("one",), (), "op.drop_column('a', 'b')", "pass", 1)
    calls = (keywords("x", is_judged=True, keyword="tenant"), keywords("y", is_judged=True, keyword="tenant"))
    assert call_functions(fit_environment(revision, Replay(step_keywords=calls)), tenant="x") == ["a.b"]
