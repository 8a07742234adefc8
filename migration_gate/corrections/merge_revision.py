"""The text of a merge revision, from the project's own `script.py.mako` where there is one."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
from collections.abc import Collection
from datetime import datetime
from pathlib import Path

from migration_gate.config.settings import Settings
from migration_gate.corrections.revision_name import read_revision_names
from migration_gate.errors import GateError
from migration_gate.lazy_dataclass import dataclass
from migration_gate.project import Project, find_project
from migration_gate.project.locate import locate_environment

MESSAGE = "merge heads"
ID_LENGTH = 12
"""hexadecimal digits, as Alembic makes them"""
TEMPLATE_FILE = "script.py.mako"
RENDER_SECONDS = 60
RENDER = """
import json, sys
from mako.template import Template
request = json.load(sys.stdin)
for name in ("down_revision",):
    request["values"][name] = tuple(request["values"][name])
def comma(value):
    return ", ".join(value) if isinstance(value, (tuple, list)) else value or ""
from alembic.config import Config
text = Template(filename=request["template"]).render_unicode(
    comma=comma, config=Config(request["config"]), **request["values"]
)
sys.stdout.buffer.write(text.replace("\\r\\n", "\\n").encode("utf-8"))
"""
PLAIN_TEXT = '''"""{message}

Revision ID: {revision}
Revises: {parents}
Create Date: {date}

"""

revision = "{revision}"
down_revision = ({quoted})
branch_labels = None
depends_on = None


def upgrade():
    pass


def downgrade():
    pass
'''


@dataclass(frozen=True, slots=True)
class MergeRevision:
    """A file that does not exist yet."""

    path: Path
    text: str


def make_merge_revision(
    settings: Settings, folder: Path, heads: tuple[str, ...], known_ids: Collection[str]
) -> MergeRevision:
    """A revision in `folder` that follows all these heads. Raises GateError.

    The id follows from the heads, so that what is shown is what is written later.
    """
    identifier = _make_id(heads, known_ids)
    now = datetime.now()
    entry_file = locate_environment(settings, os.environ).entry_file
    name = read_revision_names(settings).name_file(identifier, MESSAGE.replace(" ", "_"), now)
    template = _find_template(folder, entry_file)
    if template is None:
        text = PLAIN_TEXT.format(
            message=MESSAGE,
            revision=identifier,
            parents=", ".join(heads),
            quoted=", ".join(f'"{head}"' for head in heads),
            date=now,
        )
        return MergeRevision(folder / name, text)
    project = find_project(settings)
    text = _render(project, template, identifier, heads, now)
    return MergeRevision(folder / name, text)


def _make_id(heads: tuple[str, ...], known_ids: Collection[str]) -> str:
    digest = hashlib.sha256("\0".join(sorted(heads)).encode("utf-8", "backslashreplace")).hexdigest()
    starts = range(len(digest) - ID_LENGTH)
    return next(
        digest[start : start + ID_LENGTH]
        for start in starts
        if digest[start : start + ID_LENGTH] not in known_ids
    )


def _find_template(folder: Path, entry_file: Path | None) -> Path | None:
    """The template beside env.py, which may be in a folder above that of the revisions."""
    beside = [entry_file.parent] if entry_file is not None else []
    for parent in (*beside, folder, *folder.parents[:3]):
        if (parent / TEMPLATE_FILE).is_file():
            return parent / TEMPLATE_FILE
    return None


def _render(project: Project, template: Path, identifier: str, heads: tuple[str, ...], now: datetime) -> str:
    values = {
        "up_revision": identifier,
        "down_revision": heads,
        "branch_labels": None,
        "depends_on": None,
        "create_date": str(now),
        "message": MESSAGE,
        "imports": None,
        "upgrades": None,
        "downgrades": None,
    }
    python, config = project.python, project.config
    is_ini = config is not None and config.suffix in (".ini", ".cfg")
    request = {"template": str(template), "config": str(config) if is_ini else None, "values": values}
    try:
        done = subprocess.run(
            [str(python), "-I", "-B", "-c", RENDER],
            input=json.dumps(request).encode(),
            capture_output=True,
            timeout=RENDER_SECONDS,
            check=False,
            cwd=template.parent,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise GateError(f"`{template}` could not be rendered: {error}.") from error
    if done.returncode:
        raise GateError(
            f"`{template}` could not be rendered with {python}.",
            evidence=os.fsdecode(done.stderr).strip()[-2000:],
            advice=f'`alembic merge -m "{MESSAGE}" {" ".join(heads)}` makes the revision.',
        )
    return done.stdout.decode()
