"""What fails in the gate's own code inside of the project's calls is never the project's failure."""

from __future__ import annotations

import pytest

from migration_gate.errors import Broken
from tests.support.alembic_projects import Rev, env, lay
from tests.support.replay_engine import Engine

pytestmark = pytest.mark.slow

ODD_ELEMENT = '''
class Odd(sa.schema.DDLElement):
    """A statement of the project's, one of whose attributes cannot be read."""

    @property
    def column(self):
        raise ValueError("not yet known")


@compiles(Odd)
def compile_odd(element, compiler, **keywords):
    return "CREATE TABLE odd (id int)"


op.execute(Odd())
'''
DAMAGED_CONNECTION = """
def refuse(*arguments):
    raise LookupError("no options today")


connection.get_execution_options = refuse
"""


def test_a_listener_that_fails_is_left_out_and_said(engine: Engine) -> None:
    body = "from sqlalchemy.ext.compiler import compiles\n" + ODD_ELEMENT
    ran = engine.run(lay(engine.folder(), [Rev("0001", body)]))
    assert (ran.replay.failure, ran.tables) == (None, ["odd"])
    (unchecked,) = ran.replay.unchecked
    assert unchecked.object == "the look for what revisions build from the models"
    assert "ValueError: not yet known (model_origins.py:" in unchecked.why
    assert "no fault of the project's" in unchecked.why


def test_what_the_run_cannot_do_without_ends_it_as_the_gates_own_failure(engine: Engine) -> None:
    env_py = env(before=DAMAGED_CONNECTION)
    with pytest.raises(Broken) as raised:
        engine.run(lay(engine.folder(), [Rev("0001", "pass")], env_py))
    assert raised.value.status == 3
    assert "Finding the place of the version table failed: LookupError: no options today" in str(raised.value)
    assert "The project is not to blame" in raised.value.advice


def test_env_py_cannot_hide_it(engine: Engine) -> None:
    env_py = env(before=DAMAGED_CONNECTION).replace(
        "run_online()\n", "try:\n        run_online()\n    except Exception:\n        pass\n"
    )
    with pytest.raises(Broken):
        engine.run(lay(engine.folder(), [Rev("0001", "pass")], env_py))
