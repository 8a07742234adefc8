"""several-heads and broken-history, over graphs made by hand."""

from __future__ import annotations

from dataclasses import replace

from migration_gate.check import Evidence, Finding
from migration_gate.checks import broken_history, several_heads
from migration_gate.facts import Facts, Failure, History, Location, MissingParent, Replay, RevisionFile
from tests.support.fact_builders import chain, history, revision


def heads(graph: History) -> list[Finding]:
    return list(several_heads.check(Facts("p", Replay(history=graph))))


def breaks(graph: History) -> list[Finding]:
    return list(broken_history.check(Facts("p", Replay(history=graph))))


def forked(**labels: tuple[str, ...]) -> tuple[object, ...]:
    return (
        revision("a1"),
        revision("b2", "a1"),
        revision("c3", "b2", labels=labels.get("c3", ())),
        revision("d4", "b2"),
        revision("e5", "d4", labels=labels.get("e5", ())),
    )


def test_one_head_is_right() -> None:
    assert heads(chain("a1", "b2")) == []


def test_two_heads_are_named_with_their_fork_and_the_merge() -> None:
    (found,) = heads(history(*forked()))  # type: ignore[arg-type]
    assert found.object == "c3 e5"
    assert found.evidence == (
        Evidence("head", 'c3 "step c3" (migrations/versions/c3.py:12)'),
        Evidence("head", 'e5 "step e5" (migrations/versions/e5.py:12)'),
        Evidence("forked at", 'b2 "step b2" (migrations/versions/b2.py:12)'),
    )
    assert 'alembic merge -m "merge heads" c3 e5' in found.fix
    assert "migrations/versions/d4.py" in found.fix, "the first revision of the line is what moves"
    assert 'down_revision = "c3"' in found.fix


def test_heads_with_labels_of_their_own_are_meant() -> None:
    graph = history(*forked(c3=("expand",), e5=("contract",)))  # type: ignore[arg-type]
    assert heads(graph) == []


def test_a_label_that_both_heads_inherit_explains_nothing() -> None:
    graph = history(*forked(c3=("core",), e5=("core",)))  # type: ignore[arg-type]
    assert len(heads(graph)) == 1


def test_one_labelled_line_beside_the_main_line_is_meant() -> None:
    assert heads(history(*forked(c3=("plugin",)))) == []  # type: ignore[arg-type]


def test_heads_that_the_target_names_are_meant() -> None:
    assert heads(history(*forked(), target=("c3", "e5"))) == []  # type: ignore[arg-type]
    assert len(heads(history(*forked(), target=("c3",)))) == 1  # type: ignore[arg-type]


def test_a_hostile_revision_id_is_quoted_for_the_shell() -> None:
    graph = history(revision("a1"), revision("b2", "a1"), revision("c3; rm -rf ~", "a1"))
    (found,) = heads(graph)
    assert "b2 'c3; rm -rf ~'" in found.fix


def test_heads_of_unrelated_trees_are_the_business_of_broken_history() -> None:
    graph = history(revision("a1"), revision("b2"))
    assert heads(graph) == []
    (found,) = breaks(graph)
    assert "unrelated first revisions" in found.message


def test_unrelated_trees_in_folders_of_their_own_are_meant() -> None:
    graph = history(revision("a1"), revision("b2"))
    assert breaks(replace(graph, locations=("core/versions", "billing/versions"))) == []


def test_unrelated_trees_with_labels_are_meant() -> None:
    graph = history(revision("a1", labels=("core",)), revision("b2", labels=("billing",)))
    assert breaks(graph) == []


def test_trees_that_depend_on_one_another_are_related() -> None:
    graph = history(revision("a1"), replace(revision("b2"), depends_on=("a1",)))
    assert breaks(graph) == []


def test_a_straight_line_is_whole() -> None:
    assert breaks(chain("a1", "b2", "c3")) == []


def test_a_missing_parent_is_named_once_with_the_likely_one() -> None:
    graph = history(revision("3f2a9c11"), revision("b2", "3f2a9c1l"))
    files = (RevisionFile("v/3f2a9c11.py", "3f2a9c11"), RevisionFile("v/b2.py", "b2", ("3f2a9c1l",)))
    found = breaks(
        replace(graph, missing_parents=(MissingParent("b2", "3f2a9c1l"),), files=files, locations=("v", "w"))
    )
    assert [finding.object for finding in found] == ["b2 3f2a9c1l"]
    assert "Did you mean `3f2a9c11`?" in found[0].fix
    assert found[0].location == Location("migrations/versions/b2.py", 12)


