"""The command that writes the sizes of a live database's tables into a file: names, rows, bytes, no more.

The URL may hold a password: neither it nor what libpq says about a URL that it cannot read is shown, as a
part of the password may stand there in the place of a port or of a database.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NoReturn
from urllib.parse import SplitResult, parse_qs, unquote, urlsplit

import psycopg

from migration_gate.catalog.table_statistics import read_table_statistics
from migration_gate.config.size_text import SizeText, can_be_written
from migration_gate.config.sizes_file import WrittenSize, format_sizes
from migration_gate.corrections.file_replacement import replace_files
from migration_gate.errors import Misconfigured, PostgresNotFound
from migration_gate.facts import TableSize
from migration_gate.postgres.url import SCHEME
from migration_gate.wording import count_noun

OPTION = "--database"
FORM = (
    "Write postgresql://user:password@host:5432/database, with special letters as %XX (@ is %40, / is %2F)."
)
SECONDS = 10
"""to connect"""
STDOUT = "-"
MISPLACED_LETTER = re.compile(r"%(?![0-9A-Fa-f]{2})|%00|\s|[\x00-\x1f#]")
"""of which libpq would complain, and show what is around it"""


def write_sizes(databases: Sequence[str], output: Path) -> str:
    """Write the file, or return its text if the output is `-`; else what is to be said of it.

    Raises Misconfigured or PostgresNotFound, without a password.
    """
    if not databases:
        raise Misconfigured("No live database is named.", where=OPTION, advice=FORM)
    if len(databases) > 1:
        raise Misconfigured(
            f"`{OPTION}` names {len(databases)} databases, and a file holds the tables of one.",
            where=OPTION,
            advice="Write a file for each, and name it in the entry of `projects:` for that database.",
        )
    url = parse_database_url(databases[0])
    statistics = _read(url)
    if not statistics:
        raise Misconfigured(
            "The database has no tables, so there is nothing to write.",
            where=OPTION,
            advice="Is it the right one? The last part of the URL names it.",
        )
    text = format_sizes(map(_make_line, statistics), datetime.now(UTC).date())
    if str(output) == STDOUT:
        return text.removesuffix("\n")
    _write(output, text)
    return "\n".join(_describe(statistics, output))


def parse_database_url(text: str) -> str:
    """The URL as libpq takes it. Raises Misconfigured, which shows nothing of it, if it is none."""
    url = SCHEME.sub("postgresql://", text.strip(), count=1)
    try:
        fault = _find_fault(text.strip(), urlsplit(url))
    except ValueError:
        fault = "is no URL of a Postgres database"
    if fault:
        raise Misconfigured(f"`{OPTION}` {fault}.", where=OPTION, advice=FORM)
    return url  # as urlunsplit() writes it, one without a host in it would have lost its slashes


def _find_fault(text: str, parts: SplitResult) -> str:
    """What is wrong, as the rest of a sentence; '' if nothing is. Raises ValueError for a bad port."""
    if not SCHEME.match(text):
        return "is no URL of a Postgres database"
    rest = f"{parts.path}{parts.query}"
    if MISPLACED_LETTER.search(text) or parts.netloc.count("@") > 1 or "@" in rest:
        return "has a special letter that has to be written as %XX"
    if "," in parts.netloc:
        return "has to name one host"
    _ = parts.port
    parameters = parse_qs(parts.query)
    if not parts.path.strip("/") and "dbname" not in parameters:
        return "names no database"
    return "names no host" if not parts.hostname and "host" not in parameters else ""


def _read(url: str) -> tuple[TableSize, ...]:
    try:
        connection: psycopg.Connection[Any] = psycopg.connect(
            url, connect_timeout=SECONDS, application_name="migration-gate sizes"
        )
    except psycopg.Error as error:
        _refuse(url, "cannot be connected to", error)
    with connection:
        try:
            return read_table_statistics(connection)
        except psycopg.errors.QueryCanceled as error:
            _refuse(url, "did not answer in time, so nothing was read", error)
        except psycopg.Error as error:
            _refuse(url, "does not let its statistics be read", error)


def _refuse(url: str, what: str, error: psycopg.Error) -> NoReturn:
    """Raise PostgresNotFound with the server's words, without the password."""
    words = hide_secrets(" ".join(str(error).split()), url)
    raise PostgresNotFound(
        f"The database of `{OPTION}` {what}: {words}",
        where=OPTION,
        advice="Any user who may connect may read these statistics; none of the tables is read.",
    ) from None  # the error before it may name the password


def hide_secrets(text: str, url: str) -> str:
    """The text without the passwords of a URL, as they are written there and as they are meant."""
    parts = urlsplit(url)
    secrets = [parts.password or ""]
    secrets += [
        value
        for name, _, value in (parameter.partition("=") for parameter in parts.query.split("&"))
        if unquote(name) in ("password", "sslpassword")
    ]
    for secret in {*secrets, *map(unquote, secrets)}:
        if secret:
            text = text.replace(secret, "***")
    return text


def _make_line(size: TableSize) -> WrittenSize:
    is_known = size.rows is not None and size.bytes is not None
    return WrittenSize(size.schema, size.name, SizeText(size.rows, size.bytes) if is_known else None)


def _write(output: Path, text: str) -> None:
    try:
        replace_files({output: text.encode()})
    except OSError as error:
        raise Misconfigured(
            f"The sizes could not be written to {output}: {error.strerror}.",
            where="--output",
            advice="Name a file in a folder that exists and may be written to.",
        ) from error


def _describe(statistics: Sequence[TableSize], output: Path) -> list[str]:
    """What was written, and what is not known."""
    unwritten = [size for size in statistics if not can_be_written(size.schema, size.name)]
    unknown = [size for size in statistics if size.rows is None or size.bytes is None]
    lines = [f"{output}: {count_noun(len(statistics) - len(unwritten), 'table')}"]
    if unknown:
        verb = "is" if len(unknown) == 1 else "are"
        lines.append(
            f"{count_noun(len(unknown), 'table')} of them {verb} unknown: VACUUM ANALYZE makes their "
            "statistics, and a standby does not have all of them"
        )
    if unwritten:
        lines.append(f"{count_noun(len(unwritten), 'table')} left out: the name does not fit on a line")
    lines.append(f"The configuration names the file: `sizes: {output.name}`")
    return lines
