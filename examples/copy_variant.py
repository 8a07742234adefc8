"""Copies the media library, and the files of one variant over it: `copy_variant.py broken TARGET_FOLDER`.

The copy is a git repository with two commits: the clean project on branch `main`, and the variant's files on branch
`change`, like a pull request. An existing target folder is replaced.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

EXAMPLES = Path(__file__).resolve().parent
CLEAN = EXAMPLES / "media-library"


def run_git(folder: Path, *words: str) -> None:
    """Run git in the folder, with a made-up author."""
    author = ["-c", "user.name=Example", "-c", "user.email=example@example.org", "-c", "commit.gpgsign=false"]
    subprocess.run(["git", "-C", str(folder), *author, *words], check=True)


def copy_variant(variant: str, target: Path) -> None:
    """Copy the clean project to the target, then the variant's files; the environment is shared by a link."""
    shutil.rmtree(target, ignore_errors=True)
    skipped = shutil.ignore_patterns(".venv", "__pycache__", ".*_cache")
    shutil.copytree(CLEAN, target, ignore=skipped)
    run_git(target, "init", "--quiet", "--initial-branch", "main")
    run_git(target, "add", "--all")
    run_git(target, "commit", "--quiet", "--message", "the media library")
    run_git(target, "switch", "--quiet", "--create", "change")
    shutil.copytree(EXAMPLES / f"media-library-{variant}", target, dirs_exist_ok=True, ignore=skipped)
    run_git(target, "add", "--all")
    run_git(target, "commit", "--quiet", "--message", f"the media library, {variant}")
    if (CLEAN / ".venv").exists():
        (target / ".venv").symlink_to(CLEAN / ".venv")


if __name__ == "__main__":
    variants = sorted(folder.name.removeprefix("media-library-") for folder in EXAMPLES.glob("media-library-*"))
    if len(sys.argv) != 3 or sys.argv[1] not in variants:
        sys.exit(f"usage: copy_variant.py {'|'.join(variants)} FOLDER")
    copy_variant(sys.argv[1], Path(sys.argv[2]))
