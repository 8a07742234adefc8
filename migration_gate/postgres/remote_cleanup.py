"""Removes databases and containers of a run whose gate was killed. Run as a script by the supervisor.

Its standard input is a JSON object: {"conninfo", "database_prefix"} drops the databases whose names start
with the prefix, {"container"} removes a container.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

if not __package__:  # started as a script: the gate's package may not be on the path
    sys.path.append(str(Path(__file__).parents[2]))

from migration_gate.postgres.database_removal import drop_database
from migration_gate.postgres.supervisor_protocol import FinalCleanup

CONNECT_SECONDS = 20
DOCKER_SECONDS = 20
LIST_DATABASES = "SELECT datname FROM pg_database WHERE starts_with(datname, %s)"


def cleanup_of_databases(conninfo: str, database_prefix: str) -> FinalCleanup:
    """The final clean-up that drops the databases of a run."""
    return _run_this_script({"conninfo": conninfo, "database_prefix": database_prefix})


def cleanup_of_container(container: str) -> FinalCleanup:
    """The final clean-up that removes a container, given by its id."""
    return _run_this_script({"container": container})


def _run_this_script(request: dict[str, str]) -> FinalCleanup:
    return FinalCleanup(command=[sys.executable, "-I", __file__], standard_input=json.dumps(request))


def drop_databases(conninfo: str, prefix: str) -> None:
    """Drop every database whose name starts with the prefix, in use or not. Raises psycopg's errors."""
    import psycopg  # noqa: PLC0415

    with psycopg.connect(conninfo, autocommit=True, connect_timeout=CONNECT_SECONDS) as connection:
        for (name,) in connection.execute(LIST_DATABASES, [prefix]).fetchall():
            drop_database(connection, name, connection.info.server_version)


def remove_container(container: str) -> None:
    """Remove it with its volumes, if it still exists. Raises docker's errors."""
    import docker  # noqa: PLC0415

    client = docker.from_env(timeout=DOCKER_SECONDS)
    try:
        client.containers.get(container).remove(force=True, v=True)
    except docker.errors.NotFound:
        return
    finally:
        client.close()


def main() -> None:
    """Do what standard input says."""
    request = json.load(sys.stdin)
    for name in [name for name in os.environ if name.startswith("PG")]:
        del os.environ[name]
    if "container" in request:
        remove_container(request["container"])
    else:
        drop_databases(request["conninfo"], request["database_prefix"])


if __name__ == "__main__":
    main()
