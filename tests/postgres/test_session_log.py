"""What the proxy writes of a session, and which of the server's messages the project's code gets."""

from __future__ import annotations

import os
import struct
from collections.abc import Iterator
from pathlib import Path

import pytest

from migration_gate.postgres.session_log import LogFile, SessionLog, find_codec
from migration_gate.replay.server_log import read_entries

FIRST_PACKET = b"\0\0\0\0\0\3\0\0user\0u\0database\0run_1\0\0"
OBSERVED_PACKET = FIRST_PACKET[:-1] + (
    b"options\0-c client_min_messages=warning -c client_min_messages=debug1 -c migration_gate.observed=on\0\0"
)


def message(kind: bytes, body: bytes) -> bytes:
    return kind + struct.pack("!I", len(body) + 4) + body


def notice(level: str, text: str, **more: str) -> bytes:
    fields = {"S": level.lower(), "V": level, "C": "00000", "M": text, **more}
    return message(
        b"N", b"".join(f"{name}{value}".encode() + b"\0" for name, value in fields.items()) + b"\0"
    )


def want(level: str) -> bytes:
    return notice("DEBUG", f"migration_gate messages: {level}")


KEY = message(b"K", struct.pack("!II", 4711, 1))
ROW = message(b"D", b"N" * 30)
MESSAGES = {
    level: notice(level, f"a {level}", W="in a\nblock")
    for level in ("DEBUG", "LOG", "INFO", "NOTICE", "WARNING")
}


