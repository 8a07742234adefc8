"""The gate's command on changes of old revisions, and on branches that others have overtaken."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from tests.support.git_repositories import clone, commit, git
from tests.support.user_project import MODELS, WIDEN, World, project, revision, world

pytestmark = pytest.mark.slow
NOTHING = revision("three", "two", "pass")


@pytest.fixture
def place() -> Iterator[World]:
    with world() as found:
        yield found


def check(place: World, *options: str, **environment: str) -> dict[str, str]:
    """The messages of the findings, by check and object; without what is said of rollbacks."""
    ran = place.check("--format", "json", *options, env=environment)
    report = json.loads(ran.out)["projects"][0]
    assert not report["base"]["failure"], ran.said
    return {
        f"{item['check']} {item['object']}": item["says"]
        for item in report["verdicts"]
        if not item["check"].endswith(("-downgrade", "-reupgrade"))
    }


def lay(place: World, **files: str | None) -> str:
    folder = place.lay(project(**files))
    git(folder, "branch", "-M", "main")
    return git(folder, "rev-parse", "HEAD")


def test_an_edited_revision_is_found_and_a_reformatted_one_is_not(place: World) -> None:
    text = revision("two", "one", 'op.execute("ALTER TABLE item ALTER name TYPE varchar(50)")')
    text = text.replace("def downgrade", '\n\nUNUSED = "op"\n\n\ndef downgrade')
    models = MODELS.replace(", nullable=False)", ")").replace("nullable=False", "nullable=True")
    base = lay(place, two_py=text, models_py=models)
    path = "migrations/versions/two.py"
    commit(
        place.project, {path: text.replace("ALTER name", "ALTER  name").replace("# ", "#  ") + "\n# more\n"}
    )
    assert check(place, "--base", base) == {}
    commit(place.project, {path: f"# what it did before is none of the change's\n{text}"})
    assert place.check("--base", base).out.endswith("Passed: no findings\n")
    edited = text.replace("ALTER name TYPE", "ALTER name DROP DEFAULT, ALTER name TYPE")
    (place.project / path).unlink()
    (place.project / "migrations/versions/moved.py").write_text(edited)
    out = place.check("--base", base).out
    assert "edited-migration: 1 error" in out
    commands = [line.split() for line in out.splitlines() if line.startswith(("        git ", "        rm "))]
    for command in commands:
        subprocess.run(command, cwd=place.project, check=True, capture_output=True)
    assert len(commands) == 2
    assert git(place.project, "diff", "--name-only", base, "--", "*.py") == ""
    assert git(place.project, "ls-files", "--others", "--", "*.py") == ""


def test_a_helper_that_an_old_revision_imports_is_the_cause(place: World) -> None:
    two = revision("two", "one", "from shop.columns import widen\nwiden(op)")
    sql = "ALTER TABLE item ALTER name TYPE varchar(50), ALTER name SET NOT NULL"
    columns = f"def widen(op):\n    op.execute('{sql}')\n"
    base = lay(place, two_py=two, **{"shop/columns.py": columns})
    commit(
        place.project,
        {"shop/columns.py": columns.replace("ALTER name SET", "ALTER name DROP DEFAULT, ALTER name SET")},
    )
    findings = check(place, "--base", base)
    assert [*findings] == ["edited-migration shop/columns.py"]
    assert "its own text is the same: `shop/columns.py` changed" in findings.popitem()[1]


@pytest.mark.release
def test_random_values_and_moments_in_old_revisions_are_no_edit(place: World) -> None:
    lines = (
        "import uuid, datetime",
        "from shop.models import Item",
        "op.execute(f\"COMMENT ON TABLE item IS '{uuid.uuid4()} {datetime.datetime.now()}'\")",
        "op.bulk_insert(Item.__table__, [{'id': 1, 'name': uuid.uuid4().hex}])",
        'op.execute("COMMENT ON TABLE item IS NULL")',
    )
    three = revision("three", "two", "\n".join(lines))
    base = lay(place, **{"migrations/versions/three.py": three})
    commit(place.project, {"shop/models.py": MODELS + "\nANSWER = 42\n"})
    assert check(place, "--base", base) == {}


def make_branch(place: World, theirs: Mapping[str, str | None], ours: Mapping[str, str | None]) -> Path:
    """A clone on a branch with `ours`, whose origin has got `theirs` since; both are fetched."""
    lay(place)
    origin = place.top / "origin"
    place.project.rename(origin)
    clone(origin, place.project)
    git(place.project, "checkout", "-qb", "feature")
    commit(place.project, ours)
    commit(origin, theirs)
    git(place.project, "fetch", "-q")
    return origin


@pytest.mark.release
def test_heads_that_only_the_merge_makes_are_found_on_the_branch(place: World) -> None:
    theirs = {"migrations/versions/theirs.py": revision("theirs", "two", "pass")}
    origin = make_branch(place, theirs, {"migrations/versions/three.py": NOTHING})
    words = "has got `theirs` since: after the merge there are two heads"
    findings = check(place)
    assert [*findings] == ["stale-parent three"]
    assert f"origin/main {words}" in findings.popitem()[1]

    event = place.top / "event.json"
    head, tip = git(place.project, "rev-parse", "HEAD"), git(origin, "rev-parse", "HEAD")
    sides = {
        name: {"sha": sha, "repo": {"full_name": "o/r"}} for name, sha in (("base", tip), ("head", head))
    }
    event.write_text(json.dumps({"pull_request": {"number": 7, **sides}, "repository": {"full_name": "o/r"}}))
    event.chmod(0o644)
    variables = {
        "GITHUB_EVENT_NAME": "pull_request",
        "GITHUB_EVENT_PATH": str(event),
        "GITHUB_REPOSITORY": "o/r",
    }
    assert f"the base of pull request 7 {words}" in check(place, **variables)["stale-parent three"]

    git(place.project, "merge", "-q", "-m", "merge", "origin/main")
    merged = git(place.project, "rev-parse", "HEAD")
    event.write_text(json.dumps({"merge_group": {"base_sha": tip, "head_sha": merged}}))
    findings = check(place, **variables | {"GITHUB_EVENT_NAME": "merge_group"})
    assert findings == {"stale-parent three": "`three` follows `two`, and not `theirs`, which is the head"}


def test_a_squash_is_proved(place: World) -> None:
    base = lay(place)
    upgrade = 'op.create_table("item", sa.Column("id", sa.Integer, primary_key=True), '
    upgrade += 'sa.Column("name", sa.String(50), nullable=False))'
    squashed = {
        "migrations/versions/one.py": None,
        "migrations/versions/two.py": None,
        "migrations/versions/all.py": revision("all", None, upgrade),
    }
    commit(place.project, squashed)
    findings = check(place, "--base", base)
    assert findings == {
        "deleted-migration all": "The squash of 2 revisions into `all` leaves the same catalog"
    }


def test_the_order_in_which_indexes_are_made_is_no_edit(place: World) -> None:
    """SQLAlchemy makes those of a new table in the order of a set of objects."""
    loop = (
        "from shop.names import NAMES\nfor name in NAMES:\n    op.create_index(f'ix_{name}', 'item', [name])"
    )
    body = f"{WIDEN}\n{loop}"
    models = f"{MODELS}\nfrom sqlalchemy import Index\nIndex('ix_id', Item.id)\nIndex('ix_name', Item.name)\n"
    extra = {"shop/names.py": "NAMES = ['id', 'name']\n"}
    base = lay(place, **extra, models_py=models, two_py=revision("two", "one", body))
    commit(place.project, {"shop/names.py": "NAMES = ['name', 'id']\n"})
    assert check(place, "--base", base) == {}


def test_a_history_of_which_nothing_is_left_was_removed(place: World) -> None:
    base = lay(place)
    folder = place.project / "migrations/versions"
    commit(place.project, {f"migrations/versions/{path.name}": None for path in folder.glob("*.py")})
    folder.mkdir(exist_ok=True)
    (folder / ".keep").touch()
    assert "`one` and `two` were removed" in check(place, "--base", base)["deleted-migration one two"]


def test_what_a_failing_base_could_not_show_counts_and_that_is_said(place: World) -> None:
    table = 'op.execute("CREATE TABLE forgotten (id int primary key)")'
    path = "migrations/versions/three.py"
    base = lay(place, two_py=revision("two", "one", table), **{path: revision("three", "two", "1 / 0")})
    commit(place.project, {path: NOTHING})
    out = " ".join(place.check("--base", base).out.split())
    assert "so each finding counts that the base did not show: `three` fails there." in out
    assert "`forgotten`: the migrations make this table, no model has it" in out
