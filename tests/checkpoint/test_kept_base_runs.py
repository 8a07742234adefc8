"""A run that begins from a checkpoint uses the examination of the base that an earlier one has kept."""

from __future__ import annotations

from pathlib import Path

import pytest

from migration_gate.change.base_examination import BaseExamination
from migration_gate.change.base_messages import BaseAnswer
from migration_gate.checkpoint import kept_texts
from migration_gate.checkpoint.kept_base import FILE
from migration_gate.ci.base_revision import Comparison
from migration_gate.scan.revision_files import RevisionSource, parse_revision_file
from tests.checkpoint.test_checkpoint_runs import NEW_MODELS, examine, last_note, list_differences
from tests.support.git_repositories import commit, git
from tests.support.user_project import MODELS, World, project, revision

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("cache")]

ADD_EXTRA = 'op.add_column("item", sa.Column("extra", sa.Integer))'
CREATE_PLACE = 'op.create_table("place", sa.Column("id", sa.Integer, primary_key=True))'
PLACE_MODEL = (
    "\n\nclass Place(Base):\n    __tablename__ = 'place'\n    id = Column(Integer, primary_key=True)\n"
)
OLD_DRIFT = MODELS.replace("String(50)", "String(60)")
READING = "import os\nfrom pathlib import Path\nTEXT = Path(os.environ['OUTSIDE']).read_text()\n"
RUNNING = "import subprocess\nNAME = subprocess.run(['git', 'config', '-l'], capture_output=True).stdout\n"


@pytest.fixture
def runs(monkeypatch: pytest.MonkeyPatch) -> list[BaseAnswer]:
    """The answers of processes that examine the base."""
    answers: list[BaseAnswer] = []
    run_process = BaseExamination._run_process

    def note_run(self: BaseExamination, base: str, comparison: Comparison, *, is_alone: bool) -> BaseAnswer:
        answers.append(run_process(self, base, comparison, is_alone=is_alone))
        return answers[-1]

    monkeypatch.setattr(BaseExamination, "_run_process", note_run)
    return answers


def lay(place: World, **files: str) -> tuple[Path, str]:
    """A project with a checkpoint, and a change of a revision and a model; its folder, and its base."""
    folder = place.lay({**project(**files), ".gitignore": "__pycache__/\n"})
    base = git(folder, "rev-parse", "HEAD")
    examine(folder, "auto", base=base)
    models = NEW_MODELS.replace(MODELS, files.get("models_py", MODELS))
    commit(
        folder,
        {"migrations/versions/new.py": revision("new", "two", ADD_EXTRA), "shop/models.py": models},
    )
    return folder, base


