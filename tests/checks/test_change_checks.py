"""The checks of a change against its base: edited, deleted, moved, reused, stale and squashed revisions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import pytest

from migration_gate import checks
from migration_gate.check import Finding, Severity, check_name
from migration_gate.drift.squash_proof import prove_squash
from migration_gate.facts import (
    Base,
    BranchTip,
    DdlCommand,
    Facts,
    History,
    Lineage,
    MissingParent,
    Replay,
    Revision,
    RevisionFile,
    Snapshot,
    Statement,
    Step,
)
from tests.support.fact_builders import join_tables, make_chain, make_history, make_revision, make_table

NAMES = (
    "stale-parent", "deleted-migration", "squash-differs", "edited-migration", "reparented-migration",
    "reused-revision-id", "several-heads", "broken-history",
)  # fmt: skip
CODE = 'from alembic import op\n\n\ndef upgrade():\n    op.execute("{}")\n\n\ndef downgrade():\n    pass\n'
TABLES = join_tables(make_table("users", "id integer NOT NULL"), make_table("notes", "id integer NOT NULL"))


def run(
    graph: History,
    sql: Mapping[str, Sequence[str | Statement]] | None = None,
    texts: Mapping[str, str] | None = None,
    *,
    catalog: Snapshot = TABLES,
    changed: tuple[str, ...] = (),
    ddl: tuple[DdlCommand, ...] = (),
) -> Replay:
    """A replay of the graph in which each revision ran these statements."""
    files = tuple(
        RevisionFile(
            revision.location.file,
            revision.id,
            revision.parents,
            text=(texts or {}).get(revision.id, CODE.format(revision.id)),
        )
        for revision in graph.revisions
    )
    steps = tuple(
        Step(
            number,
            revision.id,
            0.0,
            tuple(
                item if isinstance(item, Statement) else Statement(item, 0.0)
                for item in (sql or {}).get(revision.id, [f"SELECT '{revision.id}'"])
            ),
        )
        for number, revision in enumerate(graph.revisions, 1)
    )
    history = replace(graph, files=graph.files or files)
    return Replay(history=history, steps=steps, catalog=catalog, changed_files=changed, ddl_commands=ddl)


def find(before: Replay, now: Replay, **base: object) -> dict[str, list[Finding]]:
    """The findings of all checks of the history, by name."""
    state = replace(Base("f" * 40, "main", Facts("p", before)), **base)  # type: ignore[arg-type]
    facts = prove_squash(Facts("p", now, base=state))
    findings = {
        check_name(check): [*check.check(facts)] for check in checks.ALL if check_name(check) in NAMES
    }
    return {name: items for name, items in findings.items() if items}


def find_one(before: Replay, now: Replay, check: str, **base: object) -> Finding:
    findings = find(before, now, **base)
    assert [*findings] == [check], findings
    (finding,) = findings[check]
    return finding


# Nothing was done to old revisions


def test_new_revisions_at_the_head_are_no_finding() -> None:
    assert find(run(make_chain("a1", "b2")), run(make_chain("a1", "b2", "c3", "d4"))) == {}


def test_moved_files_are_no_finding() -> None:
    graph = make_chain("a1", "b2")
    moved = tuple(
        replace(item, location=replace(item.location, file=f"database/{item.id}.py"))
        for item in graph.revisions
    )
    assert find(run(graph), run(replace(graph, revisions=moved))) == {}


@pytest.mark.parametrize("lineage", [Lineage.OTHER])
def test_a_base_that_is_ahead_says_nothing_of_what_is_missing(lineage: Lineage) -> None:
    assert find(run(make_chain("a1", "b2")), run(make_chain("a1")), lineage=lineage) == {}


def test_a_base_whose_history_is_broken_says_nothing() -> None:
    broken = replace(make_chain("a1", "b2"), revisions=(), heads=())
    assert find(run(broken), run(make_chain("a1"))) == {}


def test_parents_in_a_circle_are_found_once() -> None:
    circle = make_history(make_revision("a1", "b2"), make_revision("b2", "a1"))
    findings = find(run(make_chain("a1", "b2")), run(circle))
    assert [*findings] == ["reparented-migration", "broken-history"] or "broken-history" in findings


# Deleted


def test_a_removed_head_is_an_error_that_names_the_file() -> None:
    finding = find_one(run(make_chain("a1", "b2")), run(make_chain("a1")), "deleted-migration")
    assert finding.object == "b2"
    assert "git checkout ffffffffffff -- migrations/versions/b2.py" in finding.fix


def test_a_removed_file_of_a_submodule_is_restored_from_its_own_commit() -> None:
    before, now = run(make_chain("a1", "b2")), run(make_chain("a1"))
    fix = find_one(before, now, "deleted-migration", submodules=("migrations",)).fix
    commit = f'"$(git rev-parse {"f" * 12}:migrations)"'
    assert f"git -C migrations checkout {commit} -- versions/b2.py" in fix
    other = find_one(before, now, "deleted-migration", submodules=("migra",)).fix
    assert f"git checkout {'f' * 12} -- migrations/versions/b2.py" in other


def test_revisions_that_follow_each_other_are_one_removal() -> None:
    finding = find_one(run(make_chain("a1", "b2", "c3")), run(make_chain("a1")), "deleted-migration")
    assert finding.object == "b2 c3"


def test_what_follows_a_removed_revision_is_no_move() -> None:
    finding = find_one(run(make_chain("a1", "b2", "c3")), run(make_chain("a1", "c3")), "deleted-migration")
    assert [item.label for item in finding.evidence] == ["removed", "followed by"]


def test_a_missing_parent_is_found_once() -> None:
    files = tuple(
        RevisionFile(f"migrations/versions/{name}.py", name, parents)
        for name, parents in (("a1", ()), ("c3", ("b2",)))
    )
    broken = History(files=files, missing_parents=(MissingParent("c3", "b2"),))
    find_one(run(make_chain("a1", "b2", "c3")), run(broken), "broken-history")


def test_a_file_with_another_id_is_one_finding() -> None:
    now = make_chain("a1", "x9")
    texts = {"x9": CODE.format("b2")}
    revisions = (now.revisions[0], replace(now.revisions[1], message="step b2"))
    before, after = run(make_chain("a1", "b2")), run(replace(now, revisions=revisions), texts=texts)
    assert "has the id `x9` now" in find_one(before, after, "deleted-migration").message


def test_an_earlier_state_of_the_same_branch_is_only_a_warning() -> None:
    before, now = run(make_chain("a1", "b2")), run(make_chain("a1"))
    finding = find_one(before, now, "deleted-migration", lineage=Lineage.SAME_BRANCH)
    assert finding.severity is Severity.WARNING


# Moved


def test_a_revision_that_was_inserted_is_named_with_what_never_runs() -> None:
    before = run(make_chain("a1", "b2"))
    now = run(make_history(make_revision("a1"), make_revision("n1", "a1"), make_revision("b2", "n1")))
    finding = find_one(before, now, "reparented-migration")
    assert finding.message == (
        "`b2` follows `n1`; at the base it followed `a1`. A database that is past it never runs `n1`"
    )


def test_a_dependency_that_was_added_is_a_move() -> None:
    before = make_chain("a1", "b2", "c3")
    revisions = (*before.revisions[:2], replace(before.revisions[2], depends_on=("a1",)))
    finding = find_one(run(before), run(replace(before, revisions=revisions)), "reparented-migration")
    assert "depends on `a1`; at the base it depended on nothing" in finding.message


# Reused


def test_another_revision_under_an_old_id_is_one_finding() -> None:
    before = make_chain("a1", "b2")
    other = replace(
        before.revisions[1], message="other", location=replace(before.revisions[1].location, file="o.py")
    )
    texts = {"b2": CODE.format("something wholly different")}
    now = run(replace(before, revisions=(before.revisions[0], other)), {"b2": ["DROP TABLE x"]}, texts)
    assert find_one(run(before), now, "reused-revision-id").object == "b2"


# Stale


def make_fork() -> History:
    return make_history(make_revision("a1"), make_revision("b2", "a1"), make_revision("n1", "a1"))


def test_a_new_line_beside_the_bases_head_is_stale_and_not_several_heads() -> None:
    finding = find_one(run(make_chain("a1", "b2")), run(make_fork()), "stale-parent")
    assert finding.object == "n1"
    assert 'down_revision = "b2"' in finding.fix


def test_no_command_is_promised_for_a_parent_that_is_computed() -> None:
    now = run(make_fork())
    assert "rebase --write" in find_one(run(make_chain("a1", "b2")), now, "stale-parent").fix
    files = tuple(replace(file, parents=()) if file.revision == "n1" else file for file in now.history.files)
    computed = replace(now, history=replace(now.history, files=files))
    finding = find_one(run(make_chain("a1", "b2")), computed, "stale-parent")
    assert 'down_revision = "b2"' in finding.fix
    assert "rebase --write" not in finding.fix


def test_two_new_lines_are_put_one_on_top_of_the_other() -> None:
    now = make_history(*make_fork().revisions, make_revision("p1", "a1"))
    findings = find(run(make_chain("a1", "b2")), run(now))
    assert [*findings] == ["stale-parent"]
    assert [item.message.partition(", and not ")[2] for item in findings["stale-parent"]] == [
        "`b2`, which is the head",
        "`n1`, which is the head",
    ]


def test_two_new_heads_on_the_bases_head_are_several_heads() -> None:
    now = make_history(make_revision("a1"), make_revision("n1", "a1"), make_revision("p1", "a1"))
    find_one(run(make_chain("a1")), run(now), "several-heads")


def test_several_heads_of_the_base_stay_the_same_when_one_of_them_is_followed() -> None:
    before = make_history(make_revision("a1"), make_revision("b2", "a1"), make_revision("c2", "a1"))
    older = next(item for item in checks.ALL if check_name(item) == "several-heads").check
    (old,) = older(Facts("p", run(before)))
    now = make_history(*before.revisions, make_revision("n1", "c2"))
    finding = find_one(run(before), run(now, changed=("n1.py", "migrations/versions/n1.py")), "several-heads")
    assert (finding.object, finding.message) == (old.object, old.message)
    assert [item.text.split()[0] for item in finding.evidence] == ["b2", "n1", "a1"]
    assert finding.corrections == ()
    assert "alembic merge" in finding.fix
    assert "down_revision" not in finding.fix
    third = make_history(*before.revisions, make_revision("n1", "a1"))
    assert find_one(run(before), run(third), "several-heads").object == "b2 c2 n1"


def test_a_line_with_a_label_of_its_own_is_not_stale() -> None:
    labelled = (*make_fork().revisions[:2], replace(make_fork().revisions[2], labels=("plugin",)))
    assert find(run(make_chain("a1", "b2")), run(make_history(*labelled))) == {}


def tip(*files: tuple[str, str, str]) -> BranchTip:
    return BranchTip(
        "origin/main", "e" * 40, tuple(RevisionFile(path, name, (parent,)) for path, name, parent in files)
    )


def test_heads_that_only_the_merge_makes_are_found_before_it() -> None:
    before, now = run(make_chain("a1")), run(make_chain("a1", "n1"))
    finding = find_one(before, now, "stale-parent", tip=tip(("migrations/versions/t1.py", "t1", "a1")))
    assert "origin/main has got `t1` since: after the merge there are two heads" in finding.message
    assert 'down_revision = "t1"' in finding.fix


def test_a_parent_that_the_tip_has_removed_is_missing_after_the_merge() -> None:
    before, now = run(make_chain("a1", "b2")), run(make_chain("a1", "b2", "n1"))
    removed = tuple(revision.location.file for revision in before.history.revisions)
    squashed = replace(tip(), files=(RevisionFile("s1.py", "s1"),), removed_files=removed)
    finding = find_one(before, now, "stale-parent", tip=squashed)
    assert finding.message == (
        "`n1` follows `b2`, which origin/main has removed since: after the merge no file has it"
    )
    assert 'down_revision = "s1"' in finding.fix
    reverted = replace(tip(), removed_files=removed[1:])
    assert 'down_revision = "a1"' in find_one(before, now, "stale-parent", tip=reverted).fix
    moved = replace(tip(("new/b2.py", "b2", "a1")), removed_files=removed[1:])
    assert find(before, now, tip=moved) == {}
    assert find(before, run(make_chain("a1", "b2")), tip=reverted) == {}


def test_a_branch_without_revisions_of_its_own_merges_cleanly() -> None:
    state = tip(("migrations/versions/t1.py", "t1", "a1"))
    assert find(run(make_chain("a1")), run(make_chain("a1")), tip=state) == {}


def test_what_the_tip_has_merged_itself_is_no_head() -> None:
    state = tip(("migrations/versions/t1.py", "t1", "a1"), ("migrations/versions/n1.py", "n1", "t1"))
    assert "stale-parent" not in find(run(make_chain("a1")), run(make_chain("a1", "n1")), tip=state)


def test_an_id_that_both_sides_gave_is_found_before_the_merge() -> None:
    state = tip(("migrations/versions/other.py", "n1", "a1"))
    finding = find_one(run(make_chain("a1")), run(make_chain("a1", "n1")), "reused-revision-id", tip=state)
    assert "after the merge two files have it" in finding.message


# Edited

UUIDS = ("3f2b8c1e-9d4a-4e6b-8f3a-1c2d3e4f5a6b", "91c0de7f-1a2b-4c3d-9e8f-7a6b5c4d3e2f")
LOOP = 'import uuid\nfrom alembic import op\n\n\ndef upgrade():\n    op.execute(f"INSERT {uuid.uuid4()}")\n'


def edit(
    old: Sequence[str | Statement],
    new: Sequence[str | Statement],
    old_text: str = "x = 1\n",
    new_text: str = "x = 1\n",
    *,
    changed: tuple[str, ...] = (),
) -> dict[str, list[Finding]]:
    """The findings where revision b2 of three ran `old` at the base, and runs `new`."""
    graph = make_chain("a1", "b2", "c3")
    before = run(graph, {"b2": old}, {"b2": old_text})
    return find(before, run(graph, {"b2": new}, {"b2": new_text}, changed=changed))


def test_other_sql_is_an_edit_that_shows_both() -> None:
    findings = edit(["ALTER TABLE a ADD b int"], ["ALTER TABLE a ADD b text"], "x = 1", "x = 2")
    (finding,) = findings.pop("edited-migration")
    assert findings == {}
    assert [item.text for item in finding.evidence] == ["ALTER TABLE a ADD b int", "ALTER TABLE a ADD b text"]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (["INSERT INTO a VALUES (1)"], ["INSERT INTO a VALUES (2)"]),
        (["UPDATE a SET b = 'x'"], ["UPDATE a SET b = 'y'"]),
        (['UPDATE "A" SET b = 1'], ['UPDATE "a" SET b = 1']),
        (["UPDATE a SET b = 'x'"], ["UPDATE a SET b = 'X'"]),
        (["A", "B"], ["B", "A"]),
        (["A", "B"], ["A"]),
        (["A"], ["A", "CREATE INDEX i ON a (b)"]),
        ([Statement("INSERT", 0, parameters="('admin',)")], [Statement("INSERT", 0, parameters="('root',)")]),
        ([Statement("INSERT", 0, parameters="{'n': 1}")], [Statement("INSERT", 0, parameters="{'n': 2}")]),
    ],
)
def test_values_order_and_number_of_statements_count(
    old: list[str | Statement], new: list[str | Statement]
) -> None:
    assert [*edit(old, new, "x = (1, 'x', 'admin')", "x = (2, 'y', 'root')")] == ["edited-migration"]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (["CREATE TABLE a (b int)"], ["CREATE  TABLE a (\n  b int -- a number\n);"]),
        (
            ["SELECT oid FROM pg_catalog.pg_class WHERE oid = 17"],
            ["SELECT oid FROM pg_catalog.pg_class WHERE oid = 18"],
        ),
        (["A", "SELECT version()"], ["A"]),
        (["alter table Users add b VARCHAR(9)"], ["ALTER TABLE users ADD b varchar(9)"]),
    ],
)
def test_layout_and_queries_of_the_catalog_do_not(old: list[str], new: list[str]) -> None:
    assert edit(old, new, "x = 1", "y = 2") == {}


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ([f"INSERT INTO a VALUES ('{UUIDS[0]}')"], [f"INSERT INTO a VALUES ('{UUIDS[1]}')"]),
        ([f"CREATE TABLE tmp_{UUIDS[0][:8]} ()"], [f"CREATE TABLE tmp_{UUIDS[1][:8]} ()"]),
        (["UPDATE a SET b = '2026-11-28 20:00:01.5'"], ["UPDATE a SET b = '2026-11-28T20:00:09'"]),
        (
            [Statement("INSERT", 0, parameters="(datetime.datetime(2026, 11, 28, 20, 0, 1, 5),)")],
            [Statement("INSERT", 0, parameters="(datetime.datetime(2026, 11, 28, 20, 0, 9, 7),)")],
        ),
        (
            [Statement("INSERT", 0, parameters=f"{{'id': UUID('{UUIDS[0]}')}}")],
            [Statement("INSERT", 0, parameters=f"{{'id': UUID('{UUIDS[1]}')}}")],
        ),
        (["ALTER DATABASE g_0123456789ab SET x = 1"], ["ALTER DATABASE g_ba9876543210 SET x = 1"]),
    ],
)
@pytest.mark.parametrize("text", ["x = 1", "x = 1  # a comment\ny = 2"])
def test_values_that_differ_in_each_run_are_no_edit(
    old: list[str | Statement], new: list[str | Statement], text: str
) -> None:
    assert edit(old, new, "x = 1", text) == {}
    assert edit(old, new, LOOP, LOOP, changed=("shop/uuid.py",)) == {}


def test_random_values_of_code_that_uses_a_generator_are_no_edit() -> None:
    new_text = LOOP.replace("upgrade():", "upgrade() -> None:\n    '''Now with words.'''")
    assert edit(["INSERT 17"], ["INSERT 93"], LOOP, new_text) == {}


def test_the_order_of_a_set_is_no_edit() -> None:
    assert edit(["INSERT (a, b)", "B"], ["B", "INSERT (b, a)"]) == {}


def test_an_id_that_is_written_in_the_file_is_an_edit() -> None:
    old, new = (f"INSERT INTO a VALUES ('{value}')" for value in UUIDS)
    assert [*edit([old], [new], f"x = '{UUIDS[0]}'", f"x = '{UUIDS[1]}'")] == ["edited-migration"]


def test_a_moment_that_is_written_in_the_file_is_an_edit() -> None:
    old, new = "2026-11-28 20:00:00", "2026-11-28 20:30:00"
    findings = edit([f"UPDATE a SET b = '{old}'"], [f"UPDATE a SET b = '{new}'"], f"x='{old}'", f"x='{new}'")
    assert [*findings] == ["edited-migration"]


def test_a_changed_helper_is_named_as_the_cause_of_all_that_import_it() -> None:
    text = "from migrations.helpers import create\n\n\ndef upgrade():\n    create()\n"
    graph = make_chain("a1", "b2", "c3")
    texts = {"a1": text, "b2": text}
    before = run(graph, {"a1": ["A"], "b2": ["B"]}, texts)
    now = run(graph, {"a1": ["A x"], "b2": ["B x"]}, texts, changed=("migrations/helpers.py", "README.md"))
    finding = find_one(before, now, "edited-migration")
    assert (finding.object, finding.kind) == ("migrations/helpers.py", "imported")
    assert "their own text is the same: `migrations/helpers.py` changed" in finding.message


def test_of_many_changed_files_of_a_package_none_is_called_the_cause() -> None:
    text = "from shop import api\n\n\ndef upgrade():\n    api.create()\n"
    changed = tuple(f"shop/part_{number}.py" for number in range(20))
    before = run(make_chain("a1", "b2"), {"a1": ["A"]}, {"a1": text})
    now = run(make_chain("a1", "b2"), {"a1": ["A x"]}, {"a1": text}, changed=changed)
    finding = find_one(before, now, "edited-migration")
    assert finding.object == "a1"
    assert "something did in the 20 changed files of what it imports (shop/part_0.py, " in finding.message
    assert finding.message.endswith("and 17 more)")


@pytest.mark.parametrize(
    ("text", "changed"),
    [
        ("from shop.models import Base", "src/shop/models.py"),
        ("from shop import models", "shop/models/__init__.py"),
        ("import shop.models as m", "shop/models.py"),
        ("from .helpers import create", "migrations/versions/helpers.py"),
        ("from .. import helpers", "migrations/helpers.py"),
        ("x = open('seed/rows.csv')", "db/seed/rows.csv"),
        ("from shop import api", "shop/models.py"),
    ],
)
def test_whatever_it_imports_or_names_may_be_the_cause(text: str, changed: str) -> None:
    findings = edit(["A 1"], ["B 2"], text, text, changed=(changed,))
    assert [item.object for item in findings["edited-migration"]] == [changed]


def test_a_difference_that_follows_from_an_earlier_one_is_not_named() -> None:
    graph = make_chain("a1", "b2", "c3")
    before = run(graph, {"a1": ["A"], "c3": ["FOR EACH a"]}, {"a1": "x = 1"})
    now = run(graph, {"a1": ["A", "B"], "c3": ["FOR EACH a", "FOR EACH b"]}, {"a1": "x = 2"})
    assert find_one(before, now, "edited-migration").object == "a1"


def test_something_unseen_that_changed_is_said_to_be_unknown() -> None:
    (finding,) = edit(["CREATE INDEX ix_a"], ["CREATE INDEX idx_a"])["edited-migration"]
    assert "a naming convention" in finding.message


def test_sql_past_sqlalchemy_is_seen_in_the_log_of_the_server() -> None:
    graph = make_chain("a1", "b2")
    command = DdlCommand(2, "CREATE TABLE", "table", "public.a", 1)
    before = run(graph, {"b2": []}, {"b2": "x = 1"}, ddl=(command,))
    other = replace(command, identity="public.b", oid=9)
    now = run(graph, {"b2": []}, {"b2": "x = 2"}, ddl=(other,))
    assert "leaves another catalog" in find_one(before, now, "edited-migration").message


# Squashed


def make_squash(catalog: Snapshot = TABLES, *more: Revision, **fields: object) -> Replay:
    graph = make_history(make_revision("s1"), *more)
    return replace(run(graph, catalog=catalog), **fields)  # type: ignore[arg-type]


def test_a_squash_with_the_same_catalog_is_a_note() -> None:
    finding = find_one(run(make_chain("a1", "b2", "c3")), make_squash(), "deleted-migration")
    assert finding.message == "The squash of 3 revisions into `s1` leaves the same catalog"
    assert (finding.severity, finding.kind) == (Severity.NOTE, "squash")
    assert "alembic stamp --purge s1" in finding.fix
    assert "one way" in finding.fix


def test_a_squash_with_another_catalog_is_an_error_object_by_object() -> None:
    other = join_tables(make_table("users", "id bigint NOT NULL"), make_table("extra", "id integer"))
    finding = find_one(run(make_chain("a1", "b2")), make_squash(other), "squash-differs")
    assert [item.label for item in finding.evidence] == ["table notes", "table extra", "column users.id"]
    assert finding.evidence[-1].text == "integer NOT NULL -> bigint NOT NULL"


def test_what_a_squash_lost_of_a_column_is_named_though_it_is_no_part_of_its_definition() -> None:
    (users,) = TABLES.tables[:1]
    (column,) = TABLES.columns_of(users)
    noted = replace(TABLES, columns=(replace(column, comment="the id"), *TABLES.columns[1:]))
    finding = find_one(run(make_chain("a1", "b2"), catalog=noted), make_squash(), "squash-differs")
    assert [item.text for item in finding.evidence] == ["comment 'the id' -> comment None"]


def test_the_order_of_columns_is_no_difference() -> None:
    before = run(make_chain("a1", "b2"), catalog=make_table("users", "id integer", "name text"))
    find_one(before, make_squash(make_table("users", "name text", "id integer")), "deleted-migration")


def test_a_squash_under_the_last_old_id_needs_no_stamp() -> None:
    graph = make_history(replace(make_revision("c3"), message="squashed"))
    now = run(graph, {"c3": ["CREATE ALL"]}, {"c3": CODE.format("all")})
    finding = find_one(run(make_chain("a1", "b2", "c3")), now, "deleted-migration")
    assert "squash of 3 revisions" in finding.message
    assert "on `c3` or later needs nothing" in finding.fix


def test_newer_revisions_may_stay_on_top_of_a_squash() -> None:
    graph = make_history(make_revision("s1"), make_revision("c3", "s1"))
    finding = find_one(run(make_chain("a1", "b2", "c3")), run(graph), "deleted-migration")
    assert "squash of 2 revisions" in finding.message


def test_a_new_revision_on_top_of_a_squash_is_compared_with_the_state_before_it() -> None:
    more = join_tables(TABLES, make_table("later", "id integer"))
    now = make_squash(more, make_revision("n1", "s1"))
    first, second = now.steps
    proved = replace(now, steps=(replace(first, after=TABLES), second))
    find_one(run(make_chain("a1", "b2")), proved, "deleted-migration")


def test_survivors_of_a_squash_are_compared_before_the_next_new_revision() -> None:
    more = join_tables(TABLES, make_table("later", "id integer"))
    graph = make_history(make_revision("s1"), make_revision("c3", "s1"), make_revision("n1", "c3"))
    command = DdlCommand(3, "CREATE TABLE", "table", "public.later", 1)
    now = run(graph, catalog=more, ddl=(command,))
    first, second, third = now.steps
    before = run(make_chain("a1", "b2", "c3"))
    assert find_one(before, now, "squash-differs").kind == "unproved"
    find_one(before, replace(now, steps=(first, second, replace(third, before=TABLES))), "deleted-migration")


def test_what_a_later_revision_alters_is_said_to_be_unknown() -> None:
    more = join_tables(TABLES, make_table("later", "id integer"))
    command = DdlCommand(2, "CREATE TABLE", "table", "public.later", 1)
    now = make_squash(more, make_revision("n1", "s1"), ddl_commands=(command,))
    finding = find_one(run(make_chain("a1", "b2")), now, "squash-differs")
    assert (finding.kind, "cannot be compared" in finding.message) == ("unproved", True)


def test_a_squash_of_a_base_that_could_not_be_examined_is_not_proved() -> None:
    base = run(make_chain("a1", "b2")).history
    finding = find_one(
        Replay(), make_squash(), "squash-differs", facts=None, text_history=base, failure="It broke."
    )
    assert finding.kind == "unproved"
