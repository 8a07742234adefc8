"""The same settings for another checkout of the repository."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

from migration_gate.config.settings import PrepareStep, Settings, StartFrom, Variable
from migration_gate.lazy_dataclass import dataclass

PREPARED_FROM_FILES = ("sql_file", "python")
"""the kinds of `prepare:` whose text is a path"""


@dataclass(frozen=True, slots=True)
class Relocation:
    """From one checkout to another one; both are the tops of repositories, as real paths."""

    old_top: Path
    new_top: Path

    def relocate_path(self, path: Path) -> Path:
        """The same place in the new checkout; a path outside of the old one as it is."""
        for form in (path, path.parent.resolve() / path.name):
            if form.is_relative_to(self.old_top):
                return self.new_top / form.relative_to(self.old_top)
        return path

    def relocate_settings(self, settings: Settings, python: Path) -> Settings:
        """The settings there, where nothing is installed: the project runs in the interpreter `python`."""
        start = settings.start_from
        return replace(
            settings,
            root=self.relocate_path(settings.root),
            working_directory=self.relocate_path(settings.working_directory),
            project_folder=self._relocate_optional(settings.project_folder),
            config_file=self._relocate_optional(settings.config_file),
            alembic=self._relocate_optional(settings.alembic),
            hook=self._relocate_optional(settings.hook),
            env=tuple(Variable(item.name, self._relocate_text(item.value)) for item in settings.env),
            prepare=tuple(self._relocate_step(step) for step in settings.prepare),
            baseline=self._relocate_optional(settings.baseline),
            rehearsal_sql=self._relocate_optional(settings.rehearsal_sql),
            start_from=start
            and StartFrom(self._relocate_optional(start.dump), start.create_all, start.stamp),
            python=python,
            install="off",
            import_path_from=self.old_top,
        )

    def _relocate_optional(self, path: Path | None) -> Path | None:
        return None if path is None else self.relocate_path(path)

    def _relocate_text(self, text: str) -> str:
        """A variable's value: it may list folders of the checkout."""
        return re.sub(rf"{re.escape(str(self.old_top))}(?=[/:]|$)", lambda _: str(self.new_top), text)

    def _relocate_step(self, step: PrepareStep) -> PrepareStep:
        if step.kind not in PREPARED_FROM_FILES:
            return step
        return PrepareStep(step.kind, str(self.relocate_path(Path(step.text))))