def test_a_missing_parent_is_found_in_the_files_when_alembic_gave_up() -> None:
    files = (RevisionFile("v/b2.py", "b2", ("zzz",), line=5),)
    graph = History(files=files, error=Failure("KeyError: 'zzz'", "KeyError"))
    (found,) = breaks(graph)
    assert found.message == "`b2` depends on `zzz`, and no file has that revision"
    assert found.location == Location("v/b2.py", 5)


def test_one_id_in_two_files_is_found() -> None:
    files = (RevisionFile("v/a.py", "a1"), RevisionFile("v/b.py", "a1"))
    (found,) = breaks(replace(chain("a1"), files=files))
    assert found.object == "a1"
    assert [piece.text for piece in found.evidence] == ["v/a.py", "v/b.py"]


def test_a_circle_is_found_without_alembic() -> None:
    files = (
        RevisionFile("v/a.py", "a1", ("c3",)),
        RevisionFile("v/b.py", "b2", ("a1",)),
        RevisionFile("v/c.py", "c3", ("b2",)),
    )
    (found,) = breaks(History(files=files))
    assert found.object == "a1 b2 c3"
    assert "circle" in found.message


def test_a_long_history_is_no_circle_and_no_recursion() -> None:
    names = tuple(f"r{number}" for number in range(5000))
    assert breaks(chain(*names)) == []


def test_a_file_that_alembic_does_not_see_is_found() -> None:
    file = RevisionFile(
        "versions/old/a.py", "z9", ("y8",), is_loaded=False, not_loaded_because="a subfolder", line=8
    )
    (found,) = breaks(replace(chain("a1"), files=(file,), locations=("versions",)))
    assert found.message == "`versions/old/a.py` looks like a revision, and never runs (a subfolder)"
    assert found.revision == "z9"


def test_a_file_elsewhere_belongs_to_the_history_that_it_stands_on() -> None:
    seen = RevisionFile("versions/a.py", "a1")
    later = RevisionFile("2024/expand/b.py", "b2", ("a1",), is_loaded=False)
    latest = RevisionFile("2025/expand/c.py", "c3", ("b2",), is_loaded=False)
    graph = replace(chain("a1"), files=(latest, seen, later), locations=("versions",))
    assert [found.object for found in breaks(graph)] == ["2025/expand/c.py", "2024/expand/b.py"]


def test_the_revisions_of_another_dialect_are_another_history() -> None:
    seen = RevisionFile("versions/postgresql/a.py", "a1")
    others = (
        RevisionFile("versions/sqlite/a.py", "s1", is_loaded=False),
        RevisionFile("versions/sqlite/b.py", "a1", ("s1",), is_loaded=False),
        RevisionFile("versions/sqlite/c.py", "s3", ("a1",), is_loaded=False),
    )
    graph = replace(chain("a1"), files=(seen, *others), locations=("versions/postgresql",))
    assert breaks(graph) == []


def test_a_syntax_error_is_said_once_in_its_own_words() -> None:
    file = RevisionFile("v/a.py", None, is_loaded=False, error="invalid syntax", line=3)
    graph = replace(chain("a1"), files=(file,), error=Failure("invalid syntax", "SyntaxError"))
    (found,) = breaks(graph)
    assert found.location == Location("v/a.py", 3)
    assert found.message == "`v/a.py` is no valid Python: invalid syntax"


def test_a_parent_that_may_stand_in_an_unreadable_file_is_not_missed() -> None:
    files = (RevisionFile("v/a.py", None, error="invalid syntax"), RevisionFile("v/b.py", "b2", ("a1",)))
    graph = History(
        files=files,
        error=Failure("invalid syntax", "SyntaxError"),
        missing_parents=(MissingParent("b2", "a1"),),
    )
    assert [finding.object for finding in breaks(graph)] == ["v/a.py"]


def test_trees_are_not_called_unrelated_where_labels_are_not_known() -> None:
    files = (RevisionFile("v/a.py", "a1"), RevisionFile("v/b.py", "b2"))
    (found,) = breaks(History(files=files, error=Failure("no", "CommandError")))
    assert found.object == "history"


def test_alembics_own_words_serve_where_nothing_else_explains_them() -> None:
    (found,) = breaks(History(error=Failure("No 'script_location' key", "CommandError")))
    assert found.message == "Alembic could not read the history: No 'script_location' key"
