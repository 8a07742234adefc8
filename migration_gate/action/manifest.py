"""Pages that are made from the lists of inputs and outputs: action.yml, and the tables of the README.

`python -m migration_gate.action.manifest docker://…` prints the action.yml of a release.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator

from migration_gate.action.inputs import INPUTS
from migration_gate.action.outputs import OUTPUTS

DESCRIPTION = (
    "Replays every Alembic migration on a throw-away Postgres, and blocks the merge on drift from the models."
)
"""at most 125 characters, which GitHub's marketplace shows"""
HEAD = f"""\
# Made by `make docs` from migration_gate/action/inputs.py and outputs.py.
name: Migration Gate
description: {DESCRIPTION}
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
"""what action.yml runs; in a release it names a published image by its digest instead"""
PLACEHOLDER = re.compile(
    r"(?P<start><!-- (?P<name>inputs|outputs) -->\n).*?(?P<end><!-- /(?P=name) -->)", re.DOTALL
)


def render_manifest(image: str = IMAGE) -> str:
    """action.yml, which runs `image`: a Dockerfile or `docker://…`."""
    return "".join((HEAD, *_input_lines(), *_output_lines(), RUNS.format(image=image)))


def _input_lines() -> Iterator[str]:
    yield "\ninputs:\n"
    for item in INPUTS:
        yield f"  {item.name}:\n    description: {quote_if_needed(item.description)}\n"
        yield f"    default: {_quote_yaml(item.default)}\n"


def _output_lines() -> Iterator[str]:
    yield "\noutputs:\n"
    for name, description in OUTPUTS.items():
        yield f"  {name}:\n    description: {quote_if_needed(description)}\n"


def quote_if_needed(text: str) -> str:
    """A sentence as YAML, in quotes only if plain text would mean something else."""
    return _quote_yaml(text) if re.search(r": | #|^[\W]", text) else text


def _quote_yaml(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def render_tables() -> dict[str, str]:
    """Tables in Markdown, by the name of their place in a page: `inputs` and `outputs`."""
    return {"inputs": _render_inputs(), "outputs": _render_outputs()}


def _render_inputs() -> str:
    rows = ["| input | what it is | default |", "| --- | --- | --- |"]
    for item in INPUTS:
        default = f"`{item.default}`" if item.default else ""
        rows.append(f"| `{item.name}` | {_escape_pipes(item.description)} | {default} |")
    return "\n".join(rows) + "\n"


def _render_outputs() -> str:
    rows = ["| output | what it is |", "| --- | --- |"]
    rows += [f"| `{name}` | {_escape_pipes(description)} |" for name, description in OUTPUTS.items()]
    return "\n".join(rows) + "\n"


def _escape_pipes(text: str) -> str:
    return text.replace("|", "\\|")


def fill_tables(page: str) -> str:
    """The page with the tables between `<!-- inputs -->` and `<!-- /inputs -->`, and so for outputs."""
    tables = render_tables()
    return PLACEHOLDER.sub(lambda match: f"{match['start']}{tables[match['name']]}{match['end']}", page)


if __name__ == "__main__":
    sys.stdout.write(render_manifest(*sys.argv[1:2]))
