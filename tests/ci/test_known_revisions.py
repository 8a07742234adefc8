"""Revisions that stand at the base: those that are only reworded, and those whose code is edited."""

from __future__ import annotations

from pathlib import Path

import pytest

from migration_gate.ci.base_revision import compare_with_base
from migration_gate.git.file_versions import read_versions
from tests.support.alembic_projects import Rev
from tests.support.git_repositories import commit, git, started

pytestmark = pytest.mark.slow  # each starts another program
TEXT = Rev("0001", 'op.execute("SELECT 1")').text()
VERSIONS = "migrations/versions"


def pending_in(folder: Path, base: str) -> set[str]:
    return set(compare_with_base(folder, base, {}, with_lines=True).pending_paths())


def edited_in(folder: Path, base: str) -> set[str]:
    return set(compare_with_base(folder, base, {}, with_lines=True).edited_paths())


def test_a_revision_is_edited_if_its_code_is_another(tmp_path: Path) -> None:
    names = ("comment", "layout", "docstring", "code", "downgrade", "parent", "reader", "broken", "linked")
    texts = {f"{VERSIONS}/{name}.py": TEXT for name in names}
    texts[f"{VERSIONS}/reader.py"] = f'"""one"""\n{TEXT}\nprint(__doc__)\n'
    folder = started(tmp_path / "project", texts | {"models.py": "x = 1\n"})
    base = git(folder, "rev-parse", "HEAD")
    changes = {
        "comment": f"# more\n{TEXT}\n# more\n",
        "layout": TEXT.replace("(", "(\n    ").replace(")", "\n  )"),
        "docstring": f'"""Another one."""\n{TEXT}',
        "code": TEXT.replace("SELECT 1", "SELECT 2"),
        "downgrade": TEXT.replace("def downgrade", "def unused"),
        "parent": TEXT.replace("revision = '0001'", "revision = '0002'"),
        "reader": f'"""two"""\n{TEXT}\nprint(__doc__)\n',
        "broken": f"{TEXT}\n)",
    }
    assert all(changes[name] != TEXT for name in changes)
    commit(folder, {f"{VERSIONS}/{name}.py": text for name, text in changes.items()})
    commit(folder, {"models.py": "x = 1  # more\n"})
    (folder / VERSIONS / "linked.py").unlink()
    (folder / VERSIONS / "linked.py").symlink_to("comment.py")
    expected = {
        f"{VERSIONS}/{name}.py" for name in ("code", "downgrade", "parent", "reader", "broken", "linked")
    }
    assert edited_in(folder, base) == {*expected, "models.py"}
    has_run = {f"{VERSIONS}/{name}.py" for name in ("code", "downgrade", "reader")}
    assert pending_in(folder, base) == {*expected, "models.py"} - has_run


def test_a_revision_that_was_moved_and_reworded_is_not_edited(tmp_path: Path) -> None:
    other = TEXT.replace("0001", "0002")
    files = {"old/a.py": TEXT, "old/b.py": other, "old/env.py": ""}
    folder = started(tmp_path / "project", files)
    base = git(folder, "rev-parse", "HEAD")
    git(folder, "rm", "-q", "-r", "old")
    edited = other.replace("SELECT 1", "SELECT 2")
    commit(folder, {"new/a.py": f"# {'much ' * 400}\n{TEXT}", "new/v/b.py": edited, "new/env.py": ""})
    assert edited_in(folder, base) == {"new/v/b.py"}
    assert pending_in(folder, base) == set()


def test_the_same_identifier_in_another_project_is_another_revision(tmp_path: Path) -> None:
    """Two services number their revisions; one of them loses its `0001`, or goes, as the other gets one."""
    edited = TEXT.replace("SELECT 1", "SELECT 2")
    environments = {"one/env.py": "one\n", "two/env.py": "two\n"}
    folder = started(tmp_path / "project", {"one/v/a.py": TEXT, "lone/a.py": TEXT, **environments})
    base = git(folder, "rev-parse", "HEAD")
    git(folder, "rm", "-q", "one/v/a.py")
    commit(folder, {"two/v/a.py": edited, "one/w/a.py": edited})
    assert pending_in(folder, base) == {"two/v/a.py"}
    git(folder, "rm", "-q", "-r", "one", "lone")
    commit(folder, {"far/a.py": edited})
    assert pending_in(folder, base) == {"two/v/a.py", "far/a.py"}


def test_a_revision_whose_identifier_is_not_one_string_has_not_run(tmp_path: Path) -> None:
    texts = {
        "computed.py": TEXT.replace("revision = '0001'", "revision = '00' + '01'"),
        "twice.py": TEXT.replace("revision = '0001'", "revision = '0001'\nrevision = '0001'"),
        "typed.py": TEXT.replace("revision = '0001'", "revision: str = '0001'"),
        "longer.py": TEXT.replace("revision = '0001'", "revision = '0001'\nrevision += 'b'"),
        "pair.py": TEXT.replace("revision = '0001'", "revision = '0001'\nrevision, x = '0002', 1"),
        "imported.py": f"{TEXT}\nfrom names import newest as revision\n",
        "chosen.py": f"{TEXT}\nif 1:\n    revision = '0002'\n",
    }
    assert all(text != TEXT for text in texts.values())
    folder = started(tmp_path / "project", texts)
    base = git(folder, "rev-parse", "HEAD")
    commit(folder, {name: text.replace("SELECT 1", "SELECT 2") for name, text in texts.items()})
    assert edited_in(folder, base) == set(texts)
    assert pending_in(folder, base) == set(texts) - {"typed.py"}


def test_what_git_cannot_show_has_no_contents(tmp_path: Path) -> None:
    files = {"a.py": "a\n", "b b.py": "", "c\nc.py": "c", "é.py": "\n\n"}
    folder = started(tmp_path / "project", files)
    paths = ["gone.py", "a.py", "c\nc.py", "b b.py", "é.py"]
    assert read_versions(folder, "HEAD", paths) == {"a.py": b"a\n", "b b.py": b"", "é.py": b"\n\n"}
    assert read_versions(folder, "0" * 40, paths) == {}
    assert read_versions(folder, "HEAD", []) == {}
