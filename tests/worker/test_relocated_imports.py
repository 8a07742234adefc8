"""Packages that were installed for one checkout are imported from another one."""

from __future__ import annotations

import sys
from pathlib import Path
from types import ModuleType

import pytest

from migration_gate.worker.relocated_imports import relocate_imports


def test_folders_of_the_other_checkout_are_replaced_and_installed_packages_stay(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    old, new = str(tmp_path / "old"), str(tmp_path / "new")
    packages = f"{old}/.venv/lib/python3.12/site-packages"
    monkeypatch.setattr(sys, "path", ["", "/usr/lib", f"{old}/src", old, f"{old}er/src", packages])
    relocate_imports(old, new)
    assert sys.path == ["", "/usr/lib", f"{new}/src", new, f"{old}er/src", packages]


def test_the_tables_of_setuptools_hooks_are_changed_in_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    old, new = str(tmp_path / "old"), str(tmp_path / "new")
    hook = ModuleType("__editable___shop_0_1_finder")
    mapping = {"shop": f"{old}/shop", "other": "/elsewhere/other"}
    namespaces = {"ns": [f"{old}/ns"]}
    vars(hook).update(MAPPING=mapping, NAMESPACES=namespaces)
    monkeypatch.setitem(sys.modules, hook.__name__, hook)
    monkeypatch.setattr(sys, "path", [])
    relocate_imports(old, new)
    assert mapping == {"shop": f"{new}/shop", "other": "/elsewhere/other"}
    assert namespaces == {"ns": [f"{new}/ns"]}
