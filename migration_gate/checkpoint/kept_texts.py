"""What the files of revisions say, kept beside the checkpoint: five hundred take long to parse.

It follows from the content of a file and its name alone, and is found by a digest of both.
"""

from __future__ import annotations

import pickle
from pathlib import Path

from migration_gate.checkpoint.sealed_file import (
    compute_digest,
    decode_facts,
    describe_own_code,
    read_sealed_file,
    write_sealed_file,
)
from migration_gate.scan.revision_files import RevisionSource, parse_revision_file

FILE = "texts"
FURTHER_PARTS = frozenset({
    "migration_gate.scan.revision_files.RevisionSource", "migration_gate.scan.revision_files._read_calls",
})  # fmt: skip
"""of them, beside facts; the last one parses the text of a revision when its calls are asked for"""


class KeptTexts:
    """Those of one run: what is known is not parsed again."""

    def __init__(self, folder: Path | None) -> None:
        """Read them. `folder`: of the checkpoint from which the run begins, if it begins from one."""
        self._known = _read(folder / FILE) if folder is not None else {}
        self._used: dict[str, RevisionSource] = {}

    def parse(self, data: bytes, path: str) -> RevisionSource | None:
        """What `parse_revision_file` says of a file."""
        key = compute_digest(b"%s\0%s" % (path.encode("utf-8", "surrogateescape"), data))
        source = self._known.get(key)
        if source is None:
            source = parse_revision_file(data, path)
        if source is not None:
            self._used[key] = source
        return source

    @property
    def has_new(self) -> bool:
        """Whether something was parsed."""
        return not self._used.keys() <= self._known.keys()

    def write(self, folder: Path) -> None:
        """Keep what was used, in the folder of a checkpoint. Raises OSError."""
        stamp = compute_digest(describe_own_code().encode())
        write_sealed_file(folder / FILE, pickle.dumps((stamp, self._used)))


def _read(file: Path) -> dict[str, RevisionSource]:
    """What is kept there by a gate with the same code; nothing if it is damaged."""
    content = read_sealed_file(file)
    match decode_facts(content, FURTHER_PARTS) if content is not None else None:
        case (str(stamp), dict(known)) if stamp == compute_digest(describe_own_code().encode()):
            return {str(key): source for key, source in known.items() if isinstance(source, RevisionSource)}
    return {}
