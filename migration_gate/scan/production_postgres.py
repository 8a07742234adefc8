"""Which Postgres production runs, as Terraform, compose files, Dockerfiles and workflows name it.

Read as text. What a file computes is not followed, but for defaults of variables that stand in it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from enum import IntEnum
from pathlib import Path

from migration_gate.git.git_command import find_repository_root
from migration_gate.git.tracked_files import list_tracked_files
from migration_gate.lazy_dataclass import dataclass
from migration_gate.scan.file_content import decode_text, read_file

MAX_FILE_BYTES = 512 * 1024
MAJORS = range(10, 40)
TAG_BEGINS_WITH_MAJOR = frozenset({"postgres", "postgis", "postgresql", "pgautoupgrade"})
"""last words of images' names"""
OTHER_IMAGES = frozenset({
    "pgvector", "timescaledb", "timescaledb-ha", "timescale", "citus", "paradedb", "pg_partman", "age",
    "pgvecto-rs", "vchord-postgres", "spilo",
})  # fmt: skip
"""these have the major in the tag as `pg17`"""
IMAGE = re.compile(r"""^\s*(?:-\s+)?(?:image|imageName)\s*:\s*["']?([^\s"'#]+)""")
FROM = re.compile(r"^\s*FROM\s+(?:--\S+\s+)*(\S+)", re.IGNORECASE)
ARGUMENT = re.compile(r"^\s*ARG\s+(\w+)=[\"']?([^\s\"']+)", re.IGNORECASE | re.MULTILINE)
DEFAULT = re.compile(r"\$\{(\w+)(?::?-([^}]*))?\}|\$(\w+)")
RENDER = re.compile(r"""^\s*postgresMajorVersion\s*:\s*["']?(\d+)""")
TERRAFORM_BLOCK = re.compile(r"^(?:resource|module)\b[^{]*\{", re.MULTILINE)
TERRAFORM_VERSION = re.compile(
    r"""^\s*(?:engine_version|database_version|version|major_engine_version)\s*=\s*"?((?:POSTGRES_)?\d[\w.]*|var\.\w+)"?""",
    re.MULTILINE,
)
TERRAFORM_VARIABLE = re.compile(
    r"""^variable\s+"(\w+)"\s*\{(?:(?!^\}).)*?^\s*default\s*=\s*"?([\w.]+)"?""", re.MULTILINE | re.DOTALL
)
TEST_PATH = re.compile(
    r"(?:^|/)(?:tests?|examples?|docs?|fixtures?|node_modules|vendor|\.venv)/", re.IGNORECASE
)
SHARED_FOLDER = re.compile(
    r"\.github/|\.circleci/|(?:deploy\w*|infra\w*|terraform|docker|ops|k8s|compose|iac)/",
    re.IGNORECASE,
)
"""folders of a repository that no project of it has for itself"""
EXTENSION = re.compile(
    r"""create\s+extension\s+(?:if\s+not\s+exists\s+)?["'\\]*([a-z][\w-]*)""", re.IGNORECASE
)
PRODUCTION_WORD = re.compile(r"prod|deploy|live", re.IGNORECASE)


class Source(IntEnum):
    """What kind of file it is; the less, the nearer to production."""

    TERRAFORM = 0
    PRODUCTION_FILE = 1
    """a compose file, a manifest or a Dockerfile whose path says so"""
    COMPOSE = 2
    DOCKERFILE = 3
    WORKFLOW = 4


SOURCES = (
    (re.compile(r"\.tf$"), Source.TERRAFORM),
    (
        re.compile(r"(?:/workflows/|\.circleci/|(?:^|/)\.gitlab-ci|(?:^|/)bitbucket-pipelines)[^/]*\.ya?ml$"),
        Source.WORKFLOW,
    ),
    (re.compile(r"(?:docker|container)file[^/]*$", re.IGNORECASE), Source.DOCKERFILE),
    (re.compile(r"compose[^/]*\.ya?ml$", re.IGNORECASE), Source.COMPOSE),
    (re.compile(r"(?:prod|deploy|live|(?:^|/)render\.)[^.]*\.ya?ml$", re.IGNORECASE), Source.PRODUCTION_FILE),
)
"""which paths are read, and as what; the first counts"""


@dataclass(frozen=True, slots=True)
class PostgresMention:
    """One place that names a major of Postgres."""

    major: int
    image: str
    """that it names; '' if it names none"""
    path: str
    """relative to the project, or to the repository around it"""
    line: int
    source: Source

    @property
    def place(self) -> str:
        """For people: `docker-compose.yml:4`."""
        return f"{self.path}:{self.line}"


