"""Databases on a server that the user runs, named by a URL. The gate makes and drops its own, no others."""

from __future__ import annotations

import getpass
import re
import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from migration_gate.config.settings_text import hide_password
from migration_gate.errors import Misconfigured, PostgresNotFound
from migration_gate.postgres.remote import GATE_PORT, PORT, open_remote_access
from migration_gate.postgres.remote_cleanup import cleanup_of_databases, drop_databases
from migration_gate.postgres.server import DATABASE_PREFIX, Server, format_version
from migration_gate.postgres.supervisor_client import SupervisorClient

if TYPE_CHECKING:
    from migration_gate.postgres.proxy_target import ProxyTarget

SCHEME = re.compile(r"postgres(?:ql)?(?:\+\w+)?://")
SOCKET_FOLDERS = ("/var/run/postgresql", "/tmp")  # noqa: S108 -- where servers put their sockets by default
REFUSED_PARAMETERS = ("service", "hostaddr")
"""they hide which server is meant"""
CONNECT_SECONDS = 10

RIGHTS = """
SELECT rolcreatedb OR rolsuper, rolsuper, (
    SELECT count(*)::int FROM pg_database
    WHERE datallowconn AND NOT datistemplate AND datname NOT IN ('postgres', current_database())
    AND left(datname, 15) <> 'migration_gate_' AND has_database_privilege(oid, 'CONNECT')
) FROM pg_roles WHERE rolname = current_user
"""
"""the databases of a service container are `postgres`, the templates, and the one that the URL names"""


@dataclass(frozen=True, slots=True)
class ServerAddress:
    """The parts of a URL."""

    conninfo: str
    """for libpq, with the password"""
    shown: str
    """the URL without the password"""
    host: str
    port: int
    user: str
    password: str
    database: str
    parameters: Mapping[str, str]
    """all of libpq's, with those above"""


@dataclass(frozen=True, slots=True)
class ServerRights:
    """What the user may do on a server."""

    version: int
    """server_version_num"""
    superuser: bool
    other_databases: int
    """how many that are not the gate's it may connect to"""


class UnknownProcess:
    """A server that is only known through its connections."""

    def exit_reason(self) -> str:
        """Nothing is known without connecting."""
        return ""

    def log_tail(self, lines: int) -> str:
        """Its log cannot be read."""
        del lines
        return ""


@contextmanager
def start_url(url: str, *, folder: Path, reason: str) -> Iterator[Server]:
    """The user's server, behind a socket of this run. Raises Misconfigured or PostgresNotFound."""
    address = parse_url(url)
    prefix = f"{DATABASE_PREFIX}{secrets.token_hex(6)}_"
    target = proxy_target(address)
    rights = check_rights(address)
    with open_remote_access(folder) as access:
        log = str(access.session_log)
        access.start_proxy(replace(target, database_prefix=prefix, session_log=log))
        access.supervisor.set_final_cleanup(cleanup_of_databases(address.conninfo, prefix))
        with _dropping_databases(address, prefix, access.supervisor):
            yield Server(
                socket_directory=str(access.socket_directory),
                port=PORT,
                user=address.user,
                password=address.password,
                database=address.database,
                token="",
                version=rights.version,
                superuser=rights.superuser,
                description=f"your server, PostgreSQL {format_version(rights.version)} ({address.shown})",
                reason=reason,
                notes=tuple(_describe_limits(rights)),
                log=None,
                process=UnknownProcess(),
                database_prefix=prefix,
                gate_port=GATE_PORT,
                session_log=access.session_log,
            )


def parse_url(url: str) -> ServerAddress:
    """Take a URL apart, SQLAlchemy's spelling (`postgresql+psycopg2://`) included. Raises Misconfigured."""
    from psycopg import conninfo  # noqa: PLC0415

    values = _parse_parameters(url)
    for name in REFUSED_PARAMETERS:
        if name in values:
            raise Misconfigured(
                f"`postgres:` has to name its host in the URL, and has `{name}`: {hide_password(url)}.",
                advice="Write postgresql://user:password@host:port/database.",
            )
    values["host"] = values.get("host") or _default_host()
    values["port"] = values.get("port") or "5432"
    values["user"] = values.get("user") or getpass.getuser()
    values["dbname"] = values.get("dbname") or "postgres"
    if "," in values["host"] or not values["port"].isdigit():
        raise Misconfigured(
            f"`postgres:` has to name one host and one port: {hide_password(url)}.",
            advice="Name the server to be used; the gate needs one that can be written to.",
        )
    return ServerAddress(
        conninfo=conninfo.make_conninfo(**values),
        shown=hide_password(url),
        host=values["host"],
        port=int(values["port"]),
        user=values["user"],
        password=values.get("password", ""),
        database=values["dbname"],
        parameters=values,
    )


