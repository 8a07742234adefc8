"""The file of a module is read without asking the module; what only looks like one has none."""

from __future__ import annotations

import sys
from types import ModuleType
from typing import Any

import pytest

from migration_gate.worker.files_read import list_loaded_modules
from migration_gate.worker.imported_modules import find_imported_modules, list_installed_packages
from migration_gate.worker.module_files import find_module_file


class Pretender:
    """As a compiled library of cffi in sys.modules: its class says that it is a module."""

    __slots__ = ()

    @property  # type: ignore[misc]
    def __class__(self) -> Any:
        return ModuleType

    def __getattr__(self, name: str) -> Any:
        raise AttributeError(name)


class Lazy(ModuleType):
    """Loads itself as soon as it is asked for something."""

    def __getattribute__(self, name: str) -> Any:
        raise AssertionError(name)


def test_what_only_claims_to_be_a_module_has_no_file() -> None:
    pretender: Any = Pretender()
    assert isinstance(pretender, ModuleType)
    for other in (pretender, None, "text"):
        assert find_module_file(other) is None


def test_a_lazy_module_is_not_loaded() -> None:
    lazy = Lazy("lazy")
    ModuleType.__setattr__(lazy, "__file__", "/app/lazy.py")
    assert find_module_file(lazy) == "/app/lazy.py"
    assert find_module_file(ModuleType("made")) is None


def test_lists_of_modules_take_whatever_is_imported(monkeypatch: pytest.MonkeyPatch) -> None:
    modules: dict[str, Any] = {"pretender": Pretender(), "lazy": Lazy("lazy"), "none": None}
    for name, module in modules.items():
        monkeypatch.setitem(sys.modules, name, module)
    assert isinstance(list_loaded_modules(), tuple)
    assert "pretender" not in {module.name for module in find_imported_modules()}
    assert "pytest" in list_installed_packages()
