"""The pages that are made from the lists of inputs and outputs: action.yml, and the tables for people.

`python -m migration_gate.action.manifest docker://…` prints the action.yml of a release.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator

from migration_gate.action.inputs import INPUTS
from migration_gate.action.outputs import OUTPUTS

PROMISE = (
    "Replays every Alembic migration on a throw-away Postgres, and blocks the merge on drift from the models."
)
"""GitHub's marketplace shows 125 characters"""
HEAD = f"""\
# Made by `make docs` from migration_gate/action/inputs.py and outputs.py.
name: Migration Gate
description: {PROMISE}
author: Migration Gate contributors

branding:
  icon: shield
  color: blue
"""
RUNS = """
runs:
  using: docker
  image: {image}
  args: [action]
"""
IMAGE = "Dockerfile"
"""what action.yml runs, but in a release, which names a published image by its digest"""
BLOCK = re.compile(
    r"(?P<start><!-- (?P<name>inputs|outputs) -->\n).*?(?P<end><!-- /(?P=name) -->)", re.DOTALL
)


def render_manifest(image: str = IMAGE) -> str:
    """action.yml, running a Dockerfile or `docker://…`."""
    return "".join((HEAD, *_inputs(), *_outputs(), RUNS.format(image=image)))


def _inputs() -> Iterator[str]:
    yield "\ninputs:\n"
    for one in INPUTS:
        yield f"  {one.name}:\n    description: {_plain(one.description)}\n"
        yield f"    default: {_quoted(one.default)}\n"


def _outputs() -> Iterator[str]:
    yield "\noutputs:\n"
    for name, description in OUTPUTS.items():
        yield f"  {name}:\n    description: {_plain(description)}\n"


def _plain(text: str) -> str:
    """A sentence as YAML, quoted only where it must be."""
    return _quoted(text) if re.search(r": | #|^[\W]", text) else text


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def render_tables() -> dict[str, str]:
    """`inputs` and `outputs`, as Markdown."""
    inputs = ["| input | what it is | default |", "| --- | --- | --- |"]
    for one in INPUTS:
        default = f"`{one.default}`" if one.default else ""
        inputs.append(f"| `{one.name}` | {_cell(one.description)} | {default} |")
    outputs = ["| output | what it is |", "| --- | --- |"]
    outputs += [f"| `{name}` | {_cell(description)} |" for name, description in OUTPUTS.items()]
    return {"inputs": "\n".join(inputs) + "\n", "outputs": "\n".join(outputs) + "\n"}


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def fill_tables(page: str) -> str:
    """A page with the tables between its marks: `<!-- inputs -->` and `<!-- /inputs -->`."""
    made = render_tables()
    return BLOCK.sub(lambda found: f"{found['start']}{made[found['name']]}{found['end']}", page)


if __name__ == "__main__":
    sys.stdout.write(render_manifest(*sys.argv[1:2]))