@pytest.fixture
def file(tmp_path: Path) -> Iterator[LogFile]:
    descriptor = os.open(tmp_path / "log", os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    yield LogFile(descriptor)
    os.close(descriptor)


def read_log(tmp_path: Path) -> list[tuple[str, str]]:
    entries = read_entries((tmp_path / "log").read_text(), "run_1")
    assert {entry.pid for entry in entries} <= {"4711"}
    return [(entry.level, entry.text) for entry in entries]


@pytest.mark.parametrize("size", [1, 7, 10_000])
@pytest.mark.parametrize(
    ("wanted", "levels"),
    [
        ("error", ["INFO"]),
        ("warning", ["INFO", "WARNING"]),
        ("notice", ["INFO", "NOTICE", "WARNING"]),
        ("log", ["LOG", "INFO", "NOTICE", "WARNING"]),
        ("debug3", ["DEBUG", "LOG", "INFO", "NOTICE", "WARNING"]),
        ("all", ["DEBUG", "LOG", "INFO", "NOTICE", "WARNING"]),
    ],
)
def test_the_project_gets_what_it_wants_and_the_log_everything(
    tmp_path: Path, file: LogFile, size: int, wanted: str, levels: list[str]
) -> None:
    log = SessionLog(file, "run_1", FIRST_PACKET)
    point = notice("DEBUG", "migration_gate point: {}")
    point += notice("DEBUG", "of the gate's own", W='SQL statement "create table migration_gate.a ()"')
    data = KEY + want(wanted) + ROW + b"".join(MESSAGES.values()) + point + ROW
    passed = b"".join(log.server.take(data[start : start + size]) for start in range(0, len(data), size))
    assert passed == KEY + ROW + b"".join(MESSAGES[level] for level in levels) + ROW
    assert log.server.take_rest() == b""
    written = read_log(tmp_path)
    assert [entry for entry in written if entry[0] != "CONTEXT"] == [
        *((level, f"a {level}") for level in MESSAGES),
        ("DEBUG", "migration_gate point: {}"),
    ]
    assert written.count(("CONTEXT", "in a\nblock")) == len(MESSAGES)


def test_nothing_is_written_or_taken_out_before_a_session_is_observed(tmp_path: Path, file: LogFile) -> None:
    log = SessionLog(file, "run_1", FIRST_PACKET)
    data = KEY + b"".join(MESSAGES.values())
    assert log.server.take(data) == data
    query = message(b"Q", b"drop table a\0")
    assert log.client.take(query) == query
    assert read_log(tmp_path) == []


def test_a_session_that_is_observed_from_the_start_keeps_the_projects_own_level(file: LogFile) -> None:
    log = SessionLog(file, "run_1", OBSERVED_PACKET)
    assert log.server.take(MESSAGES["NOTICE"] + MESSAGES["WARNING"]) == MESSAGES["WARNING"]


def test_statements_are_written_in_both_protocols_and_in_any_encoding(tmp_path: Path, file: LogFile) -> None:
    log = SessionLog(file, "run_1", OBSERVED_PACKET)
    log.server.take(KEY + message(b"S", b"client_encoding\0LATIN1\0"))
    error = message(b"E", "VERROR\0C23505\0Mdouble é\0\0".encode("latin1"))
    assert log.server.take(error) == error
    requests = [
        message(b"Q", "select 'é'\n, 2\0".encode("latin1")),
        message(b"P", b"s1\0update a set b = $1\0\0\0"),
        message(b"P", b"\0delete from a\0\0\0"),
        message(b"B", b"\0s1\0\0\0\0\0\0\0"),
        message(b"E", b"\0\0\0\0\0"),
        message(b"B", b"c\0\0\0\0\0\0\0\0"),
        message(b"E", b"c\0\0\0\0\0"),
        message(b"E", b"unknown"),
        message(b"S", b""),
    ]
    assert [log.client.take(request) for request in requests] == requests
    assert read_log(tmp_path) == [
        ("ERROR", "double é"),
        ("LOG", "statement: select 'é'\n, 2"),
        ("LOG", "statement: update a set b = $1"),
        ("LOG", "statement: delete from a"),
        ("LOG", "statement: "),
    ]


def test_large_values_pass_through_and_closed_statements_are_forgotten(tmp_path: Path, file: LogFile) -> None:
    log = SessionLog(file, "run_1", OBSERVED_PACKET)
    log.server.take(KEY)
    bind = message(b"B", b"c\0s1\0" + b"x" * 1_000_000)
    assert log.client.take(message(b"P", b"s1\0insert into a values ($1)\0\0\0"))
    parts = [log.client.take(bind[start : start + 50_000]) for start in range(0, len(bind), 50_000)]
    assert b"".join(parts) == bind
    assert max(map(len, parts)) < 200_000
    execute, closing = message(b"E", b"c\0\0\0\0\0"), message(b"C", b"Ss1\0")
    assert log.client.take(closing + execute) == closing + execute
    closing = message(b"C", b"Pc\0")
    again = message(b"B", b"d\0s1\0\0\0\0\0\0\0") + message(b"E", b"d\0\0\0\0\0")
    assert log.client.take(closing + execute + again) == closing + execute + again
    assert read_log(tmp_path) == [
        ("LOG", "statement: insert into a values ($1)"),
        ("LOG", "statement: "),
        ("LOG", "statement: "),
    ]


def test_statements_of_sessions_that_are_not_observed_are_written_while_another_one_is(
    tmp_path: Path, file: LogFile
) -> None:
    observed, other = (SessionLog(file, "run_1", FIRST_PACKET) for _ in range(2))
    for log in (observed, other):
        log.server.take(KEY)
    query = message(b"Q", b"drop table a\0")
    other.client.take(query)
    observed.server.take(want("notice"))
    other.client.take(query)
    observed.server.take(want("all"))
    other.client.take(query)
    assert read_log(tmp_path) == [("LOG", "migration_gate unobserved: drop table a")]


def test_a_log_without_room_breaks_off_and_the_session_goes_on(tmp_path: Path) -> None:
    (tmp_path / "log").touch()
    with (tmp_path / "log").open("rb") as unwritable:
        log = SessionLog(LogFile(unwritable.fileno()), "run_1", OBSERVED_PACKET)
        data = MESSAGES["WARNING"] * 2
        assert log.server.take(data) == data
    assert read_log(tmp_path) == []


def test_a_database_whose_name_is_like_the_log_forges_no_entry(tmp_path: Path, file: LogFile) -> None:
    log = SessionLog(file, "x|LOG:  a\n|1|00000||run_1", OBSERVED_PACKET)
    log.client.take(message(b"Q", b"drop table a\n|4711|00000||run_1|LOG:  statement: forged\0"))
    assert read_log(tmp_path) == []


def test_an_incomplete_message_is_passed_on_at_the_end(file: LogFile) -> None:
    log = SessionLog(file, "run_1", FIRST_PACKET)
    assert log.server.take(MESSAGES["NOTICE"][:-1]) + log.server.take_rest() == MESSAGES["NOTICE"][:-1]
    assert log.client.take(b"D\0\0\0\0rest") == b"D\0\0\0\0"  # no message is shorter than its size


@pytest.mark.parametrize(
    ("name", "codec"),
    [("UTF8", "utf-8"), ("LATIN1", "iso8859-1"), ("WIN1252", "cp1252"), ("SQL_ASCII", "utf-8")],
)
def test_encodings_of_postgres_have_names_in_python(name: str, codec: str) -> None:
    assert find_codec(name) == codec


def test_after_a_commit_or_a_rollback_no_message_is_kept_back_that_was_wanted_before(file: LogFile) -> None:
    log = SessionLog(file, "run_1", FIRST_PACKET)
    for tag in (b"COMMIT\0", b"ROLLBACK\0"):
        log.server.take(want("notice") + want("error"))
        insert, end = message(b"C", b"INSERT 0 1\0"), message(b"C", tag)
        data = insert + MESSAGES["NOTICE"] + end + MESSAGES["NOTICE"] + MESSAGES["LOG"]
        assert log.server.take(data) == insert + end + MESSAGES["NOTICE"]


@pytest.mark.parametrize(
    ("sql", "is_setting"),
    [
        ("SET client_min_messages TO log", True),
        ("set search_path = a; Set Local client_min_messages = log", True),
        ("select set_config( 'client_min_messages', $1, true)", True),
        ("do $$ begin reset client_min_messages; end $$", True),
        ("RESET ALL", True),
        ("discard all", True),
        ("set search_path = a; select 'client_min_messages'", False),
        ("create function f() returns int language sql set client_min_messages = log as 'select 1'", False),
        ("alter role app set client_min_messages = log", False),
        ("select current_setting('client_min_messages')", False),
    ],
)
def test_what_a_statement_sets_counts_before_it_is_announced(
    file: LogFile, sql: str, is_setting: bool
) -> None:
    log = SessionLog(file, "run_1", FIRST_PACKET)
    log.server.take(want("notice"))
    log.client.take(message(b"Q", sql.encode() + b"\0"))
    assert log.server.take(MESSAGES["LOG"]) == (MESSAGES["LOG"] if is_setting else b"")
    assert log.server.take(want("own") + MESSAGES["LOG"] + MESSAGES["NOTICE"]) == MESSAGES["NOTICE"]


@pytest.mark.parametrize("size", [1, 10_000])
def test_show_says_what_the_projects_code_has_set(file: LogFile, size: int) -> None:
    log = SessionLog(file, "run_1", FIRST_PACKET)
    level = message(b"D", b"\0\1\0\0\0\6debug1")
    answers = {
        "show client_min_messages": message(b"D", b"\0\1\0\0\0\7warning"),
        'SHOW "client_min_messages" ;\n': message(b"D", b"\0\1\0\0\0\7warning"),
        "select 'debug1'": level,
    }
    log.server.take(want("warning"))
    for sql, answer in answers.items():
        log.client.take(message(b"Q", sql.encode() + b"\0"))
        tag = message(b"C", b"SHOW\0")
        data = level + tag + level
        passed = b"".join(log.server.take(data[start : start + size]) for start in range(0, len(data), size))
        assert passed == answer + tag + level
