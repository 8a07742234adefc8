"""several-heads and broken-history, over graphs made by hand."""

from __future__ import annotations

from dataclasses import replace

import pytest

from migration_gate.check import Evidence, Finding
from migration_gate.checks import broken_history, several_heads
from migration_gate.facts import (
    Facts,
    Failure,
    FileDefect,
    History,
    Location,
    MissingParent,
    Replay,
    Revision,
    RevisionFile,
)
from tests.support.fact_builders import make_chain, make_history, make_revision


def check_heads(graph: History) -> list[Finding]:
    return list(several_heads.check(Facts("p", Replay(history=graph))))


def check_history(graph: History) -> list[Finding]:
    return list(broken_history.check(Facts("p", Replay(history=graph))))


def make_fork(**labels: tuple[str, ...]) -> tuple[Revision, ...]:
    return (
        make_revision("a1"),
        make_revision("b2", "a1"),
        make_revision("c3", "b2", labels=labels.get("c3", ())),
        make_revision("d4", "b2"),
        make_revision("e5", "d4", labels=labels.get("e5", ())),
    )


def test_one_head_is_no_finding() -> None:
    assert check_heads(make_chain("a1", "b2")) == []


def test_two_heads_are_named_with_their_fork_and_the_merge() -> None:
    (finding,) = check_heads(make_history(*make_fork()))
    assert finding.object == "c3 e5"
    assert finding.evidence == (
        Evidence("head", 'c3 "step c3" (migrations/versions/c3.py:12)'),
        Evidence("head", 'e5 "step e5" (migrations/versions/e5.py:12)'),
        Evidence("forked at", 'b2 "step b2" (migrations/versions/b2.py:12)'),
    )
    assert 'alembic merge -m "merge heads" c3 e5' in finding.fix
    assert "migrations/versions/d4.py" in finding.fix, "the first revision of the line is what moves"
    assert 'down_revision = "c3"' in finding.fix


def test_a_merge_that_is_put_on_top_keeps_its_other_parents() -> None:
    graph = make_history(
        make_revision("a1"), make_revision("n1", "a1"), make_revision("m1", "a1"),
        make_revision("m2", "m1"), make_revision("mm", "m1", "n1"),
    )  # fmt: skip
    (finding,) = check_heads(graph)
    assert 'down_revision = ("m2", "n1")' in finding.fix


def test_heads_with_branch_labels_of_their_own_are_no_finding() -> None:
    graph = make_history(*make_fork(c3=("expand",), e5=("contract",)))
    assert check_heads(graph) == []


def test_a_branch_label_that_both_heads_inherit_does_not_explain_them() -> None:
    graph = make_history(*make_fork(c3=("core",), e5=("core",)))
    assert len(check_heads(graph)) == 1


def test_one_labelled_line_beside_the_main_line_is_no_finding() -> None:
    assert check_heads(make_history(*make_fork(c3=("plugin",)))) == []


def test_heads_that_the_target_names_are_no_finding() -> None:
    assert check_heads(make_history(*make_fork(), target=("c3", "e5"))) == []
    assert len(check_heads(make_history(*make_fork(), target=("c3",)))) == 1


def test_a_hostile_revision_id_is_quoted_for_the_shell() -> None:
    graph = make_history(make_revision("a1"), make_revision("b2", "a1"), make_revision("c3; rm -rf ~", "a1"))
    (finding,) = check_heads(graph)
    assert "b2 'c3; rm -rf ~'" in finding.fix


def test_heads_of_unrelated_trees_are_reported_by_broken_history_only() -> None:
    graph = make_history(make_revision("a1"), make_revision("b2"))
    assert check_heads(graph) == []
    (finding,) = check_history(graph)
    assert "unrelated first revisions" in finding.message


def test_the_first_revision_that_the_change_adds_is_to_blame_for_a_second_tree() -> None:
    graph = make_history(make_revision("a1"), make_revision("b2"))
    file = graph.revisions[0].location.file
    (finding,) = broken_history.check(Facts("p", Replay(history=graph, changed_files=(file,))))
    assert (finding.revision, finding.location) == ("a1", graph.revisions[0].location)
    assert finding.fix.startswith("Give `a1` its `down_revision`")
    assert [location.file for location in finding.other_locations] == [graph.revisions[1].location.file]


def test_unrelated_trees_in_folders_of_their_own_are_no_finding() -> None:
    graph = make_history(make_revision("a1"), make_revision("b2"))
    assert check_history(replace(graph, locations=("core/versions", "billing/versions"))) == []


def test_unrelated_trees_with_branch_labels_are_no_finding() -> None:
    graph = make_history(make_revision("a1", labels=("core",)), make_revision("b2", labels=("billing",)))
    assert check_history(graph) == []


