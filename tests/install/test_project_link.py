"""How a package of the repository is made importable without a build."""

from __future__ import annotations

from pathlib import Path

from migration_gate.install.project_link import describe_package
from tests.support.install_projects import LOCKS


def test_the_project_itself_is_importable_from_where_its_build_backend_says(tmp_path: Path) -> None:
    package = describe_package(LOCKS / "poetry")
    assert (package.name, package.version) == ("shop", "2.3.0")
    assert package.import_roots[-1] == str(LOCKS / "poetry")
    (tmp_path / "backend" / "app").mkdir(parents=True)
    (tmp_path / "backend" / "app" / "about.py").write_text('__version__ = "4.5.6"\n')
    (tmp_path / "pyproject.toml").write_text(
        '[project]\nname = "My.App"\ndynamic = ["version"]\n'
        '[project.entry-points."sqlalchemy.dialects"]\nx = "app:D"\n'
        '[tool.hatch.version]\npath = "backend/app/about.py"\n'
        '[tool.hatch.build.targets.wheel]\npackages = ["backend/app"]\n'
    )
    package = describe_package(tmp_path)
    assert (package.name, package.version) == ("my-app", "4.5.6")
    assert package.import_roots == (str(tmp_path / "backend"), str(tmp_path))
    assert package.entry_points == "[sqlalchemy.dialects]\nx = app:D\n"
