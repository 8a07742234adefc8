"""Both ends of the protocol: what the worker encodes is what the gate reads, and nothing else is accepted."""

from __future__ import annotations

import dataclasses
import json
from typing import Any, get_args

import pytest

from migration_gate.errors import AnswerCorrupted
from migration_gate.facts import Snapshot
from migration_gate.replay.answer_lines import parse_line
from migration_gate.worker.protocol import Line, encode_line
from migration_gate.worker.protocol.history_lines import (
    ContextConfigured,
    ContextFinished,
    EarlierRevisionsRan,
    HistoryFinished,
    HistoryRead,
    RevisionScript,
    RevisionsPlanned,
    ScriptsFound,
    StepKeyword,
    StepKeywords,
)
from migration_gate.worker.protocol.model_lines import (
    AlembicDifference,
    ContextsMissing,
    FilteredObject,
    MappedClass,
    ModelDdl,
    ModelDdlFound,
    ModelObject,
    ModelsCreated,
    UncreatedPart,
)
from migration_gate.worker.protocol.order import (
    ConfigSource,
    ContextPlace,
    ModelsRequest,
    Order,
    PrepareCommand,
    ServerAddress,
    decode_order,
    decode_request,
    encode_order,
)
from migration_gate.worker.protocol.project_requests import (
    ConnectionRequested,
    DatabasesFound,
    SettingSupplied,
)
from migration_gate.worker.protocol.reported_error import ErrorReport, Frame
from migration_gate.worker.protocol.rollback_lines import FinishedRun, RunsFinished
from migration_gate.worker.protocol.run_lines import (
    DatabaseUsed,
    Done,
    InterpreterEnded,
    Note,
    ObservationFailed,
    RunFailed,
    StageStarted,
    WorkerStarted,
)
from migration_gate.worker.protocol.step_lines import (
    AnswersNeeded,
    AnswersReceived,
    ExecutedStatement,
    RecordedBoundary,
    StepFinished,
    StepStarted,
)

EMPTY_CATALOG: dict[str, list[object]] = {
    field.name: [] for field in dataclasses.fields(Snapshot) if field.name != "seconds"
}

