"""Server programs from a package on PyPI: which there are, and that only the published ones run."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from migration_gate.errors import PostgresNotFound
from migration_gate.postgres.package_contents import copy_programs, list_folders, measure_contents
from migration_gate.postgres.server_package import ServerPackage, ServerWheel, list_packages


def lay_package(root: Path) -> tuple[ServerPackage, ServerWheel]:
    """A package of a few files, as it was published."""
    package = replace(list_packages()[0], programs="fake/pginstall", libraries=("fake.libs",))
    for name in ("fake/pginstall/bin/postgres", "fake/pginstall/lib/vector.so", "fake.libs/libpq.so"):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(f"#!/bin/sh\necho {name}\n")
    return package, ServerWheel(("any",), "", measure_contents(root, package), 1)


def test_the_packages_carry_16_to_18_for_both_architectures_of_linux() -> None:
    for machine in ("x86_64", "aarch64"):
        tags = frozenset({f"manylinux_2_34_{machine}", f"manylinux_2_28_{machine}"})
        assert {package.major for package in list_packages() if package.find_wheel(tags)} == {16, 17, 18}
    hashes = [wheel.sha256 for package in list_packages() for wheel in package.wheels]
    assert all(len(bytes.fromhex(sha256)) == 32 for sha256 in hashes)
    assert len(set(hashes)) == len(hashes)


def test_a_copy_runs_and_lies_as_in_the_package(tmp_path: Path) -> None:
    package, wheel = lay_package(tmp_path / "cache")
    (tmp_path / "cache/fake/pginstall/include").mkdir()
    previous = os.umask(0o077)
    try:
        programs = copy_programs(tmp_path / "cache", tmp_path / "run", package, wheel)
    finally:
        os.umask(previous)
    assert programs == tmp_path / "run/fake/pginstall/bin"
    copies = [tmp_path / "run", *(tmp_path / "run").rglob("*")]
    assert {path.stat().st_mode & 0o777 for path in copies} == {0o755}
    output = subprocess.run([programs / "postgres"], capture_output=True, text=True, check=True).stdout
    assert output == "fake/pginstall/bin/postgres\n"
    assert not (tmp_path / "run/fake/pginstall/include").exists()
    assert list_folders(package)[-1] == "fake.libs"


def remove_and_link(library: Path) -> None:
    library.unlink()
    library.symlink_to("/etc/passwd")


def link_to_a_copy(library: Path) -> None:
    """Which could be exchanged when it has been compared."""
    copy = library.parents[3] / "copy.so"
    library.rename(copy)
    library.symlink_to(copy)


def replace_by_a_pipe(library: Path) -> None:
    library.unlink()
    os.mkfifo(library)


def replace_by_an_endless_file(library: Path) -> None:
    library.unlink()
    library.symlink_to("/dev/zero")


CHANGES: dict[str, Callable[[Path], object]] = {
    "changed": lambda library: library.write_text(library.read_text().replace("lib", "bil")),
    "added": lambda library: library.with_name("other.so").write_text(""),
    "removed": lambda library: library.unlink(),
    "renamed": lambda library: library.rename(library.with_name("vectors.so")),
    "linked": remove_and_link,
    "linked to a copy": link_to_a_copy,
    "a name that is no text": lambda library: library.with_name("\udcff").write_text(""),
    "a pipe": replace_by_a_pipe,
    "endless": replace_by_an_endless_file,
}


@pytest.mark.parametrize("change", CHANGES)
def test_programs_that_somebody_changed_in_the_cache_are_not_run(tmp_path: Path, change: str) -> None:
    package, wheel = lay_package(tmp_path / "cache")
    CHANGES[change](tmp_path / "cache/fake/pginstall/lib/vector.so")
    assert measure_contents(tmp_path / "cache", package) != wheel.contents
    with pytest.raises(PostgresNotFound, match="should be those that were published"):
        copy_programs(tmp_path / "cache", tmp_path / "run", package, wheel)
    assert not (tmp_path / "run").exists()


def test_links_are_not_copied(tmp_path: Path) -> None:
    package, wheel = lay_package(tmp_path / "cache")
    # The loader of programs looks into a folder of this name first: what is in it must have been compared.
    (tmp_path / "cache/fake/pginstall/lib/glibc-hwcaps").symlink_to(tmp_path)
    copy_programs(tmp_path / "cache", tmp_path / "run", package, wheel)
    assert [path.name for path in (tmp_path / "run/fake/pginstall/lib").iterdir()] == ["vector.so"]
