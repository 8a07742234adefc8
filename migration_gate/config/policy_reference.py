"""What `extends:` names: a file, or a file of a git repository at a revision."""

from __future__ import annotations

import re

from migration_gate.errors import Misconfigured
from migration_gate.lazy_dataclass import dataclass

PREFIX = "git+"
URL = re.compile(r"(?P<protocol>[a-z]+)://[^/\s]+/[^\s]+")
REVISION = re.compile(r"[\w][\w./-]*")
PROTOCOLS = ("https", "ssh")
COMMIT = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
DEFAULT_PATH = ".migration-gate.yml"


@dataclass(frozen=True, slots=True)
class PolicyReference:
    """A file of a git repository."""

    url: str
    revision: str
    """a branch, a tag, or the full id of a commit"""
    path: str

    @property
    def is_pinned(self) -> bool:
        """Whether it names a commit: it can never be another file."""
        return COMMIT.fullmatch(self.revision) is not None


def parse_reference(text: str, where: str) -> PolicyReference | None:
    """The reference, if it is one to a git repository. Raises Misconfigured if it is unusable."""
    if "://" not in text:
        return None
    address, _, path = text.removeprefix(PREFIX).partition("#")
    url, _, revision = address.rpartition("@")
    match = URL.fullmatch(url)
    is_known = match is not None and match["protocol"] in PROTOCOLS and text.startswith(PREFIX)
    if not is_known or not REVISION.fullmatch(revision) or ".." in path.split("/"):
        raise Misconfigured(
            f"`extends` names `{text}`, which is neither a file nor a file in git.",
            where=where,
            advice="Write a path, or `git+https://host/organisation/repository@commit#path`.",
        )
    return PolicyReference(url, revision, path or DEFAULT_PATH)
