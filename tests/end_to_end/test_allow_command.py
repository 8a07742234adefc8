"""`migration-gate allow`: the diff first, then what was written, and the proof that it allows the finding."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.project_files import commit_all
from tests.support.user_project import COMMAND, MODELS, World, project, world

pytestmark = pytest.mark.slow
DRIFT = MODELS.replace("String(50), nullable=False", "String(60), nullable=False")


def allow(place: World, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [COMMAND, "allow", *arguments, "--python", sys.executable, "--reason", "as it was"]
    return subprocess.run(
        command, env=place.environment(), cwd=place.project, capture_output=True, text=True, check=False
    )


def find_verdict(place: World, report: Path) -> dict[str, str]:
    place.check("--report", f"json={report}")
    (verdict,) = json.loads(report.read_text())["projects"][0]["verdicts"]
    return dict(verdict)


@pytest.mark.release
def test_an_entry_or_a_comment_is_shown_then_written_and_proved() -> None:
    with world() as place:
        place.lay(project(models_py=DRIFT))
        report = place.top / "report.json"
        finding = find_verdict(place, report)["id"]
        shown = allow(place, finding, "--from", str(report))
        assert shown.returncode == 0, shown.stderr
        assert "+++ b/.migration-gate.yml" in shown.stdout
        assert "Nothing was written" in shown.stdout
        assert not (place.project / ".migration-gate.yml").exists()
        comment = allow(place, finding, "--from", str(report), "--comment")
        assert "+    # migration-gate: allow drift/type -- as it was" in comment.stdout, comment.stderr
        written = allow(place, finding, "--from", str(report), "--write", "--until", "2999-01-01")
        assert written.returncode == 0, written.stderr
        assert "the finding is allowed (.migration-gate.yml:2)" in written.stdout
        commit_all(place.project, "allowed")
        assert place.check().status == 0
        again = allow(place, finding)
        assert "It is allowed already: as it was" in again.stdout


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("abc", "--until", "soon"), "`soon` is no date"),
        (("abc", "--until", "2001-01-01"), "`2001-01-01` is over"),
        (("abc", "--from", "nowhere.json"), "`nowhere.json` cannot be read"),
    ],
)
def test_what_cannot_be_used_is_named(arguments: tuple[str, ...], words: str) -> None:
    with world() as place:
        place.lay(project())
        refused = allow(place, *arguments)
        assert (refused.returncode, words in refused.stderr) == (2, True), refused.stderr
