"""What the files of revisions say, kept beside the checkpoint: five hundred take long to parse.

It follows from the content of a file and its name alone, and is found by a digest of both.
"""

from __future__ import annotations

import pickle
from contextlib import suppress

from migration_gate.checkpoint.saved_state import SavedState
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

    def __init__(self, state: SavedState, *, writes: bool) -> None:
        """Read them. `writes`: this run may keep what it parses."""
        self._file = state.folder / FILE
        self._writes = writes
        self._known = self._read()
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

    def keep(self) -> None:
        """Keep what was used, if some of it is new."""
        if self._writes and not self._used.keys() <= self._known.keys():
            stamp = compute_digest(describe_own_code().encode())
            with suppress(OSError):
                write_sealed_file(self._file, pickle.dumps((stamp, self._used)))

    def _read(self) -> dict[str, RevisionSource]:
        content = read_sealed_file(self._file)
        match decode_facts(content, FURTHER_PARTS) if content is not None else None:
            case (str(stamp), dict(known)) if stamp == compute_digest(describe_own_code().encode()):
                return {
                    str(key): source for key, source in known.items() if isinstance(source, RevisionSource)
                }
        return {}
