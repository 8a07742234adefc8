"""Reads the files in which comments may allow findings; the only module of `verdict` that reads files."""

from __future__ import annotations

from pathlib import Path

from migration_gate.facts import Facts

MAX_FILE_BYTES = 1 << 20
"""bytes of a file that are searched for comments"""


def files_with_comments(facts: Facts) -> tuple[str, ...]:
    """The files whose comments count: revisions, models, env.py, and files that change the schema elsewhere.

    Paths are relative to the top of the repository, as in findings.
    """
    history, models = facts.replay.history, facts.replay.models
    paths = [revision.location.file for revision in history.revisions]
    paths += [file.path for file in history.files]
    paths += filter(None, (models.environment_file,))
    paths += [model.location.file for model in models.locations]
    paths += [definition.location.file for definition in facts.tree.model_definitions]
    for definition in facts.tree.model_definitions:
        paths += [part.location.file for part in definition.parts]
    paths += [part.location.file for part in facts.tree.model_sequences]
    paths += [change.location.file for change in facts.tree.schema_changes]
    return tuple(dict.fromkeys(paths))


def read_comment_files(facts: Facts, repository_root: Path) -> dict[str, str]:
    """The text of each of these files by its path; files that cannot be read are left out.

    Revisions have been read already: a long history has many.
    """
    revisions = {file.path: file.text for file in facts.replay.history.files if file.text}
    texts = {}
    for path in files_with_comments(facts):
        if path in revisions:
            texts[path] = revisions[path][:MAX_FILE_BYTES]
            continue
        try:
            with (repository_root / path).open("rb") as stream:
                texts[path] = stream.read(MAX_FILE_BYTES).decode("utf-8", "replace")
        except OSError:
            continue  # a finding reports it, where that matters
    return texts
