"""Runs pytest with a rival's plugin in one project after the other: a script for the rivals' environment.

Each line of the input names a project; the answer is a line with the tests that failed. Each run is a process
of its own, a fork of this one: what takes most of the time of a run by hand are the imports.
"""

from __future__ import annotations

import importlib
import json
import os
import sys

PRELOADED = (
    "alembic.command",
    "alembic.autogenerate",
    "alembic.operations.ops",
    "psycopg",
    "psycopg2",
    "pytest_alembic.plugin.plugin",
    "pytest_alembic.tests.experimental",
    "pytest_mrt",
    "sqlalchemy.dialects.postgresql.psycopg",
    "sqlalchemy.dialects.postgresql.psycopg2",
)


def run_pytest(job: dict[str, object], answer: int) -> None:
    """Write the status of pytest and the names of the failed tests to the descriptor."""
    import pytest  # noqa: PLC0415 - not before the other modules

    class Collector:
        """Takes the names of tests, for each phase that failed."""

        def __init__(self) -> None:
            self.failed: set[str] = set()

        def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
            """Called by pytest."""
            if report.failed:
                self.failed.add(report.nodeid.rpartition("::")[2])

    os.chdir(str(job["project"]))
    os.environ["BENCHMARK_URL"] = str(job["url"])
    silence = os.open(os.devnull, os.O_WRONLY)
    os.dup2(silence, 1)
    os.dup2(silence, 2)
    collector = Collector()
    arguments = job["arguments"]
    assert isinstance(arguments, list)
    status = int(pytest.main([str(argument) for argument in arguments], plugins=[collector]))
    os.write(answer, json.dumps({"status": status, "failed": sorted(collector.failed)}).encode())


def serve() -> None:
    """Run the jobs of the input."""
    for name in PRELOADED:
        importlib.import_module(name)
    for line in sys.stdin:
        read_end, write_end = os.pipe()
        child = os.fork()
        if child == 0:
            try:
                run_pytest(json.loads(line), write_end)
            finally:
                os._exit(0)
        os.close(write_end)
        with os.fdopen(read_end) as answer:
            print(answer.read() or '{"status": -1, "failed": []}', flush=True)
        os.waitpid(child, 0)


if __name__ == "__main__":
    serve()
