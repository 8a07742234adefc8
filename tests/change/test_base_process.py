"""What ran at the base is the base's own."""

from __future__ import annotations

from pathlib import Path

import pytest

from migration_gate.change.base_process import require_own_files
from migration_gate.errors import GateError
from migration_gate.facts import Facts, History, ImportedModule, Location, Models, Replay, Revision


def facts_of(*, revision: str = "versions/one.py", module: str = "shop.py", env: str = "env.py") -> Facts:
    """What a replay ran; paths relative to the base's tree, or absolute ones."""
    history = History((Revision("one", (), "", Location(revision, 1)),))
    models = Models(imported_modules=(ImportedModule("shop", module),), environment_file=env)
    return Facts(replay=Replay(history=history, models=models))


@pytest.mark.parametrize("kind", ["revision", "module", "env"])
def test_code_of_the_change_is_not_taken_for_the_bases(tmp_path: Path, kind: str) -> None:
    tree, checkout = tmp_path / "tree", tmp_path / "checkout"
    require_own_files(facts_of(**{kind: "a.py"}), checkout, tree)
    require_own_files(facts_of(**{kind: f"{tmp_path}/beside/a.py"}), checkout, tree)
    with pytest.raises(GateError, match="of the change"):
        require_own_files(facts_of(**{kind: f"{checkout}/a.py"}), checkout, tree)


@pytest.mark.parametrize("kind", ["revision", "module", "env"])
def test_where_the_tree_of_the_base_leads_is_its_own(tmp_path: Path, kind: str) -> None:
    """A submodule is the one that is checked out, and an environment may lie in the checkout."""
    tree, checkout = tmp_path / "tree", tmp_path / "checkout"
    (checkout / "sub").mkdir(parents=True)
    tree.mkdir()
    (tree / "sub").symlink_to(checkout / "sub")
    require_own_files(facts_of(**{kind: f"{checkout}/sub/a.py"}), checkout, tree)
    require_own_files(facts_of(**{kind: f"{checkout}/.venv/lib/site-packages/a.py"}), checkout, tree)
