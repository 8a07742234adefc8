"""Files beside a checkpoint that hold facts: each with its digest, and read as facts and nothing else."""

from __future__ import annotations

import hashlib
import io
import os
import pickle
import secrets
import sys
from collections.abc import Collection
from contextlib import suppress
from functools import cache
from pathlib import Path

from migration_gate.checkpoint.cluster_copy import open_plain_file

DIGEST_BYTES = 32
MAX_BYTES = 1 << 26
"""of a file that is kept: 64 MB"""
FACTS = "migration_gate.facts."


class FactUnpickler(pickle.Unpickler):
    """Makes facts, and nothing else: what is read may be another's."""

    def __init__(self, data: bytes, further_parts: Collection[str]) -> None:
        """`further_parts`: full names of what there may be beside facts."""
        super().__init__(io.BytesIO(data))
        self._further_parts = further_parts

    def find_class(self, module: str, name: str) -> object:
        """The class; raises UnpicklingError if it is none of a fact."""
        if f"{module}.{name}" in self._further_parts:
            return super().find_class(module, name)
        found = super().find_class(module, name) if module.startswith(FACTS) else None
        if isinstance(found, type) and found.__module__ == module:
            return found
        raise pickle.UnpicklingError(f"{module}.{name} is no fact")


def decode_facts(data: bytes, further_parts: Collection[str]) -> object:
    """What was pickled; None if anything is wrong with it."""
    try:
        return FactUnpickler(data, further_parts).load()
    except Exception:  # noqa: BLE001 - whatever a stranger's bytes make of it
        return None


def read_sealed_file(file: Path) -> bytes | None:
    """The content; None if there is none, or it is damaged."""
    try:
        with open_plain_file(file) as stream:
            digest, _, content = stream.read(MAX_BYTES).partition(b"\n")
    except OSError:
        return None
    return content if digest == compute_digest(content).encode("ascii") else None


def write_sealed_file(file: Path, content: bytes) -> None:
    """Write it whole, in the place of any other; one that is too large is left out. Raises OSError."""
    data = compute_digest(content).encode("ascii") + b"\n" + content
    if len(data) > MAX_BYTES:
        return
    new_file = file.with_name(f".{secrets.token_hex(8)}")
    try:
        with new_file.open("xb") as stream:
            new_file.chmod(0o600)
            stream.write(data)
        new_file.rename(file)
    except OSError:
        with suppress(OSError):
            new_file.unlink()
        raise


def compute_digest(data: bytes | memoryview) -> str:
    """Of a content."""
    return hashlib.blake2b(data, digest_size=DIGEST_BYTES).hexdigest()


@cache
def describe_own_code() -> str:
    """All of the gate's own files, and its Python: in a checkout they change without a new version."""
    top = Path(__file__).parents[1]
    lines = [sys.version]
    for folder, _, names in sorted(os.walk(top)):
        for name in sorted(names):
            if name.endswith((".py", ".sql")):
                status = os.stat(os.path.join(folder, name))  # noqa: PTH116, PTH118 - many
                lines.append(f"{folder} {name} {status.st_size} {status.st_mtime_ns}")
    return "\n".join(lines)
