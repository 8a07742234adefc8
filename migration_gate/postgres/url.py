"""Databases of our own on a server that the user runs. We touch no other, and drop ours at the end."""

from __future__ import annotations

import getpass
import re
import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from migration_gate.errors import Misconfigured, PostgresNotFound
from migration_gate.postgres import remote_cleanup
from migration_gate.postgres.remote import PORT, outpost
from migration_gate.postgres.server import DATABASE_PREFIX, Server
from migration_gate.postgres.socket_proxy import Target
from migration_gate.postgres.supervisor_client import Lifeline

SCHEME = re.compile(r"postgres(?:ql)?(?:\+\w+)?://")
LOCAL_FOLDERS = ("/var/run/postgresql", "/tmp")  # noqa: S108 -- where servers put their sockets by default

NEEDS = "SELECT rolcreatedb OR rolsuper, rolsuper FROM pg_roles WHERE rolname = current_user"


@dataclass(frozen=True, slots=True)
class Address:
    """A server of the user's, taken apart."""

    conninfo: str
    """with the password"""
    shown: str
    """without it"""
    host: str
    port: int
    user: str
    password: str
    database: str
    parameters: Mapping[str, str]


class UnknownProcess:
    """A server that we only know through its connections."""

    def exit_reason(self) -> str:
        """Nothing is known without connecting."""
        return ""

    def log_tail(self, lines: int) -> str:
        """Its log is not ours to read."""
        del lines
        return ""


def parse(url: str) -> Address:
    """Take a URL apart, SQLAlchemy's spelling (`postgresql+psycopg2://`) included. Raises Misconfigured."""
    import psycopg  # noqa: PLC0415
    from psycopg import conninfo  # noqa: PLC0415

    try:
        found = conninfo.conninfo_to_dict(SCHEME.sub("postgresql://", url, count=1))
    except psycopg.ProgrammingError as error:
        raise Misconfigured(
            f"`postgres:` should be a URL like postgresql://user:password@host:5432; "
            f"found {hide(url)}: {error}",
            advice="Write special letters of the password as %XX (@ is %40, / is %2F).",
        ) from error
    values = {name: str(value) for name, value in found.items() if value is not None}
    for name in ("service", "hostaddr"):
        if name in values:
            raise Misconfigured(
                f"`postgres:` should name its host in the URL; found `{name}` in {hide(url)}",
                advice="Write postgresql://user:password@host:port/database.",
            )
    host = values.get("host") or next((f for f in LOCAL_FOLDERS if Path(f).is_dir()), "localhost")
    port = values.get("port") or "5432"
    if "," in host or not port.isdigit():
        raise Misconfigured(
            f"`postgres:` should name one host and one port; found {hide(url)}",
            advice="Name the server to be used; the gate needs one that can be written to.",
        )
    values |= {"host": host, "port": port, "user": values.get("user") or getpass.getuser()}
    values |= {"dbname": values.get("dbname") or "postgres"}
    return Address(
        conninfo=conninfo.make_conninfo(**values),
        shown=hide(url),
        host=host,
        port=int(port),
        user=values["user"],
        password=values.get("password", ""),
        database=values["dbname"],
        parameters=values,
    )


def hide(url: str) -> str:
    """The URL without its password, for people."""
    without = re.sub(r"(//[^:/?#@]*):.*@", r"\1:…@", url, count=1)
    return re.sub(r"(password=)[^&]*", r"\1…", without)


def target(address: Address) -> Target:
    """Where the relay is to lead, and with which TLS. Raises Misconfigured where its files can't be read."""
    given = address.parameters
    mode = given.get("sslmode", "prefer")
    root = given.get("sslrootcert", "")
    if mode.startswith("verify") and not root:
        root = str(Path.home() / ".postgresql/root.crt")
    found = Target(address.host, address.port, mode, root, given.get("sslcert", ""), given.get("sslkey", ""))
    try:
        found.context()
    except OSError as error:
        raise Misconfigured(
            f"`postgres:` asks for sslmode={mode} with certificates; found that they can't be read: {error}",
            advice="Name readable files in sslrootcert, sslcert and sslkey, or use sslmode=require.",
        ) from error
    return found


@contextmanager
def start(url: str, *, folder: Path, why: str) -> Iterator[Server]:
    """The user's server, behind a socket of ours. Raises Misconfigured or PostgresNotFound."""
    address = parse(url)
    leads_to = target(address)
    prefix = f"{DATABASE_PREFIX}{secrets.token_hex(6)}_"
    version, superuser = examine(address)
    with outpost(folder) as post:
        post.open(leads_to)
        post.lifeline.farewell(*remote_cleanup.order(conninfo=address.conninfo, prefix=prefix))
        with dropping(address, prefix, post.lifeline):
            yield Server(
                socket_directory=str(post.directory),
                port=PORT,
                user=address.user,
                password=address.password,
                database=address.database,
                token="",
                version=version,
                superuser=superuser,
                description=f"your server, PostgreSQL {readable(version)} ({address.shown})",
                reason=why,
                notes=tuple(notes(superuser)),
                log=None,
                process=UnknownProcess(),
                database_prefix=prefix,
            )


@contextmanager
def dropping(address: Address, prefix: str, lifeline: Lifeline) -> Iterator[None]:
    """Drop our databases at the end. Raises PostgresNotFound, naming them, where that failed."""
    import psycopg  # noqa: PLC0415

    finished = False
    try:
        yield
        finished = True
    finally:
        try:
            remote_cleanup.drop_databases(address.conninfo, prefix)
            lifeline.farewell((), "")
        except psycopg.Error as error:
            if finished:  # else the first error matters more; the guard tries once again
                raise PostgresNotFound(
                    f"the databases of this run should be dropped from {address.shown}; found {error}",
                    advice=f"Drop the databases whose names start with {prefix} by hand.",
                ) from error


def examine(address: Address) -> tuple[int, bool]:
    """server_version_num, and whether we are superuser there. Raises PostgresNotFound, in libpq's words."""
    import psycopg  # noqa: PLC0415

    try:
        with psycopg.connect(address.conninfo, autocommit=True, connect_timeout=10) as connection:
            found = connection.execute(NEEDS).fetchone()
            version = connection.info.server_version
    except psycopg.Error as error:
        raise PostgresNotFound(
            f"a connection to {address.shown} was wanted; found: {str(error).strip()}",
            advice="Check host, port, user, password and sslmode of `postgres:`, and that the server is up.",
        ) from error
    may_create, superuser = found or (False, False)
    if not may_create:
        raise PostgresNotFound(
            f"user {address.user} should have the right to create databases on {address.shown}; found: no",
            advice=f'As a superuser there, run: ALTER ROLE "{address.user}" CREATEDB;',
        )
    return version, bool(superuser)


def notes(superuser: bool) -> Iterator[str]:
    """What to know about a server that is not ours."""
    yield "the project's code is given the password of this server, as it stands in the URL"
    if not superuser:
        yield "the user is not a superuser there: migrations that need one (many extensions do) will fail"


def readable(version: int) -> str:
    """150018 as 15.18."""
    return f"{version // 10000}.{version % 10000}"