def find_production_postgres(folder: Path) -> tuple[PostgresMention, ...]:
    """All mentions in the files of the project, else in those of the repository that concern it.

    The nearest to production first, then those in the fewest folders.
    """
    project, repository = folder.resolve(), find_repository_root(folder)
    for top in dict.fromkeys((project, repository)):
        mentions = [
            mention
            for path in list_tracked_files(top).paths
            if (source := find_source(path)) is not None and (top == project or _concerns(path, project, top))
            for mention in _read_file(top, path, source)
        ]
        if mentions:
            return tuple(sorted(mentions, key=_sort_key))
    return ()


def find_needed_extensions(folder: Path) -> frozenset[str]:
    """The extensions that Python and SQL files of the project create, by their names."""
    needed: set[str] = set()
    for path in list_tracked_files(folder).paths:
        if path.endswith((".py", ".sql")):
            needed.update(EXTENSION.findall(_read_text(folder, path)))
    return frozenset(name.lower() for name in needed)


def find_source(path: str) -> Source | None:
    """How a file of this path is read; None if it is not."""
    if TEST_PATH.search(path):
        return None
    source = next((source for pattern, source in SOURCES if pattern.search(path)), None)
    if source in (Source.COMPOSE, Source.DOCKERFILE) and PRODUCTION_WORD.search(path):
        return Source.PRODUCTION_FILE
    return source


def read_mentions(text: str, path: str, source: Source) -> Iterator[PostgresMention]:
    """What the text of a file names."""
    if source == Source.TERRAFORM:
        yield from _read_terraform(text, path)
        return
    arguments = dict(ARGUMENT.findall(text))
    for number, line in enumerate(text.splitlines(), 1):
        if match := IMAGE.match(line) or FROM.match(line):
            image = _fill_defaults(match[1], arguments)
            if (major := read_image_major(image)) is not None:
                yield PostgresMention(major, image, path, number, source)
        elif match := RENDER.match(line):
            yield PostgresMention(int(match[1]), "", path, number, source)


def read_image_major(image: str) -> int | None:
    """The major in the tag of an image of Postgres; None for other images, and tags that name none."""
    name, _, tag = image.partition("@")[0].rpartition(":")
    last = name.rpartition("/")[2].lower()
    if match := re.search(r"(?:^|[-_.])pg-?(\d{2})(?!\d)", tag):
        return _accept_major(match[1]) if last in OTHER_IMAGES | TAG_BEGINS_WITH_MAJOR else None
    match = re.match(r"v?(\d{2})(?!\d)", tag)
    return _accept_major(match[1]) if match and last in TAG_BEGINS_WITH_MAJOR else None


def _accept_major(text: str) -> int | None:
    return int(text) if int(text) in MAJORS else None


def _fill_defaults(text: str, arguments: dict[str, str]) -> str:
    """`postgres:${VERSION:-16}` as `postgres:16`."""
    return DEFAULT.sub(lambda match: match[2] or arguments.get(match[1] or match[3], ""), text)


def _read_terraform(text: str, path: str) -> Iterator[PostgresMention]:
    """The versions of resources and modules that are a Postgres."""
    variables = dict(TERRAFORM_VARIABLE.findall(text))
    starts = [match.start() for match in TERRAFORM_BLOCK.finditer(text)]
    for start, end in zip(starts, [*starts[1:], len(text)], strict=True):
        block = text[start:end].partition("\n}")[0]
        version = TERRAFORM_VERSION.search(block)
        if version is None or not re.search(r"postgres|\"pg\"", block, re.IGNORECASE):
            continue
        named = str(version[1])
        value = str(variables.get(named.removeprefix("var."), named))
        match = re.match(r"(?:POSTGRES_)?(\d+)", value)
        if match and int(match[1]) in MAJORS:
            line = text.count("\n", 0, start + version.start(1)) + 1
            yield PostgresMention(int(match[1]), "", path, line, Source.TERRAFORM)


def _concerns(path: str, project: Path, top: Path) -> bool:
    """Whether the file is beside a folder around the project, or in one that no project has for itself."""
    return bool(SHARED_FOLDER.match(path)) or project.is_relative_to((top / path).parent)


def _read_file(top: Path, path: str, source: Source) -> Iterable[PostgresMention]:
    return read_mentions(_read_text(top, path), path, source)


def _read_text(top: Path, path: str) -> str:
    """The text; empty for files that are very large, lie outside of the folder, or cannot be read."""
    content = read_file(top, path)
    if content.data is None or content.size > MAX_FILE_BYTES:
        return ""
    return decode_text(content.data) or ""


def _sort_key(mention: PostgresMention) -> tuple[int, int, str, int]:
    return mention.source, mention.path.count("/"), mention.path, mention.line
