"""Make a broken example: the media library, committed, and one overlay over it, committed as well.

    python lay.py broken build/media-library-broken

The copy is a git repository of its own, with the clean project as the first commit (branch `main`) and the
overlay as the second (branch `change`), as a pull request would bring it. Made afresh every time.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
CLEAN = HERE / "media-library"


def git(folder: Path, *words: str) -> None:
    """Run git in the folder, as nobody in particular."""
    who = ["-c", "user.name=Example", "-c", "user.email=example@example.org", "-c", "commit.gpgsign=false"]
    subprocess.run(["git", "-C", str(folder), *who, *words], check=True)


def lay(variant: str, target: Path) -> None:
    """Copy the clean project to the target, and lay the variant over it; the environment is shared by a link."""
    shutil.rmtree(target, ignore_errors=True)
    skipped = shutil.ignore_patterns(".venv", "__pycache__", ".*_cache")
    shutil.copytree(CLEAN, target, ignore=skipped)
    git(target, "init", "--quiet", "--initial-branch", "main")
    git(target, "add", "--all")
    git(target, "commit", "--quiet", "--message", "the media library")
    git(target, "switch", "--quiet", "--create", "change")
    shutil.copytree(HERE / f"media-library-{variant}", target, dirs_exist_ok=True, ignore=skipped)
    git(target, "add", "--all")
    git(target, "commit", "--quiet", "--message", f"the media library, {variant}")
    if (CLEAN / ".venv").exists():
        (target / ".venv").symlink_to(CLEAN / ".venv")


if __name__ == "__main__":
    variants = sorted(folder.name.removeprefix("media-library-") for folder in HERE.glob("media-library-*"))
    if len(sys.argv) != 3 or sys.argv[1] not in variants:
        sys.exit(f"usage: lay.py {'|'.join(variants)} FOLDER")
    lay(sys.argv[1], Path(sys.argv[2]))