def test_trees_that_depend_on_one_another_are_related() -> None:
    graph = make_history(make_revision("a1"), replace(make_revision("b2"), depends_on=("a1",)))
    assert check_history(graph) == []


def test_a_straight_line_of_revisions_is_no_finding() -> None:
    assert check_history(make_chain("a1", "b2", "c3")) == []


def test_a_missing_parent_is_reported_once_with_the_id_that_was_probably_meant() -> None:
    graph = make_history(make_revision("3f2a9c11"), make_revision("b2", "3f2a9c1l"))
    files = (RevisionFile("v/3f2a9c11.py", "3f2a9c11"), RevisionFile("v/b2.py", "b2", ("3f2a9c1l",)))
    findings = check_history(
        replace(graph, missing_parents=(MissingParent("b2", "3f2a9c1l"),), files=files, locations=("v", "w"))
    )
    assert [finding.object for finding in findings] == ["b2 3f2a9c1l"]
    assert "Did you mean `3f2a9c11`?" in findings[0].fix
    assert findings[0].location == Location("migrations/versions/b2.py", 12)


def test_a_missing_parent_is_found_in_the_files_where_alembic_read_nothing() -> None:
    files = (RevisionFile("v/b2.py", "b2", ("zzz",), line=5, parents_line=6),)
    graph = History(files=files, error=Failure("KeyError: 'zzz'", "KeyError"))
    (finding,) = check_history(graph)
    assert finding.message == "`b2` depends on `zzz`, and no file has that revision"
    assert finding.location == Location("v/b2.py", 6)


def test_a_missing_parent_is_quoted_for_the_shell() -> None:
    files = (RevisionFile("v/b2.py", "b2", ("z; rm x",), line=5, parents_line=6),)
    (finding,) = check_history(History(files=files, error=Failure("KeyError", "KeyError")))
    assert "-S 'z; rm x'`" in finding.fix


def test_one_id_in_two_files_is_found() -> None:
    files = (RevisionFile("v/a.py", "a1"), RevisionFile("v/b.py", "a1"))
    (finding,) = check_history(replace(make_chain("a1"), files=files))
    assert finding.object == "a1"
    assert [piece.text for piece in finding.evidence] == ["v/a.py", "v/b.py"]


def make_files(*lines: str, loaded: bool = True) -> tuple[RevisionFile, ...]:
    """One file for each line: `path id parent`."""
    words = [line.split() for line in lines]
    return tuple(
        RevisionFile(path, revision, tuple(parents), is_loaded=loaded or "copy" not in path)
        for path, revision, *parents in words
    )


COPIES = {
    "of a head": (
        make_history(make_revision("a1"), make_revision("b2", "a1")),
        make_files("v/a.py a1", "v/b.py b2 a1", "v/b_copy.py b2 a1", loaded=False),
    ),
    "on its original": (History(), make_files("v/a.py a1", "v/b.py b2 a1", "v/c.py b2 b2")),
    "on a descendant": (History(), make_files("v/a.py a1", "v/b.py b2 a1", "v/c.py c3 b2", "v/d.py b2 c3")),
    "without a parent": (
        make_history(make_revision("a1"), make_revision("b2")),
        make_files("v/a.py a1", "v/b.py b2 a1", "v/copy.py b2", loaded=False),
    ),
    "on a branch": (
        make_history(make_revision("a1"), make_revision("c3", "a1"), make_revision("b2", "a1")),
        make_files("v/a.py a1", "v/b.py b2 a1", "v/c.py c3 a1", "v/copy.py b2 c3", loaded=False),
    ),
}


@pytest.mark.parametrize(("graph", "files"), COPIES.values(), ids=COPIES)
def test_a_copied_file_gives_its_own_finding_only(graph: History, files: tuple[RevisionFile, ...]) -> None:
    graph = replace(graph, files=files, locations=("v",))
    assert [finding.object for finding in check_history(graph)] == ["b2"]
    assert check_heads(graph) == []


def test_heads_that_a_copied_file_has_nothing_to_do_with_are_named() -> None:
    graph = make_history(*make_fork(), make_revision("f6", "b2"))
    files = make_files("v/f.py f6 b2", "v/f_copy.py f6 b2", loaded=False)
    (finding,) = check_heads(replace(graph, files=files))
    assert finding.object == "c3 e5"


def test_a_revision_that_is_its_own_parent_is_no_circle() -> None:
    (finding,) = check_history(History(files=make_files("v/a.py a1", "v/b.py b2 b2")))
    assert finding.message == "`b2` is its own parent"


def test_a_parent_in_other_case_is_probably_meant() -> None:
    graph = replace(History(files=make_files("v/a.py Ab", "v/b.py b2 ab")), error=Failure("KeyError: 'ab'"))
    (finding,) = check_history(graph)
    assert "Did you mean `Ab`?" in finding.fix


