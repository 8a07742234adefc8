"""Resolves symbolic links in the paths of many files that lie in few folders."""

from __future__ import annotations

import os
from functools import lru_cache


def resolve_path(file: str) -> str:
    """As `os.path.realpath(file)`, which looks at each of the file's folders anew."""
    if os.path.islink(file):
        return os.path.realpath(file)
    folder, name = os.path.split(file)
    return os.path.join(_resolve_folder(os.path.join(os.getcwd(), folder)), name)


@lru_cache(maxsize=None)
def _resolve_folder(folder: str) -> str:
    return os.path.realpath(folder)