def test_it_is_kept_once_and_then_serves(
    place: World, runs: list[BaseAnswer], monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, base = lay(place, models_py=OLD_DRIFT)
    parsed: list[str] = []

    def note_path(data: bytes, path: str) -> RevisionSource | None:
        parsed.append(path)
        return parse_revision_file(data, path)

    with monkeypatch.context() as patch:
        patch.setattr(kept_texts, "parse_revision_file", note_path)
        first = examine(folder, "auto", base=base)
    assert parsed == ["migrations/versions/new.py"]
    assert len(runs) == 1
    again = examine(folder, "auto", base=base)
    assert last_note(again).startswith("the replay began from a checkpoint")
    assert len(runs) == 1
    scratch = examine(folder, "scratch", base=base)
    assert len(runs) == 2  # from scratch is from scratch
    assert again.base is not None
    assert again.base.facts is not None
    assert again.base.facts.replay.differences  # the old drift
    assert list_differences(again, first) == []
    assert list_differences(again, scratch) == []


def test_it_serves_where_new_revisions_are_neither_rolled_back_nor_observed(
    place: World, runs: list[BaseAnswer]
) -> None:
    folder, base = lay(place)
    for _ in range(3):
        facts = examine(folder, "auto", base=base, rollback="off", observe="off")
    assert last_note(facts).startswith("the replay began from a checkpoint")
    assert len(runs) == 1


@pytest.mark.release
def test_it_serves_as_the_change_grows_where_that_says_nothing_of_the_base(
    place: World, runs: list[BaseAnswer]
) -> None:
    folder, base = lay(place)
    examine(folder, "auto", base=base)
    commit(folder, {"shop/views.py": "def show():\n    return 1\n", "README.md": "new"})
    again = examine(folder, "auto", base=base)
    assert len(runs) == 1
    assert list_differences(again, examine(folder, "scratch", base=base)) == []


@pytest.mark.release
def test_with_other_tables_in_the_change_the_base_is_examined_anew(
    place: World, runs: list[BaseAnswer]
) -> None:
    folder, base = lay(place)
    examine(folder, "auto", base=base)
    commit(
        folder,
        {
            "migrations/versions/place.py": revision("place", "new", CREATE_PLACE),
            "shop/models.py": NEW_MODELS + PLACE_MODEL,
        },
    )
    grown = examine(folder, "auto", base=base)
    assert last_note(grown).startswith("the replay began from a checkpoint")
    assert [answer.facts is not None for answer in runs] == [True, True]
    again = examine(folder, "auto", base=base)
    assert len(runs) == 2
    scratch = examine(folder, "scratch", base=base)
    assert list_differences(grown, scratch) == []
    assert list_differences(again, scratch) == []


@pytest.mark.release
def test_another_base_has_another_examination(place: World, runs: list[BaseAnswer]) -> None:
    folder, base = lay(place)
    examine(folder, "auto", base=base)
    git(folder, "checkout", "-q", base)
    later_base = commit(folder, {"shop/models.py": OLD_DRIFT})
    commit(
        folder,
        {
            "migrations/versions/new.py": revision("new", "two", ADD_EXTRA),
            "shop/models.py": OLD_DRIFT + "    extra = Column(Integer)\n",
        },
    )
    later = examine(folder, "auto", base=later_base)
    assert len(runs) == 2
    assert later.base is not None
    assert later.base.facts is not None
    assert later.base.facts.replay.differences
    assert list_differences(later, examine(folder, "scratch", base=later_base)) == []


@pytest.mark.release
def test_what_the_models_read_outside_counts(
    place: World, runs: list[BaseAnswer], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    outside = tmp_path / "outside.txt"
    outside.write_text("1")
    monkeypatch.setenv("OUTSIDE", str(outside))
    folder, base = lay(place, models_py=READING + MODELS)
    examine(folder, "auto", base=base)
    examine(folder, "auto", base=base)
    assert len(runs) == 1
    outside.write_text("2")
    examine(folder, "auto", base=base)
    assert len(runs) == 2
    monkeypatch.setenv("FURTHER", "1")
    examine(folder, "auto", base=base)
    assert len(runs) == 3


@pytest.mark.release
def test_models_that_start_programs_are_examined_each_time(place: World, runs: list[BaseAnswer]) -> None:
    folder, base = lay(place, models_py=RUNNING + MODELS)
    examine(folder, "auto", base=base)
    examine(folder, "auto", base=base)
    assert [answer.inputs for answer in runs] == [None, None]


@pytest.mark.release
@pytest.mark.parametrize("is_removed", [True, False], ids=["removed", "damaged"])
def test_where_it_is_gone_or_damaged_the_base_is_examined_again(
    place: World, cache: Path, runs: list[BaseAnswer], *, is_removed: bool
) -> None:
    before = set(cache.glob(f"*/*/{FILE}"))
    folder, base = lay(place)
    first = examine(folder, "auto", base=base)
    (kept,) = set(cache.glob(f"*/*/{FILE}")) - before
    if is_removed:
        kept.unlink()
    else:
        kept.write_bytes(kept.read_bytes()[:-1])
    assert list_differences(examine(folder, "auto", base=base), first) == []
    assert len(runs) == 2
    examine(folder, "auto", base=base)
    assert len(runs) == 2


@pytest.mark.release
def test_it_serves_only_with_the_checkpoint_itself(place: World, cache: Path, runs: list[BaseAnswer]) -> None:
    before = set(cache.glob(f"*/*/{FILE}"))
    folder, base = lay(place)
    examine(folder, "auto", base=base)
    (kept,) = set(cache.glob(f"*/*/{FILE}")) - before
    control = kept.parent / "data/global/pg_control"
    control.write_bytes(control.read_bytes()[:-1] + b"x")
    again = examine(folder, "auto", base=base)
    assert last_note(again).endswith("one was damaged, and was removed")
    assert len(runs) == 2
    assert list_differences(again, examine(folder, "scratch", base=base)) == []