def test_a_circle_is_found_without_alembic() -> None:
    files = (
        RevisionFile("v/a.py", "a1", ("c3",)),
        RevisionFile("v/b.py", "b2", ("a1",)),
        RevisionFile("v/c.py", "c3", ("b2",)),
    )
    (finding,) = check_history(History(files=files))
    assert finding.object == "a1 b2 c3"
    assert "circle" in finding.message


def test_a_long_history_exceeds_no_recursion_limit() -> None:
    names = tuple(f"r{number}" for number in range(5000))
    assert check_history(make_chain(*names)) == []


def test_a_file_that_alembic_does_not_see_is_found() -> None:
    file = RevisionFile(
        "versions/old/a.py", "z9", ("y8",), is_loaded=False, not_loaded_because="a subfolder", line=8
    )
    (finding,) = check_history(replace(make_chain("a1"), files=(file,), locations=("versions",)))
    assert finding.message == "`versions/old/a.py` looks like a revision, and never runs (a subfolder)"
    assert finding.revision == "z9"


def test_a_file_elsewhere_belongs_to_the_history_of_its_parent() -> None:
    seen = RevisionFile("versions/a.py", "a1")
    later = RevisionFile("2024/expand/b.py", "b2", ("a1",), is_loaded=False)
    latest = RevisionFile("2025/expand/c.py", "c3", ("b2",), is_loaded=False)
    graph = replace(make_chain("a1"), files=(latest, seen, later), locations=("versions",))
    assert [finding.object for finding in check_history(graph)] == ["2025/expand/c.py", "2024/expand/b.py"]


def test_the_revisions_of_another_dialect_are_another_history() -> None:
    seen = RevisionFile("versions/postgresql/a.py", "a1")
    others = (
        RevisionFile("versions/sqlite/a.py", "s1", is_loaded=False),
        RevisionFile("versions/sqlite/b.py", "a1", ("s1",), is_loaded=False),
        RevisionFile("versions/sqlite/c.py", "s3", ("a1",), is_loaded=False),
    )
    graph = replace(make_chain("a1"), files=(seen, *others), locations=("versions/postgresql",))
    assert check_history(graph) == []


def test_a_syntax_error_is_reported_once() -> None:
    file = RevisionFile("v/a.py", None, is_loaded=False, error="invalid syntax", line=3)
    graph = replace(make_chain("a1"), files=(file,), error=Failure("invalid syntax", "SyntaxError"))
    (finding,) = check_history(graph)
    assert finding.location == Location("v/a.py", 3)
    assert finding.message == "`v/a.py` is no valid Python: invalid syntax"


@pytest.mark.parametrize(
    ("defect", "message", "fix"),
    [
        (FileDefect.ACCESS, "`v/a.py` cannot be read: Permission denied", "Make it readable"),
        (FileDefect.NESTING, "`v/a.py` cannot be parsed: Permission denied", "Shorten the expression"),
    ],
)
def test_what_is_no_error_of_syntax_is_not_called_one(defect: FileDefect, message: str, fix: str) -> None:
    file = RevisionFile("v/a.py", None, is_loaded=False, error="Permission denied", defect=defect)
    (finding,) = check_history(replace(make_chain("a1"), files=(file,)))
    assert finding.message == message
    assert finding.fix.startswith(fix)


def test_a_parent_that_may_be_in_an_unreadable_file_is_not_reported_as_missing() -> None:
    files = (RevisionFile("v/a.py", None, error="invalid syntax"), RevisionFile("v/b.py", "b2", ("a1",)))
    graph = History(
        files=files,
        error=Failure("invalid syntax", "SyntaxError"),
        missing_parents=(MissingParent("b2", "a1"),),
    )
    assert [finding.object for finding in check_history(graph)] == ["v/a.py"]


def test_trees_are_not_called_unrelated_where_labels_are_not_known() -> None:
    files = (RevisionFile("v/a.py", "a1"), RevisionFile("v/b.py", "b2"))
    (finding,) = check_history(History(files=files, error=Failure("no", "CommandError")))
    assert finding.object == "history"


def test_alembics_error_is_reported_where_no_defect_explains_it() -> None:
    (finding,) = check_history(History(error=Failure("No 'script_location' key", "CommandError")))
    assert finding.message == "Alembic could not read the history: No 'script_location' key"


def test_an_id_that_alembic_refuses_is_reported_at_its_file() -> None:
    error = Failure("Character(s) '-' not allowed in revision identifier 'add-age'", "CommandError")
    files = (RevisionFile("v/a1.py", "a1", line=3), RevisionFile("v/n.py", "add-age", ("a1",), line=9))
    (finding,) = check_history(History(error=error, files=files))
    assert (finding.revision, finding.location) == ("add-age", Location("v/n.py", 9))
