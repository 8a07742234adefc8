"""A real project as a repository in whose history its newest revisions came last."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import yaml

ASSETS = shutil.ignore_patterns(
    "__pycache__", "node_modules", "*.js", "*.map", "*.css", "*.png", "*.svg", "*.gif", "*.woff*", "*.ttf"
)
CONFIGURATION = ".migration-gate.yml"
GIT_VARIABLES = {
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_CONFIG_SYSTEM": os.devnull,
    "GIT_AUTHOR_NAME": "Cut",
    "GIT_AUTHOR_EMAIL": "cut@example.org",
    "GIT_COMMITTER_NAME": "Cut",
    "GIT_COMMITTER_EMAIL": "cut@example.org",
}


@dataclass(frozen=True, slots=True)
class PreparedProject:
    """A project as its recipe prepared it."""

    name: str
    folder: Path
    python: Path
    hook: Path
    environment: Mapping[str, str]
    baseline: str
    """code that creates what the history does not; often empty"""

    @property
    def package(self) -> Path:
        """The installed package, which has the migrations."""
        return next((self.python.parents[1] / "lib").glob(f"python*/site-packages/{self.name}"))


def read_prepared_project(corpus: Path, name: str) -> PreparedProject:
    """The project of that name below the folder into which the recipes were prepared."""
    described = json.loads((corpus / name / "project.json").read_text())
    recipe = yaml.safe_load(Path(described["recipe"]).read_text())
    return PreparedProject(
        name,
        Path(described["cwd"]),
        Path(described["python"]),
        Path(described["hook"]),
        described["env"],
        recipe.get("baseline", ""),
    )


class CutRepository:
    """A repository with the project's package, imported from there and not from where it is installed."""

    def __init__(self, project: PreparedProject, folder: Path) -> None:
        self.folder = folder
        self._project = project
        shutil.copytree(project.folder, folder, ignore=shutil.ignore_patterns("__pycache__"))
        shutil.copytree(project.package, folder / project.name, ignore=ASSETS, dirs_exist_ok=True)
        shutil.copy(project.hook, folder / "gate_hook.py")
        self._write_configuration()
        self._git("init", "-qb", "main")

    def _write_configuration(self) -> None:
        project, old, new = self._project, str(self._project.folder), str(self.folder)
        environment = {name: value.replace(old, new) for name, value in project.environment.items()}
        settings: dict[str, object] = {
            "hook": "gate_hook.py",
            "python": str(project.python),
            "env": environment | {"PYTHONPATH": new},
        }
        if project.baseline:
            (self.folder / "gate_baseline.py").write_text(project.baseline)
            settings["prepare"] = [{"python": "gate_baseline.py"}]
        (self.folder / CONFIGURATION).write_text(yaml.safe_dump(settings))

    def commit_cuts(self, newest_files: Sequence[str], sizes: Sequence[int]) -> dict[int, str]:
        """Commits in which so many of the newest revisions are missing; HEAD has them all.

        newest_files: the files of the revisions, newest first, relative to the repository.
        """
        commits: dict[int, str] = {}
        texts = {file: (self.folder / file).read_bytes() for file in newest_files[: max(sizes)]}
        for size in sorted(sizes, reverse=True):
            for number, file in enumerate(newest_files[: max(sizes)]):
                if number < size:
                    (self.folder / file).unlink(missing_ok=True)
                else:
                    (self.folder / file).write_bytes(texts[file])
            commits[size] = self._commit(f"without the newest {size}")
        for file, text in texts.items():
            (self.folder / file).write_bytes(text)
        self._commit("all")
        return commits

    def _commit(self, message: str) -> str:
        self._git("add", "-Af")
        self._git("commit", "-qm", message)
        return self._git("rev-parse", "HEAD")

    def _git(self, *arguments: str) -> str:
        done = subprocess.run(
            ["git", *arguments],
            cwd=self.folder,
            env=os.environ | GIT_VARIABLES,
            check=True,
            capture_output=True,
            text=True,
        )
        return done.stdout.strip()
