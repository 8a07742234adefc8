"""What happens when the project's code writes to the pipe that is the worker's own."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from migration_gate.errors import AnswerCorrupted
from tests.support.alembic_projects import STANDARD, Rev, env, lay
from tests.support.release_tests import first_in_every_run
from tests.support.replay_engine import Engine

pytestmark = pytest.mark.slow
WRITER = """
import os
import stat


def write_to_every_pipe(data):
    for descriptor in range(3, 64):
        try:
            if stat.S_ISFIFO(os.fstat(descriptor).st_mode):
                os.write(descriptor, data)
        except OSError:
            pass
"""
"""a module of the project's that writes where it was given nothing"""
NOT_JSON = "a line of the worker's answer is not JSON"
WRITES = {
    "a line of text": (b"Loading settings...\n", NOT_JSON),
    "half a line": (b"Loading", NOT_JSON),
    "half a line of the protocol": (b'{"kind": "note", "te', NOT_JSON),
    "an empty line": (b"\n", NOT_JSON),
    "JSON of another kind": (b'{"level": "info", "kind": "log"}\n', "is of no kind that the worker writes"),
    "JSON that is no object": (b"[1, 2, 3]\n", "is of no kind that the worker writes"),
    "a line without its fields": (b'{"kind": "step_finished"}\n', "the field `number` is wrong"),
    "a line with a wrong type": (b'{"kind": "note", "text": 3}\n', "the field `text` is wrong"),
}


def after_the_standard_history(body: str) -> Sequence[Rev]:
    """The standard history, and a revision that does this."""
    return (*STANDARD, Rev("0006", body, "0005", imports="from writer import write_to_every_pipe"))


def lay_project(engine: Engine, env_py: str, revisions: Sequence[Rev]) -> Path:
    """A project with the module `writer` beside its migrations."""
    return lay(engine.folder(), revisions, env_py, files={"writer.py": WRITER})


def assert_is_reported(engine: Engine, folder: Path, problem: str) -> None:
    """The run ends with an error of the gate's, exit status 3."""
    with pytest.raises(AnswerCorrupted) as caught:
        engine.run(folder)
    assert caught.value.message.startswith("The project's code wrote on the gate's pipe: ")
    assert problem in caught.value.message
    assert caught.value.status == 3


@pytest.mark.parametrize("name", first_in_every_run(WRITES, 3))
def test_env_py_that_writes_on_the_pipe_is_an_error_of_the_gate(engine: Engine, name: str) -> None:
    data, problem = WRITES[name]
    env_py = env(imports="from writer import write_to_every_pipe", top=f"write_to_every_pipe({data!r})")
    assert_is_reported(engine, lay_project(engine, env_py, STANDARD), problem)


@pytest.mark.parametrize("name", first_in_every_run(reversed(WRITES), 3))
def test_a_migration_that_writes_on_the_pipe_is_an_error_of_the_gate(engine: Engine, name: str) -> None:
    data, problem = WRITES[name]
    revisions = after_the_standard_history(f"write_to_every_pipe({data!r})")
    assert_is_reported(engine, lay_project(engine, env(), revisions), problem)


def test_a_forked_child_of_a_migration_writes_nothing_on_the_pipe(engine: Engine) -> None:
    fork = """
    import os
    child = os.fork()
    if child == 0:
        try:
            op.execute("select 1")
        finally:
            os._exit(0)
    os.waitpid(child, 0)
    """
    ran = engine.run(lay_project(engine, env(), (*STANDARD, Rev("0006", fork, "0005"))))
    assert ran.replay.arrived_heads == ("0006",)


def test_half_a_line_of_an_interpreter_that_ended_is_a_failed_revision(engine: Engine) -> None:
    body = """
    import os
    write_to_every_pipe(b'{"kind": "note", "te')
    os._exit(7)
    """
    ran = engine.run(lay_project(engine, env(), after_the_standard_history(body)))
    assert ran.replay.failure is not None
    assert ran.replay.failure.revision == "0006"
    assert "ended with exit status 7 while revision 0006 ran" in ran.replay.failure.message
