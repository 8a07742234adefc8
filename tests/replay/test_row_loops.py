"""A loop in a revision's code that changes rows while a lock is held is seen in the rehearsal."""

from __future__ import annotations

import pytest

from migration_gate.checks import work_under_lock
from migration_gate.facts import Facts
from tests.replay.test_rollback import write_project
from tests.support.project_files import revision_text
from tests.support.replay_engine import Engine

pytestmark = pytest.mark.slow
BASE = 'op.execute("CREATE TABLE notes (id serial PRIMARY KEY, body text)")'
ADD = 'op.execute("ALTER TABLE notes ADD size int")'
PAGES = """
bind, last = op.get_bind(), 0
while True:
    page = bind.execute(sa.text("SELECT id FROM notes WHERE id > :n ORDER BY id LIMIT 5"), {"n": last}).all()
    if not page:
        break
    first, last = page[0][0], page[-1][0]
    bind.execute(sa.text("UPDATE notes SET body = '' WHERE id BETWEEN :a AND :b"), {"a": first, "b": last})
"""
LITERALS = """
for number, in op.get_bind().execute(sa.text("SELECT id FROM notes LIMIT 1000")).all():
    op.execute(f"UPDATE notes SET body = 'a{number}' WHERE id = {number}")
"""
ONE_ROW = """
number = op.get_bind().execute(sa.text("SELECT min(id) FROM notes LIMIT 1")).scalar()
if number is not None:
    op.execute(f"UPDATE notes SET body = 'first' WHERE id = {number}")
"""


def in_block(code: str) -> str:
    lines = code.strip("\n").splitlines()
    return "with op.get_context().autocommit_block():\n" + "\n".join(f"    {line}" for line in lines)


def test_a_loop_under_a_lock_is_told_and_one_row_or_a_loop_without_it_is_not(engine: Engine) -> None:
    bodies = {
        "before": PAGES + ADD.replace("size", "height"),
        "pages": ADD + PAGES,
        "literals": ADD.replace("size", "length") + LITERALS,
        "one row": ADD.replace("size", "width") + ONE_ROW,
        "in a block": ADD.replace("size", "depth") + "\n" + in_block(PAGES),
    }
    texts = [revision_text("0", None, BASE)]
    texts += [revision_text(str(n), str(n - 1), body) for n, body in enumerate(bodies.values(), start=1)]
    folder = write_project(engine.folder(), *texts)
    new = tuple(f"migrations/versions/{number:02}.py" for number in range(2, len(texts) + 1))
    changed = tuple(str(folder.resolve() / path) for path in new)
    replay = engine.run(folder, changed=changed, new_files=new, rollback="off").replay
    assert replay.failure is None
    assert [item.revision for item in replay.rehearsal.revisions] == ["1", "2", "3", "4", "5"]
    findings = list(work_under_lock.check(Facts(replay=replay)))
    names = list(bodies)
    told = [(names[int(finding.revision or 0) - 1], finding.kind) for finding in findings]
    assert told == [("pages", "loop"), ("literals", "loop")]
    assert findings[0].message.startswith(
        "`notes` is locked since an earlier statement while a loop goes through the rows of `notes`"
    )
    assert [finding.location.line for finding in findings if finding.location] == [19, 14]