ERROR = ErrorReport(
    'relation "users" does not exist',
    "UndefinedTable",
    sqlstate="42P01",
    statement="ALTER TABLE users",
    frames=(Frame("/app/migrations/versions/a1.py", 12, "upgrade"), Frame("/app/models.py", None, "")),
    line=12,
)
LINES: tuple[Line, ...] = (
    WorkerStarted("3.9.21", "1.8.1", "1.4.54", ("psycopg2", "asyncpg")),
    StageStarted("prepare"),
    Note("a note – with “quotes”,\nand a second line"),
    DatabaseUsed(),
    AnswersNeeded(),
    AnswersReceived(),
    ObservationFailed("the record of the statements", "ValueError: no (model_ddl.py:1)"),
    ConnectionRequested("sqlite", "pysqlite", ":/app.db", "url", "swapped"),
    SettingSupplied("variable", "DATABASE_URL", "postgresql://gate@localhost/gate", "sqlite:///app.db"),
    DatabasesFound(("db:5432/main", "db:5432/events"), ("db:5432/main",)),
    ScriptsFound(("/app/migrations/versions",), "/app/migrations"),
    HistoryRead(
        (RevisionScript("a1", (), (), ("main",), "first", "/app/migrations/versions/a1.py", 9),),
        ("a1",),
        ("a1",),
    ),
    HistoryRead((), (), (), ERROR),
    ContextConfigured(1, "psycopg2", "alembic_version", None, "public"),
    RevisionsPlanned(("a1", "b2")),
    StepStarted(1, "a1"),
    StepFinished(
        1,
        "a1",
        1,
        0.25,
        (ExecutedStatement("select 1", 0.001, 12, 1, ERROR),),
        (RecordedBoundary("savepoint", 0),),
        True,
        json.dumps(EMPTY_CATALOG),
    ),
    EarlierRevisionsRan(
        ("a", "b"),
        "",
        True,
        (StepKeywords((StepKeyword("engine_name", "events"),), True),),
        ("/app/data.csv",),
        ("/app/shop/models.py",),
    ),
    ContextFinished(1, "alembic_version", "meta", "public", "app, public"),
    ModelDdlFound(
        (
            ModelDdl(
                "replay",
                1,
                "a1",
                (ModelObject("labels", "users.colour", "app.Colour"),),
                True,
                (Frame("/app/migrations/versions/a1.py", 12, "upgrade"),),
                Frame("/app/migrations/versions/a1.py", 12, "upgrade"),
                "Base.metadata.create_all(op.get_bind())",
            ),
        )
    ),
    RunFailed("replay", ERROR, "b2", "/app/migrations/versions/b2.py", 3, (), ERROR),
    HistoryFinished(("public.a",), 1, (StepKeywords((StepKeyword("engine_name", "events"),), True),)),
    RunsFinished(
        (FinishedRun("b2", "downgrade", 1, (ExecutedStatement("select 1", 0.001),)),),
        ERROR,
        "a1",
        "upgrade",
        7,
        (),
        ERROR,
        "env.py did not run `a1`",
    ),
    ContextsMissing(1),
    ModelsCreated(
        1,
        ("public.users",),
        (UncreatedPart("index ix of users", "no", "index", "ix", ("id",), "public.users", True),),
        (FilteredObject("table", "public", "legacy", "legacy"), FilteredObject("type", "*", "*", None)),
        (AlembicDifference("add_index", "public.users", "ix", None, "INDEX (id)", ("id",)),),
        (MappedClass("public.users", "/app/models.py", 4),),
        ("public.logs",),
        ("public.late",),
    ),
    InterpreterEnded(137),
    Done(),
)
ORDER = Order(
    task="replay",
    environment={"PGHOST": "/run/socket"},
    server=ServerAddress("/run/socket", 5432, "postgres", "secret", "token", "postgres", 180000, "gate: "),
    database="a",
    models_database="a_models",
    config=ConfigSource("ini", "alembic", "/app/alembic.ini"),
    sys_path=("/app",),
    later_sys_path=("/app/shop",),
    target=("heads",),
    x_arguments=("tenant=a",),
    prepare=(PrepareCommand("run", "make seed"),),
    catalog_query="select 1",
    snapshots="changed",
    observe="change",
    rollback="change",
    changed_files=("/app/caf\udce9.py",),
    pending_files=("/app/migrations/versions/2_b.py",),
    log_after_step=False,
    stamp="heads",
)


@pytest.mark.parametrize("line", LINES, ids=lambda line: type(line).__name__)
def test_a_line_arrives_as_it_was_sent(line: Line) -> None:
    data = encode_line(line)
    assert data.count(b"\n") == 1
    assert data.endswith(b"\n")
    assert parse_line(data.rstrip(b"\n")) == line


def test_every_kind_of_line_is_tried_here() -> None:
    assert {type(line) for line in LINES} == set(get_args(Line))


def test_every_line_is_told_apart_by_its_kind() -> None:
    kinds = [vars(line)["kind"] for line in {type(line): line for line in LINES}.values()]
    assert len(set(kinds)) == len(get_args(Line))


def test_the_order_arrives_as_it_was_sent() -> None:
    assert decode_order(encode_order(ORDER)) == ORDER


def test_the_request_for_the_models_arrives_as_it_was_sent() -> None:
    request = ModelsRequest((ContextPlace("app, public", "app"),), ("app.users",))
    assert decode_request(encode_order(request)) == request


def test_an_order_with_a_missing_field_is_refused() -> None:
    fields = dataclasses.asdict(ORDER)
    del fields["stamp"]
    with pytest.raises(TypeError, match="stamp"):
        decode_order(json.dumps(fields).encode())


