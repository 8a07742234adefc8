"""Fetches an organisation's policy file from git, with the rights at hand; what a commit has is kept."""

from __future__ import annotations

import hashlib
import os
import subprocess
import tempfile
from contextlib import suppress
from functools import cache
from pathlib import Path

from migration_gate.config.policy_reference import PROTOCOLS, PolicyReference
from migration_gate.errors import Misconfigured
from migration_gate.lazy_dataclass import dataclass

FETCH_SECONDS = 60.0
MAX_BYTES = 1 << 20
KEPT_VARIABLES = (
    "PATH",
    "HOME",
    "USER",
    "LANG",
    "SSH_AUTH_SOCK",
    "SSL_CERT_FILE",
    "XDG_CONFIG_HOME",
    "TMPDIR",
)
PROXY_VARIABLES = ("http_proxy", "https_proxy", "no_proxy", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY")


@dataclass(frozen=True, slots=True)
class PolicyText:
    """The file, and where it is from."""

    text: str
    commit: str
    note: str = ""
    """for the report, where the reference can move"""


@cache
def fetch_policy(
    reference: PolicyReference, where: str, folder: Path, protocols: tuple[str, ...] = PROTOCOLS
) -> PolicyText:
    """The file of the reference; `folder` keeps what was fetched. Raises Misconfigured if there is none."""
    if reference.is_pinned:
        kept = _read_kept(folder, reference, reference.revision)
        if kept is not None:
            return PolicyText(kept, reference.revision)
    with tempfile.TemporaryDirectory(prefix="migration-gate-policy-") as name:
        repository = Path(name)
        _run_git(repository, protocols, reference, where, "init", "--quiet", "--bare")
        fetched = ("fetch", "--quiet", "--depth=1", "--no-tags", reference.url, reference.revision)
        _run_git(repository, protocols, reference, where, *fetched)
        output = _run_git(repository, protocols, reference, where, "rev-parse", "FETCH_HEAD^{commit}")
        commit = output.decode("ascii").strip()
        data = _run_git(
            repository, protocols, reference, where, "cat-file", "blob", f"{commit}:{reference.path}"
        )
    text = data[:MAX_BYTES].decode("utf-8", "replace")
    _keep(folder, reference, commit, text)
    return PolicyText(text, commit, "" if reference.is_pinned else _describe_move(folder, reference, commit))


def _run_git(
    repository: Path, protocols: tuple[str, ...], reference: PolicyReference, where: str, *arguments: str
) -> bytes:
    environment = {
        name: os.environ[name] for name in (*KEPT_VARIABLES, *PROXY_VARIABLES) if name in os.environ
    }
    environment |= {
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_ALLOW_PROTOCOL": ":".join(protocols),
        "GIT_SSH_COMMAND": "ssh -oBatchMode=yes",
    }
    try:
        done = subprocess.run(
            ["git", *arguments], cwd=repository, env=environment, capture_output=True,
            timeout=FETCH_SECONDS, check=False, stdin=subprocess.DEVNULL,
        )  # fmt: skip
    except (OSError, subprocess.TimeoutExpired) as error:
        raise _unavailable(reference, where, str(error)) from error
    if done.returncode:
        lines = done.stderr.decode("utf-8", "replace").strip().splitlines()
        raise _unavailable(reference, where, lines[0].removeprefix("fatal: ") if lines else "git failed")
    return done.stdout


def _unavailable(reference: PolicyReference, where: str, reason: str) -> Misconfigured:
    return Misconfigured(
        f"`extends` names `{reference.path}` of {reference.url} at `{reference.revision}`, which could not "
        f"be fetched: {reason}.",
        where=where,
        advice="Give git the network, and the right to read it (a credential helper, an SSH key); a full "
        "commit id, once fetched, needs neither. Or copy the file into the repository, and name its path.",
    )


def _kept_file(folder: Path, reference: PolicyReference, commit: str) -> Path:
    key = "\0".join((reference.url, commit, reference.path))
    return folder / f"{hashlib.sha256(key.encode()).hexdigest()}.yml"


def _read_kept(folder: Path, reference: PolicyReference, commit: str) -> str | None:
    with suppress(OSError, UnicodeDecodeError):
        return _kept_file(folder, reference, commit).read_text(encoding="utf-8")
    return None


def _keep(folder: Path, reference: PolicyReference, commit: str, text: str) -> None:
    """Write whole files only: another run may read them at the same time."""
    with suppress(OSError):
        folder.mkdir(parents=True, exist_ok=True)
        _replace_file(_kept_file(folder, reference, commit), text)


def _replace_file(file: Path, text: str) -> None:
    with tempfile.NamedTemporaryFile("w", dir=file.parent, delete=False, encoding="utf-8") as stream:
        stream.write(text)
    Path(stream.name).replace(file)


def _describe_move(folder: Path, reference: PolicyReference, commit: str) -> str:
    """Which commit a branch or tag is, and whether it was another one when it was last fetched here."""
    last = _kept_file(folder, reference, reference.revision).with_suffix(".ref")
    before = ""
    with suppress(OSError):
        before = last.read_text(encoding="ascii").strip()
        if before == commit:
            before = ""
    with suppress(OSError):
        _replace_file(last, commit)
    moved = f", and was {before[:12]} when it was last fetched here" if before else ""
    return (
        f"`extends`: `{reference.revision}` of {reference.url} is commit {commit[:12]} now{moved}; "
        "only the full id of a commit cannot move"
    )
