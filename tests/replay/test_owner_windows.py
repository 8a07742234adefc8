"""Whether other sessions saw a table between two revisions is told by the transactions that were run."""

from __future__ import annotations

import pytest

from migration_gate.check import Severity
from migration_gate.checks import nullable_owner, uncascaded_owner
from migration_gate.facts import Base, Facts
from tests.support.project_files import write_files
from tests.support.replay_engine import Engine
from tests.support.user_project import ENV, project, revision

pytestmark = pytest.mark.slow
USERS = 'op.execute("CREATE TABLE users (id serial PRIMARY KEY); CREATE TABLE item (id int)")'
ADD = (
    'op.add_column("item", sa.Column("owner_id", sa.Integer, sa.ForeignKey("users.id", ondelete="CASCADE")))'
)
FORBID = 'op.alter_column("item", "owner_id", nullable=False)'
PAGE = 'op.execute("CREATE TABLE page (n int REFERENCES item (id))")'
EACH_BY_ITSELF = ENV.replace("target_metadata=", "transaction_per_migration=True, target_metadata=")
AUTOCOMMIT = f"with context.get_context().autocommit_block():\n    op.execute('SELECT 1')\n{FORBID}"


@pytest.mark.parametrize(
    ("environment", "forbid", "severity"),
    [
        pytest.param(ENV, FORBID, Severity.NOTE, id="one transaction for both"),
        pytest.param(EACH_BY_ITSELF, FORBID, Severity.WARNING, id="one for each"),
        pytest.param(ENV, AUTOCOMMIT, Severity.WARNING, id="a block that commits what was before it"),
    ],
)
def test_a_window_is_a_warning_if_it_was_committed(
    engine: Engine, environment: str, forbid: str, severity: Severity
) -> None:
    files = project(
        env_py=environment,
        one_py=revision("one", None, USERS),
        two_py=revision("two", "one", ADD),
        **{"migrations/versions/three.py": revision("three", "two", forbid)},
    )
    folder = write_files(engine.folder(), files)
    changed = tuple(str(folder / f"migrations/versions/{name}.py") for name in ("two", "three"))
    replay = engine.run(folder, changed=changed).replay
    base = Base("c0ffee", "the base", failure="it does not import")
    (finding,) = nullable_owner.check(Facts(replay=replay, base=base))
    assert finding.message == "`item.owner_id` accepted NULL between the revisions `two` and `three`"
    assert finding.severity == severity
    assert finding.location is not None
    assert finding.location.file == "migrations/versions/two.py"


def test_a_key_further_down_is_found_at_the_revision_that_made_it(engine: Engine) -> None:
    users = USERS.replace("(id int)", "(id int primary key)")
    files = project(
        one_py=revision("one", None, f"{users}\n{ADD}\n{FORBID}"),
        two_py=revision("two", "one", PAGE),
    )
    folder = write_files(engine.folder(), files)
    replay = engine.run(folder).replay
    (finding,) = uncascaded_owner.check(Facts(replay=replay))
    assert finding.kind == "blocked"
    assert (finding.object, finding.revision) == ("page.n", "two")
    assert finding.message == (
        "`page.n` stops the deletion of an owner of `item`: its foreign key says ON DELETE NO ACTION"
    )
    assert "violates foreign key constraint" in finding.evidence[-1].text
    assert 'ondelete="CASCADE"' in finding.fix
