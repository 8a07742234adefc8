"""The file and line of each mapped class."""

from __future__ import annotations

import importlib
from pathlib import Path

import pytest

from migration_gate.worker.model_locations import find_mapped_classes
from migration_gate.worker.protocol.model_lines import MappedClass

MODELS = """\
from sqlalchemy import Integer
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
class Base(DeclarativeBase): pass

class Item(Base):
    __tablename__ = "item"
    id: Mapped[int] = mapped_column(primary_key=True)

class ItemGroup(Base):
    __tablename__ = "item_group"
    id: Mapped[int] = mapped_column(primary_key=True)

def make():
    class  Late(Base):
        __tablename__ = "late"
        id: Mapped[int] = mapped_column(primary_key=True)
    return Late
late = make()
key = mapped_column(Integer, primary_key=True)
Unnamed = type("Unnamed", (Base,), {"__tablename__": "unnamed", "id": key})
class Item2: pass
class Item: pass
"""


def test_each_class_has_the_line_of_its_first_definition(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "models_of_lines.py"
    file.write_text(MODELS)
    monkeypatch.syspath_prepend(tmp_path)
    metadata = importlib.import_module("models_of_lines").Base.metadata
    found = find_mapped_classes({id(table): f"public.{name}" for name, table in metadata.tables.items()})
    assert found == (
        MappedClass("public.item", str(file), 5),
        MappedClass("public.item_group", str(file), 9),
        MappedClass("public.late", str(file), 14),
        MappedClass("public.unnamed", str(file), None),
    )
