"""`rebase`: the new revisions follow the base's head, and no other byte changes."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from migration_gate import cli
from tests.support.git_repositories import clone, commit, git, started

pytestmark = pytest.mark.slow
INI = "[alembic]\nscript_location = migrations\n"
VERSIONS = "migrations/versions"


def revision(name: str, parent: str | None) -> str:
    return (
        f'"""{name}\n\nRevision ID: {name}\nRevises: {parent or ""}\n"""\n\nrevision = \'{name}\'\n'
        f"down_revision = {parent!r}\n\n\ndef upgrade():\n    pass\n\n\ndef downgrade():\n    pass\n"
    )


def files(**parents: str | None) -> dict[str, str]:
    return {f"{VERSIONS}/{name}.py": revision(name, parent) for name, parent in parents.items()}


@pytest.fixture
def origin(tmp_path: Path) -> Path:
    start = {
        "alembic.ini": INI,
        "migrations/env.py": "raise RuntimeError('nothing runs')\n",
        **files(a1=None),
    }
    return started(tmp_path / "origin", start)


@pytest.fixture
def branch(origin: Path, tmp_path: Path) -> Path:
    folder = clone(origin, tmp_path / "branch")
    git(folder, "checkout", "-qb", "feature")
    return folder


def rebase(capsys: pytest.CaptureFixture[str], folder: Path, *options: str) -> tuple[int, str]:
    status = cli.run_command_line(["rebase", str(folder), *options])
    out, err = capsys.readouterr()
    return status, out + err


def merge_main(origin: Path, branch: Path, new: Mapping[str, str]) -> None:
    """`main` gets revisions, and is merged into the branch."""
    commit(origin, new)
    git(branch, "fetch", "-q")
    git(branch, "merge", "-q", "-m", "main", "origin/main")


def read(folder: Path, name: str) -> str:
    return (folder / VERSIONS / f"{name}.py").read_text()


def test_a_diff_is_shown_and_nothing_is_written_without_being_told_to(
    origin: Path, branch: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    commit(branch, files(n1="a1", n2="n1"))
    merge_main(origin, branch, files(m1="a1"))
    status, out = rebase(capsys, branch)
    assert status == 0
    assert "-down_revision = 'a1'\n+down_revision = 'm1'" in out
    assert "-Revises: a1\n+Revises: m1" in out
    assert "n2" not in out
    assert "`--write`" in out
    assert read(branch, "n1") == revision("n1", "a1")


def test_the_first_new_revision_follows_the_bases_head(
    origin: Path, branch: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    commit(branch, files(n1="a1", n2="n1"))
    merge_main(origin, branch, files(m1="a1"))
    status, out = rebase(capsys, branch, "--write")
    assert (status, "There is one head, `n2`." in out) == (0, True), out
    assert read(branch, "n1") == revision("n1", "m1")
    assert read(branch, "n2") == revision("n2", "n1")
    status, out = rebase(capsys, branch, "--write")
    assert (status, out) == (0, "Nothing to do: there is one head, `n2`.\n")


def test_several_new_lines_become_one_that_is_not_committed_yet(
    branch: Path, origin: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    merge_main(origin, branch, files(m1="a1"))
    for path, text in files(n1="a1", p1="a1").items():
        (branch / path).write_text(text)
    status, out = rebase(capsys, branch, "--write")
    assert (status, "one head" in out) == (0, True), out
    assert {read(branch, "n1"), read(branch, "p1")} in (
        {revision("n1", "m1"), revision("p1", "n1")},
        {revision("p1", "m1"), revision("n1", "p1")},
    )


def test_what_the_branch_lacks_has_to_be_brought_in_first(
    origin: Path, branch: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    commit(branch, files(n1="a1"))
    commit(origin, files(m1="a1"))
    git(branch, "fetch", "-q")
    status, out = rebase(capsys, branch, "--write")
    assert status == 2
    assert "origin/main has got `m1`" in out
    assert "git rebase origin/main" in out
    assert read(branch, "n1") == revision("n1", "a1")


def test_a_parent_that_the_base_has_removed_is_named(
    origin: Path, branch: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    commit(branch, files(n1="a1"))
    git(origin, "rm", "-q", f"{VERSIONS}/a1.py")
    commit(origin, files(s1=None))
    git(branch, "fetch", "-q")
    status, out = rebase(capsys, branch)
    assert (status, "has removed `a1`, on which this branch builds" in out) == (2, True), out


def test_a_merge_revision_is_made_of_the_projects_own_template(
    origin: Path, branch: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    template = (
        "# ours\n# ${message}; ${down_revision | comma,n}\nrevision = ${repr(up_revision)}\ndown_revision"
    )
    template += " = ${repr(down_revision)}\n\ndef upgrade():\n    ${upgrades if upgrades else 'pass'}\n"
    commit(branch, {"migrations/script.py.mako": template, **files(n1="a1")})
    merge_main(origin, branch, files(m1="a1"))
    options = ("--merge", "--python", sys.executable)
    status, shown = rebase(capsys, branch, *options)
    status, out = rebase(capsys, branch, *options, "--write")
    assert status == 0, out
    (new,) = (branch / VERSIONS).glob("*_merge_heads.py")
    text = new.read_text()
    assert "# ours\n# merge heads; m1, n1\n" in text
    assert "down_revision = ('m1', 'n1')" in text
    assert all(f"+{line}" in shown for line in text.splitlines())
    assert f"There is one head, `{new.name.partition('_')[0]}`." in out


def test_a_template_that_fails_is_an_error_and_nothing_is_written(
    origin: Path, branch: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    commit(branch, {"migrations/script.py.mako": "${nothing.at.all}", **files(n1="a1")})
    merge_main(origin, branch, files(m1="a1"))
    status, out = rebase(capsys, branch, "--merge", "--write", "--python", sys.executable)
    assert status == 2
    assert "alembic merge" in out
    assert not list((branch / VERSIONS).glob("*merge*"))


def test_without_a_template_a_plain_merge_revision_is_made(
    origin: Path, branch: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    commit(branch, files(n1="a1"))
    merge_main(origin, branch, files(m1="a1"))
    status, out = rebase(capsys, branch, "--merge", "--write")
    assert (status, "There is one head" in out) == (0, True), out


@pytest.mark.parametrize(
    ("new", "words"),
    [
        ({f"{VERSIONS}/n1.py": revision("n1", "gone")}, "no file has that revision"),
        (files(n1="a1") | {f"{VERSIONS}/n2.py": revision("n1", "a1")}, "is the id of 2 files"),
        (files(a1="n1", n1="a1"), "circle"),
        ({f"{VERSIONS}/n1.py": "revision = 'n1'\ndown_revision = ("}, "no valid Python"),
        ({f"{VERSIONS}/n1.py": "revision = 'n1'\ndown_revision = PARENT\n"}, "not written as text"),
        ({f"{VERSIONS}/n1.py": "revision = 'n1'\ndown_revision = PARENT\n"}, f"{VERSIONS}/n1.py"),
        (files(n1="a1", p1="a1"), "cannot be put in one line"),
        (files(n1=None), "are unrelated first revisions"),
    ],
)
def test_what_it_cannot_do_is_refused_in_words(
    branch: Path, capsys: pytest.CaptureFixture[str], new: dict[str, str], words: str
) -> None:
    commit(branch, new)
    status, out = rebase(capsys, branch, "--write")
    assert status == 2
    assert words in " ".join(out.split())
    assert git(branch, "status", "--porcelain") == ""


def test_a_merge_revision_has_the_folder_of_the_file_template(
    origin: Path, branch: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    recursive = "file_template = %%(year)d/%%(rev)s\nrecursive_version_locations = true\n"
    template = "revision = ${repr(up_revision)}\ndown_revision = ${repr(down_revision)}\n"
    nested = {f"{VERSIONS}/old/n1.py": revision("n1", "a1")}
    commit(branch, {"alembic.ini": INI + recursive, "migrations/script.py.mako": template, **nested})
    merge_main(origin, branch, files(m1="a1"))
    status, out = rebase(capsys, branch, "--merge", "--write", "--python", sys.executable)
    assert (status, "There is one head" in out) == (0, True), out
    assert len([*(branch / VERSIONS).glob("20??/*.py")]) == 1


def test_the_template_is_that_beside_env_py_wherever_the_revisions_are(
    origin: Path, branch: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    template = "# ours\nrevision = ${repr(up_revision)}\ndown_revision = ${repr(down_revision)}\n"
    ini = f"{INI}version_locations = %(here)s/{VERSIONS} %(here)s/blog\n"
    blog = {f"blog/{name}.py": revision(name, "a1") for name in ("b2", "b3")}
    commit(branch, {"alembic.ini": ini, "migrations/script.py.mako": template, **blog})
    status, out = rebase(capsys, branch, "--merge", "--write", "--python", sys.executable)
    assert (status, "There is one head" in out) == (0, True), out
    (new,) = (branch / "blog").glob("*_merge_heads.py")
    assert new.read_text().startswith("# ours\n")


def test_a_base_from_which_the_branch_does_not_descend_is_named(
    origin: Path, branch: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    git(branch, "checkout", "-q", "--orphan", "other")
    commit(branch, files(n1="a1", m1="a1"))
    status, out = rebase(capsys, branch, "--base", "origin/main")
    assert (status, "does not descend from `origin/main`" in out) == (2, True), out


def test_without_a_base_it_asks_for_one(origin: Path, capsys: pytest.CaptureFixture[str]) -> None:
    commit(origin, files(n1="a1", m1="a1"))
    status, out = rebase(capsys, origin)
    assert status == 2
    assert "--base main" in out


def test_heads_with_labels_of_their_own_stay(branch: Path, capsys: pytest.CaptureFixture[str]) -> None:
    label = "\nbranch_labels = ('plugin',)\n"
    commit(branch, {f"{VERSIONS}/n1.py": revision("n1", "a1") + label, **files(p1="a1")})
    status, out = rebase(capsys, branch)
    assert (status, "are meant" in out) == (0, True), out
