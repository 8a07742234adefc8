"""What root may do and others may not: a test takes the rights of a plain user for a moment."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

NOBODY = 65534
"""the user whom no file belongs to"""


@contextmanager
def folder_for_everybody() -> Iterator[Path]:
    """A folder that every user may enter, unlike `tmp_path`; removed afterwards."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)
        yield folder


@contextmanager
def plain_user() -> Iterator[None]:
    """Work with the rights of nobody inside; changes nothing where the tests do not run as root."""
    if os.geteuid() != 0:
        yield
        return
    os.seteuid(NOBODY)
    try:
        yield
    finally:
        os.seteuid(0)