def _parse_parameters(url: str) -> dict[str, str]:
    """The parameters of libpq that the URL sets."""
    import psycopg  # noqa: PLC0415
    from psycopg import conninfo  # noqa: PLC0415

    try:
        parameters = conninfo.conninfo_to_dict(SCHEME.sub("postgresql://", url, count=1))
    except psycopg.ProgrammingError as error:
        raise Misconfigured(
            f"`postgres:` has to be a URL like postgresql://user:password@host:5432. "
            f"{hide_password(url)} is none: {error}",
            advice="Write special letters of the password as %XX (@ is %40, / is %2F).",
        ) from error
    return {name: str(value) for name, value in parameters.items() if value is not None}


def _default_host() -> str:
    """The folder of local servers' sockets, else localhost."""
    return next((folder for folder in SOCKET_FOLDERS if Path(folder).is_dir()), "localhost")


def proxy_target(address: ServerAddress) -> ProxyTarget:
    """Where the proxy leads to, and with which TLS. Raises Misconfigured if its files can't be read."""
    from migration_gate.postgres.proxy_target import ProxyTarget  # noqa: PLC0415 - with TLS

    parameters = address.parameters
    sslmode = parameters.get("sslmode", "prefer")
    root_certificates = parameters.get("sslrootcert", "")
    if sslmode.startswith("verify") and not root_certificates:
        root_certificates = str(Path.home() / ".postgresql/root.crt")
    target = ProxyTarget(
        address.host,
        address.port,
        sslmode,
        root_certificates,
        certificate=parameters.get("sslcert", ""),
        key=parameters.get("sslkey", ""),
    )
    try:
        target.tls_context()
    except OSError as error:
        raise Misconfigured(
            f"`postgres:` asks for sslmode={sslmode}, and its certificates cannot be read: {error}.",
            advice="Name readable files in sslrootcert, sslcert and sslkey, or use sslmode=require.",
        ) from error
    return target


def check_rights(address: ServerAddress) -> ServerRights:
    """What the user may do there. Raises PostgresNotFound if that is not enough, or with libpq's error."""
    import psycopg  # noqa: PLC0415

    try:
        with psycopg.connect(
            address.conninfo, autocommit=True, connect_timeout=CONNECT_SECONDS
        ) as connection:
            row = connection.execute(RIGHTS).fetchone()
            version = connection.info.server_version
    except psycopg.Error as error:
        raise PostgresNotFound(
            f"{address.shown} cannot be connected to: {str(error).strip()}",
            advice="Check host, port, user, password and sslmode of `postgres:`, and that the server is up.",
        ) from error
    may_create_databases, superuser, other_databases = row or (False, False, 0)
    if not may_create_databases:
        raise PostgresNotFound(
            f"User {address.user} needs the right to create databases on {address.shown}, and has it not.",
            advice=f'As a superuser there, run: ALTER ROLE "{address.user}" CREATEDB;',
        )
    return ServerRights(version, bool(superuser), int(other_databases))


@contextmanager
def _dropping_databases(address: ServerAddress, prefix: str, supervisor: SupervisorClient) -> Iterator[None]:
    """Drop the run's databases at the end. Raises PostgresNotFound, naming them, if that failed."""
    import psycopg  # noqa: PLC0415

    succeeded = False
    try:
        yield
        succeeded = True
    finally:
        try:
            drop_databases(address.conninfo, prefix)
            supervisor.set_final_cleanup(None)
        except psycopg.Error as error:
            if succeeded:  # else the first error matters more; the supervisor tries once again
                raise PostgresNotFound(
                    f"The databases of this run could not be dropped from {address.shown}: {error}",
                    advice=f"Drop the databases whose names start with {prefix} by hand.",
                ) from error


def _describe_limits(rights: ServerRights) -> Iterator[str]:
    """What to know about a server that the gate did not start."""
    yield "the project's code is given the password of this server, as it stands in the URL"
    yield "roles, tablespaces and settings that it makes there stay: the gate drops its own databases alone"
    if rights.other_databases:
        yield _describe_other_databases(rights)
    if not rights.superuser:
        yield "the user is not a superuser there: migrations that need one (many extensions do) will fail"
        yield (
            "without a superuser no event trigger watches the migrations: a CREATE ... IF NOT EXISTS that "
            "found something else under its name is not seen, nor is DDL whose error PL/pgSQL caught"
        )


def _describe_other_databases(rights: ServerRights) -> str:
    """What keeps the project's code from them, and what to do."""
    count = rights.other_databases
    databases = "one other database" if count == 1 else f"{count} other databases"
    way = (
        "as a superuser's, a migration can reach them through the server (dblink, COPY … FROM PROGRAM)"
        if rights.superuser
        else "the gate refuses the project's code such connections, though not the server (postgres_fdw)"
    )
    return (
        f"the user may connect to {databases} of that server; {way}. Use a server that holds nothing else, "
        "or a role of its own that has CREATEDB alone, and REVOKE CONNECT ON DATABASE … FROM PUBLIC"
    )
