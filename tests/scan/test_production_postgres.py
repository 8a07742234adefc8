"""Which Postgres the files of a repository name for production."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from migration_gate.scan.production_postgres import (
    find_needed_extensions,
    find_production_postgres,
    find_source,
    read_image_major,
    read_mentions,
)
from tests.support.project_files import write_files

COMPOSE = """
services:
  web:
    image: python:3.12
  db:
    image: "postgis/postgis:${POSTGIS:-16-3.4}"   # as in production
"""
TERRAFORM = """
variable "pg" {
  type    = string
  default = "15.6"
}

resource "aws_elasticache_cluster" "cache" {
  engine         = "redis"
  engine_version = "7.0"
}

resource "aws_db_instance" "main" {
  engine         = "postgres"
  engine_version = var.pg
}
"""
DATABASE_VERSIONS = {
    'resource "google_sql_database_instance" "db" {\n  database_version = "POSTGRES_14"\n}\n': [14],
    'resource "azurerm_postgresql_flexible_server" "db" {\n  version = "16"\n}\n': [16],
    'module "db" {\n  engine = "aurora-postgresql"\n  engine_version = "17.4"\n}\n': [17],
    'resource "digitalocean_database_cluster" "db" {\n  engine = "pg"\n  version = "18"\n}\n': [18],
    'resource "aws_db_instance" "db" {\n  engine = "mysql"\n  engine_version = "8.0"\n}\n': [],
    TERRAFORM: [15],
}


@pytest.mark.parametrize(
    ("image", "major"),
    [
        ("postgres:17", 17),
        ("postgres:16.4-alpine", 16),
        ("docker.io/library/postgres:15@sha256:abc", 15),
        ("postgis/postgis:17-3.5", 17),
        ("pgvector/pgvector:0.8.0-pg18", 18),
        ("pgvector/pgvector:pg16", 16),
        ("timescale/timescaledb:2.17.2-pg14", 14),
        ("ghcr.io/cloudnative-pg/postgresql:16.2", 16),
        ("registry.corp:5000/postgres:13", 13),
        ("postgres", None),
        ("postgres:latest", None),
        ("pgvector/pgvector:0.8.0", None),
        ("redis:17", None),
        ("dpage/pgadmin4:16", None),
        ("prometheuscommunity/postgres-exporter:15", None),
    ],
)
def test_the_major_is_read_from_an_image(image: str, major: int | None) -> None:
    assert read_image_major(image) == major


@pytest.mark.parametrize(("text", "majors"), DATABASE_VERSIONS.items())
def test_the_major_is_read_from_terraform(text: str, majors: list[int]) -> None:
    source = find_source("infra/main.tf")
    assert source is not None
    assert [mention.major for mention in read_mentions(text, "infra/main.tf", source)] == majors


def lay_repository(folder: Path, files: dict[str, str]) -> None:
    write_files(folder, files)
    subprocess.run(["git", "init", "-q", folder], check=True)
    subprocess.run(["git", "-C", folder, "add", "-A"], check=True)


def list_places(folder: Path) -> list[tuple[int, str]]:
    return [(mention.major, mention.place) for mention in find_production_postgres(folder)]


def test_what_is_nearest_to_production_comes_first(tmp_path: Path) -> None:
    files = {
        ".github/workflows/ci.yml": "jobs:\n  a:\n    services:\n      db:\n        image: postgres:14\n",
        "Dockerfile.db": "ARG PG=13\nFROM --platform=linux/amd64 postgres:${PG}-alpine AS db\n",
        "docker-compose.yml": COMPOSE,
        "docker-compose.prod.yml": "services:\n  db:\n    image: pgvector/pgvector:pg17\n",
        "infra/db.tf": TERRAFORM,
        "tests/docker-compose.yml": "services:\n  db:\n    image: postgres:12\n",
        "docs/compose.yml": "services:\n  db:\n    image: postgres:11\n",
    }
    lay_repository(tmp_path, files)
    assert list_places(tmp_path) == [
        (15, "infra/db.tf:14"),
        (17, "docker-compose.prod.yml:3"),
        (16, "docker-compose.yml:6"),
        (13, "Dockerfile.db:2"),
        (14, ".github/workflows/ci.yml:5"),
    ]
    assert find_production_postgres(tmp_path)[2].image == "postgis/postgis:16-3.4"


def test_another_project_of_the_repository_names_nothing_for_this_one(tmp_path: Path) -> None:
    other = "services:\n  db:\n    image: postgres:14\n"
    lay_repository(tmp_path, {"services/b/compose.yml": other, "services/a/app.py": ""})
    assert list_places(tmp_path / "services/a") == []
    lay_repository(tmp_path, {"deploy/compose.yml": other.replace("14", "16")})
    assert list_places(tmp_path / "services/a") == [(16, "deploy/compose.yml:3")]
    assert list_places(tmp_path / "services/b") == [(14, "compose.yml:3")]


def test_the_extensions_that_the_project_creates_are_found_in_its_text(tmp_path: Path) -> None:
    lay_repository(
        tmp_path,
        {
            "one.py": 'op.execute("CREATE EXTENSION IF NOT EXISTS pg_trgm")',
            "two.py": 'op.execute("create extension \\"uuid-ossp\\"")',
            "three.sql": 'create extension "Hstore";',
            "four.md": "CREATE EXTENSION postgis",
        },
    )
    assert find_needed_extensions(tmp_path) == {"pg_trgm", "uuid-ossp", "hstore"}


def test_a_link_out_of_the_repository_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "shop").mkdir()
    write_files(tmp_path, {"outside.yml": COMPOSE, "outside.sql": "CREATE EXTENSION vector"})
    (tmp_path / "shop" / "docker-compose.yml").symlink_to("../outside.yml")
    (tmp_path / "shop" / "a.sql").symlink_to("../outside.sql")
    (tmp_path / "shop" / "Dockerfile").symlink_to("/dev/full")  # (which has zeros without an end)
    assert find_production_postgres(tmp_path / "shop") == ()
    assert find_needed_extensions(tmp_path / "shop") == frozenset()
