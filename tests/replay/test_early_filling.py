"""The copy with rows that a run from a checkpoint makes early: it is taken, or closed."""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from migration_gate.config.settings import Settings
from migration_gate.replay.early_filling import EarlyFilling
from migration_gate.replay.filled_copy import FilledCopy
from migration_gate.replay.history_run import plans_changed_revisions
from migration_gate.replay.replay_setup import ReplaySetup
from migration_gate.worker.protocol import Line
from migration_gate.worker.protocol.history_lines import (
    ContextConfigured,
    HistoryRead,
    RevisionScript,
    RevisionsPlanned,
)
from tests.support.example_reports import settings

RESTORED = SimpleNamespace(state=SimpleNamespace(record=SimpleNamespace(revisions=("a", "b"))))
LINE = ContextConfigured(1, "psycopg", "alembic_version", None, "public")


class Session:
    """What is known of a connection."""

    def __init__(self) -> None:
        self.is_closed = False

    def close(self) -> None:
        self.is_closed = True


def make_filling(monkeypatch: pytest.MonkeyPatch, result: object, **changed: Any) -> EarlyFilling:
    """One that fills nothing: it has this result, or error."""
    known = {
        "settings": settings("shop"),
        "restored": RESTORED,
        "wants_rehearsal": True,
        "other_databases": (),
        "repository": Path("/shop"),
    }
    setup = cast("ReplaySetup", SimpleNamespace(**{**known, **changed}))

    def fill(_: EarlyFilling) -> object:
        if isinstance(result, Exception):
            raise result
        return result

    monkeypatch.setattr(EarlyFilling, "_fill", fill)
    filling = EarlyFilling(setup, cast("ThreadPoolExecutor", Immediately()))
    filling.begin([LINE])
    return filling


class Immediately:
    """An executor without threads."""

    def submit(self, function: Any) -> Future[Any]:
        future: Future[Any] = Future()
        try:
            future.set_result(function())
        except ValueError as error:
            future.set_exception(error)
        return future


def make_copy() -> FilledCopy:
    return FilledCopy(cast("Any", Session()), cast("Any", None))


def test_what_is_taken_stays_open(monkeypatch: pytest.MonkeyPatch) -> None:
    copy = make_copy()
    filling = make_filling(monkeypatch, copy)
    taken = filling.take(["public.alembic_version"], ["b", "a"])
    filling.close()
    assert taken is not None
    assert taken.result() is copy
    assert not cast("Session", copy.connection).is_closed
    assert filling.take(["public.alembic_version"], ["b", "a"]) is None


def test_it_is_made_once(monkeypatch: pytest.MonkeyPatch) -> None:
    filling = make_filling(monkeypatch, make_copy())
    assert filling.take(["public.alembic_version"], ["b", "a"]) is not None
    filling.begin([LINE])
    assert filling.take(["public.alembic_version"], ["b", "a"]) is None


@pytest.mark.parametrize(
    ("version_table", "revisions"),
    [("shop.alembic_version", ["a", "b"]), ("public.alembic_version", ["a", "b", "c"])],
)
def test_without_the_same_version_tables_and_revisions_it_is_closed(
    monkeypatch: pytest.MonkeyPatch, version_table: str, revisions: list[str]
) -> None:
    copy = make_copy()
    filling = make_filling(monkeypatch, copy)
    assert filling.take([version_table], revisions) is None
    assert cast("Session", copy.connection).is_closed


def test_what_failed_has_nothing_to_close(monkeypatch: pytest.MonkeyPatch) -> None:
    make_filling(monkeypatch, ValueError("no rows")).close()


@pytest.mark.parametrize(
    "changed",
    [
        {"restored": None},
        {"wants_rehearsal": False},
        {"other_databases": (("localhost:5432/b", "b"),)},
        {"settings": Settings("shop", Path("/shop"), Path("/shop"), rehearsal_sql=Path("rows.sql"))},
    ],
)
def test_it_is_made_only_where_it_is_wanted(monkeypatch: pytest.MonkeyPatch, changed: dict[str, Any]) -> None:
    assert make_filling(monkeypatch, make_copy(), **changed).take(["public.alembic_version"], ["a"]) is None


SCRIPTS = tuple(
    RevisionScript(name, (), (), (), "", f"/shop/versions/{name}.py", 1) for name in ("c", "b", "a")
)


@pytest.mark.parametrize(
    ("planned", "changed", "options", "expected"),
    [
        (("a", "b", "c"), ("c",), {}, True),
        (("c",), ("c",), {}, True),
        (("b", "c"), ("b",), {}, True),  # one that is edited
        (("a", "b"), ("c",), {}, False),
        ((), ("models",), {}, False),  # everything has run before
        (("a", "b", "c"), ("models",), {}, False),
        (("a", "b", "c"), (), {}, False),
        (("a",), (), {"rollback": "all"}, True),
        (("a",), (), {"observe": "all"}, True),
    ],
)
def test_only_revisions_of_the_change_are_got_ready_for(
    planned: tuple[str, ...], changed: tuple[str, ...], options: dict[str, Any], *, expected: bool
) -> None:
    files = tuple(f"/shop/versions/{name}.py" for name in changed)
    known = {"settings": settings("shop", **options), "changed_files": files}
    setup = cast("ReplaySetup", SimpleNamespace(**known))
    lines: list[Line] = [HistoryRead(SCRIPTS, ("c",), ("a",)), LINE, RevisionsPlanned(planned)]
    assert plans_changed_revisions(setup, lines) is expected
