"""The file with the findings that were there when the gate was installed, as text."""

from __future__ import annotations

from pathlib import Path

from migration_gate.errors import Misconfigured

MAX_BYTES = 8 << 20


def read_baseline_text(file: Path) -> str | None:
    """The text; None if there is no such file. Raises Misconfigured if it cannot be read."""
    try:
        if file.exists() and not file.is_file():  # to open a pipe would wait for who writes into it
            raise Misconfigured(
                f"The baseline `{file}` is no file.",
                where="baseline",
                advice="Name another file (`baseline:`).",
            )
        with file.open("rb") as stream:
            return stream.read(MAX_BYTES).decode("utf-8", "backslashreplace")
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise Misconfigured(
            f"The baseline `{file}` cannot be read: {error.strerror}.",
            where="baseline",
            advice="Correct its permissions, or name another file (`baseline:`).",
        ) from error
