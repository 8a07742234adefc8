"""The tree of a commit in a folder: all of it, as it is, and nothing outside of the folder."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from migration_gate.errors import RepositoryUnreadable
from migration_gate.git.git_command import find_repository_root
from migration_gate.git.tracked_files import list_tracked_files
from migration_gate.git.tree_export import export_revision
from tests.support.git_repositories import clone, commit, git, started

pytestmark = pytest.mark.slow  # each starts another program


def exported(folder: Path, into: Path, revision: str = "HEAD") -> Path:
    into.mkdir()
    export_revision(folder, revision, into)
    return into


def hashed(folder: Path, *arguments: str, text: str) -> str:
    """The id that git gives to what it reads."""
    command = ["git", *arguments]
    output = subprocess.run(command, cwd=folder, input=text, check=True, capture_output=True, text=True)
    return output.stdout.strip()


def test_what_attributes_leave_out_or_convert_is_there_as_it_was_committed(tmp_path: Path) -> None:
    attributes = "a.sql export-ignore\nb.txt eol=crlf\n*.py export-subst\n"
    files = {".gitattributes": attributes, "a.sql": "x", "b.txt": "1\n2\n", "c.py": "# $Format:%H$\n"}
    tree = exported(started(tmp_path / "a", files), tmp_path / "out")
    assert {path.name for path in tree.iterdir()} == {".git", *files}
    assert (tree / "b.txt").read_bytes() == b"1\n2\n"
    assert (tree / "c.py").read_text() == "# $Format:%H$\n"


def test_an_exported_tree_is_the_top_of_a_repository_which_knows_its_files(tmp_path: Path) -> None:
    tree = exported(started(tmp_path / "a", {"a.py": "", "b/c.py": ""}), tmp_path / "out")
    (tree / "untracked.py").touch()
    assert find_repository_root(tree / "b") == tree
    assert list_tracked_files(tree).paths == ("a.py", "b/c.py")
    assert list_tracked_files(tree / "b").paths == ("c.py",)
    assert list_tracked_files(tree).notes == ()


def test_links_and_programs_stay_what_they_are(tmp_path: Path) -> None:
    folder = started(tmp_path / "a", {"run.sh": "#!/bin/sh\n", "target/x.py": ""})
    (folder / "link").symlink_to("target")
    (folder / "run.sh").chmod(0o755)
    commit(folder, {})
    tree = exported(folder, tmp_path / "out")
    assert (tree / "link").readlink() == Path("target")
    assert os.access(tree / "run.sh", os.X_OK)


def test_nothing_is_written_through_a_link_of_the_tree(tmp_path: Path) -> None:
    """Git writes no such tree; a stranger may: the link `d` and the folder `d`."""
    outside = tmp_path / "outside"
    outside.mkdir()
    folder = started(tmp_path / "a", {"x": "content"})
    blob = git(folder, "rev-parse", "HEAD:x")
    inner = hashed(folder, "mktree", text=f"100644 blob {blob}\tfile\n")
    target = hashed(folder, "hash-object", "-w", "--stdin", text=str(outside))
    both = hashed(folder, "mktree", text=f"120000 blob {target}\td\n040000 tree {inner}\td\n")
    hostile = git(folder, "commit-tree", both, "-m", "hostile")
    exported(folder, tmp_path / "out", hostile)
    assert list(outside.iterdir()) == []


def test_a_submodule_is_there_as_of_the_commit_of_the_revision(tmp_path: Path) -> None:
    inner = started(tmp_path / "inner", {"models.py": "1"})
    folder = started(tmp_path / "a")
    git(folder, "-c", "protocol.file.allow=always", "submodule", "add", "-q", str(inner), "lib")
    old = commit(folder, {})
    assert (exported(folder, tmp_path / "same") / "lib").is_symlink()
    commit(folder / "lib", {"models.py": "2"})
    commit(folder, {})
    assert (exported(folder, tmp_path / "new") / "lib" / "models.py").read_text() == "2"
    assert (exported(folder, tmp_path / "old", old) / "lib" / "models.py").read_text() == "1"

    git(folder, "update-index", "--cacheinfo", f"160000,{'1' * 40},lib")
    git(folder, "commit", "-qm", "one that was not fetched")
    with pytest.raises(RepositoryUnreadable, match="`lib` stood at commit 111111111111 there") as caught:
        exported(folder, tmp_path / "unknown")
    assert "fetch-depth: 0" in caught.value.advice


def test_a_submodule_that_was_never_fetched_is_empty(tmp_path: Path) -> None:
    folder = started(tmp_path / "a")
    git(folder, "update-index", "--add", "--cacheinfo", f"160000,{'1' * 40},lib")
    git(folder, "commit", "-qm", "x")
    (folder / "lib").mkdir()
    assert [*(exported(folder, tmp_path / "out") / "lib").iterdir()] == []


def test_a_partial_clone_says_what_to_do(tmp_path: Path) -> None:
    origin = started(tmp_path / "a", {"old.py": "1"})
    git(origin, "config", "uploadpack.allowFilter", "true")
    first = git(origin, "rev-parse", "HEAD")
    commit(origin, {"old.py": "2"})
    folder = clone(origin, tmp_path / "clone", "--filter=blob:none")
    with pytest.raises(RepositoryUnreadable, match="git could not read the files of a commit") as caught:
        exported(folder, tmp_path / "out", first)
    assert "partial clone" in caught.value.advice


def test_an_unknown_revision_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(RepositoryUnreadable, match="git has no revision nowhere here"):
        exported(started(tmp_path / "a"), tmp_path / "out", "nowhere")
