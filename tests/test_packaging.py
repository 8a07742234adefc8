"""The paperwork agrees with the code: action, lock, generated pages, examples, benchmark."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

from benchmarks.replay.synthetic import write
from migration_gate.action import INPUTS, OUTPUTS, manifest
from tests.support.user_project import World, project

ROOT = Path(__file__).resolve().parent.parent
CLEAN = ROOT / "examples" / "media-library"


def run(*words: str | Path, cwd: Path = ROOT) -> str:
    done = subprocess.run([*map(str, words)], cwd=cwd, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of an unpacked wheel, built from the source distribution as a publisher builds it."""
    folder = tmp_path_factory.mktemp("wheel")
    hatchling = [sys.executable, "-m", "hatchling", "build", "-d", str(folder)]
    subprocess.run([*hatchling, "-t", "sdist"], cwd=ROOT, check=True, capture_output=True)
    (archive,) = folder.glob("*.tar.gz")
    shutil.unpack_archive(archive, folder / "source", filter="data")
    (source,) = (folder / "source").iterdir()
    subprocess.run([*hatchling, "-t", "wheel"], cwd=source, check=True, capture_output=True)
    (file,) = folder.glob("*.whl")
    shutil.unpack_archive(file, folder / "installed", "zip")
    return folder / "installed"


@pytest.mark.slow
def test_the_wheel_has_one_name_at_its_top(wheel: Path) -> None:
    names = {path.name for path in wheel.iterdir() if path.suffix != ".dist-info"}
    assert names == {"migration_gate"}
    assert (wheel / "migration_gate" / "py.typed").exists()


@pytest.mark.slow
def test_a_check_is_explained_with_its_example_where_the_wheel_is_installed(
    wheel: Path, tmp_path: Path
) -> None:
    script = f"import sys; sys.path.insert(0, {str(wheel)!r})\n"
    script += "from migration_gate import cli; cli.run_command_line(['explain', 'drift'])"
    explanation = run(sys.executable, "-I", "-c", script, cwd=tmp_path)
    assert "Instead, " in explanation
    assert "class" in explanation
    assert "The report of it:" in explanation


@pytest.mark.slow
def test_a_project_may_have_checks_and_an_entrypoint_of_its_own(here: World) -> None:
    trap = "raise SystemExit('the project was imported instead of the gate')\n"
    here.lay(
        {**project(), "checks/__init__.py": trap, "entrypoint.py": trap, "migration_gate_worker.py": trap}
    )
    program = (sys.executable, "-m", "migration_gate")
    done = here.check(env={"PYTHONPATH": str(here.project)}, program=program)
    assert done.status == 0, done.said


def action() -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load((ROOT / "action.yml").read_text())
    return loaded


def test_action_yml_has_the_inputs_and_outputs_that_the_code_knows() -> None:
    inputs = {one.name: {"description": one.description, "default": one.default} for one in INPUTS}
    outputs = {name: {"description": description} for name, description in OUTPUTS.items()}
    assert (action()["inputs"], action()["outputs"]) == (inputs, outputs)
    assert action()["runs"] == {"using": "docker", "image": "Dockerfile", "args": ["action"]}


def test_a_release_runs_the_published_image_and_changes_nothing_else() -> None:
    image = "docker://ghcr.io/migration-gate/migration-gate@sha256:" + "0" * 64
    released = yaml.safe_load(manifest.render_manifest(image))
    assert released.pop("runs") == {"using": "docker", "image": image, "args": ["action"]}
    assert released == {key: value for key, value in action().items() if key != "runs"}


@pytest.mark.parametrize("name", ["README.md", "docs/action.md"])
def test_a_page_for_people_lists_every_input_once(name: str) -> None:
    text = (ROOT / name).read_text()
    for one in INPUTS:
        assert text.count(f"\n| `{one.name}` | {one.description} | ") == 1, one.name


@pytest.mark.parametrize(
    "text", ["a: b", "`x` first", 'says "x" # not', "it's - fine, `x`", "back\\slash: it"]
)
def test_any_sentence_survives_as_yaml(text: str) -> None:
    assert yaml.safe_load(f"description: {manifest.quote_if_needed(text)}") == {"description": text}


def test_every_description_of_the_action_is_one_sentence() -> None:
    for part in ("inputs", "outputs"):
        for name, each in action()[part].items():
            assert re.fullmatch(r"[A-Z].*[^.]\.", each["description"]), name
            assert not re.search(r"\. [A-Z]", each["description"]), name


def test_the_lock_of_the_image_has_every_package_and_its_hash() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    wanted = project["project"]["dependencies"] + project["dependency-groups"]["image"]
    lock = (ROOT / "requirements.lock").read_text()
    for requirement in wanted:
        name = re.split(r"[\[<>=~! ]", requirement)[0]
        assert re.search(rf"^{name}==\S+ .*\\\n +--hash=sha256:", lock, re.MULTILINE), name


@pytest.mark.parametrize("variant", ["broken", "failing"])
def test_an_overlay_is_one_commit_upon_the_clean_example(variant: str, tmp_path: Path) -> None:
    target = tmp_path / "laid"
    run(sys.executable, ROOT / "examples" / "copy_variant.py", variant, target)
    assert run("git", "log", "--format=%s", cwd=target).splitlines() == [
        f"the media library, {variant}",
        "the media library",
    ]
    changed = run("git", "diff", "--name-only", "main", "change", cwd=target).split()
    overlay = ROOT / "examples" / f"media-library-{variant}"
    files = (f.relative_to(overlay) for f in overlay.rglob("*") if f.is_file())
    laid = {str(f) for f in files if "cache" not in str(f.parent)}
    assert set(changed) == laid


def test_a_synthetic_project_is_the_same_for_the_same_seed(tmp_path: Path) -> None:
    for name in ("one", "two"):
        write(tmp_path / name, revisions=60)
    one, two = (
        {f.relative_to(tmp_path / name): f.read_text() for f in (tmp_path / name).rglob("*") if f.is_file()}
        for name in ("one", "two")
    )
    assert one == two
    assert sum(file.parent.name == "versions" for file in one) == 60