def test_a_name_that_is_not_utf_8_does_not_break_the_line() -> None:
    line = parse_line(encode_line(Note("caf\udce9.py")))
    assert line == Note("caf?.py")


def changed(line: Line, **fields: Any) -> bytes:
    """The line with other values in some fields; a field of the value `...` is left out."""
    values = {**json.loads(encode_line(line)), **fields}
    return json.dumps({name: value for name, value in values.items() if value is not ...}).encode()


WRONG_LINES = {
    "text": (b"Traceback (most recent call last):", "a line of the worker's answer is not JSON"),
    "an empty line": (b"", "a line of the worker's answer is not JSON"),
    "half a line": (
        encode_line(Note("a note"))[:12],
        "a line of the worker's answer is not JSON",
    ),
    "bytes that are not UTF-8": (b'{"kind": "note", "text": "\xff"}', "is not JSON"),
    "half a line, and a line": (b'{"kind": "no' + encode_line(Done()).strip(), "is not JSON"),
    "a list": (b"[1, 2]", "is of no kind that the worker writes"),
    "a number": (b"3", "is of no kind that the worker writes"),
    "no kind": (b'{"text": "a note"}', "is of no kind that the worker writes"),
    "another kind": (b'{"kind": "progress"}', "is of no kind that the worker writes"),
    "a missing field": (changed(StepStarted(1, "a1"), revision=...), "`step_started`, the field `revision`"),
    "text for a number": (changed(StepStarted(1, "a1"), number="1"), "the field `number` is wrong"),
    "null for a text": (changed(Note(""), text=None), "the field `text` is wrong"),
    "an unknown stage": (changed(StageStarted("replay"), name="lunch"), "the field `name` is wrong"),
    "a wrong frame": (
        changed(RunFailed("replay", ERROR), error={"message": "no", "frames": [3]}),
        "the field `error.frames.0` is wrong",
    ),
}


@pytest.mark.parametrize("name", WRONG_LINES)
def test_what_the_worker_does_not_write_is_an_error_of_our_own(name: str) -> None:
    data, problem = WRONG_LINES[name]
    with pytest.raises(AnswerCorrupted) as caught:
        parse_line(data)
    assert caught.value.message.startswith("The project's code wrote on the gate's pipe: ")
    assert problem in caught.value.message
    assert caught.value.status == 3
    assert "has not opened itself" in caught.value.advice
    assert caught.value.evidence == data.decode("utf-8", "replace")


def test_a_nul_character_reaches_no_name_or_path() -> None:
    line = parse_line(encode_line(Note("a\0b")))
    assert isinstance(line, Note)
    assert line.text == "a\ufffdb"
    assert parse_line(encode_line(Note("a\\u0000b"))) == Note("a\\u0000b")


def test_only_the_beginning_of_a_long_line_is_shown() -> None:
    with pytest.raises(AnswerCorrupted) as caught:
        parse_line(b"x" * 100_000)
    assert caught.value.evidence == "x" * 400


WRONG_ROW = json.dumps({**EMPTY_CATALOG, "tables": [{"schema": 5, "name": "t"}]})


@pytest.mark.parametrize("catalog", [WRONG_ROW, "", "[]", '{"tables": []}', "a text", "[" * 200_000])
def test_a_snapshot_that_is_no_catalog_is_an_error_when_its_line_comes(catalog: str) -> None:
    step = StepFinished(1, "a1", 1, 0.1, (), (), True, before=catalog)
    with pytest.raises(AnswerCorrupted, match="a snapshot is not a catalog"):
        parse_line(encode_line(step).strip())


def test_a_snapshot_of_a_catalog_arrives() -> None:
    empty_catalog = json.dumps(EMPTY_CATALOG)
    step = StepFinished(1, "a1", 1, 0.1, (), (), True, before=empty_catalog)
    assert parse_line(encode_line(step).strip()) == step
