"""Removes what is not on this machine when we were killed before we could: run by the guard, as a script.

Its standard input is a JSON object: {"conninfo", "prefix"} drops the databases whose names start with the
prefix, {"container"} removes a container.
"""

from __future__ import annotations

import json
import os
import sys


def order(**what: str) -> tuple[list[str], str]:
    """The command and its standard input, for the guard."""
    return [sys.executable, "-P", __file__], json.dumps(what)


def drop_databases(conninfo: str, prefix: str) -> None:
    """Drop every database of that prefix, connections to it or not. Raises psycopg's errors."""
    import psycopg  # noqa: PLC0415
    from psycopg import sql  # noqa: PLC0415

    with psycopg.connect(conninfo, autocommit=True, connect_timeout=20) as connection:
        found = connection.execute("SELECT datname FROM pg_database WHERE starts_with(datname, %s)", [prefix])
        for (name,) in found.fetchall():
            command = "DROP DATABASE IF EXISTS {} WITH (FORCE)"
            if connection.info.server_version < 130000:
                connection.execute(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", [name]
                )
                command = "DROP DATABASE IF EXISTS {}"
            connection.execute(sql.SQL(command).format(sql.Identifier(name)))


def remove_container(container: str) -> None:
    """Remove it with its volumes, if it is still there."""
    import docker  # noqa: PLC0415

    client = docker.from_env(timeout=20)
    try:
        client.containers.get(container).remove(force=True, v=True)
    except docker.errors.NotFound:
        return
    finally:
        client.close()


def main() -> None:
    """Do what standard input says."""
    what = json.load(sys.stdin)
    for name in [name for name in os.environ if name.startswith("PG")]:
        del os.environ[name]
    if "container" in what:
        remove_container(what["container"])
    else:
        drop_databases(what["conninfo"], what["prefix"])


if __name__ == "__main__":
    main()
