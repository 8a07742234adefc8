"""The image under test: built once for these sources, however many processes test it."""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import subprocess
import tempfile
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SOURCES = (
    "Dockerfile", ".dockerignore", "requirements.lock", "pyproject.toml", "README.md", "LICENSE",
    "entrypoint.py", "migration_gate", "checks",
)  # fmt: skip
"""what the image is made of"""
PYTHON = "/opt/project/bin/python"
"""an interpreter with a project's packages, in the tests' image alone: few cases are about installing"""
READY = """
FROM {image}
RUN uv venv -q --python /usr/local/bin/python3.13 /opt/project \\
    && uv pip install -q --no-cache --compile-bytecode --python /opt/project \\
        alembic==1.16.5 sqlalchemy==2.0.43 psycopg2-binary==2.9.10
"""


def kit_folder() -> Path:
    """The scripts that stand in for a runner and a registry. Skips the test without them."""
    folder = os.environ.get("MIGRATION_GATE_DOCKER_KIT")
    if not folder:
        pytest.skip("MIGRATION_GATE_DOCKER_KIT is not set: the image was NOT tested")
    if not (Path(folder) / "gh_docker_run.py").exists():
        pytest.skip(f"no gh_docker_run.py in MIGRATION_GATE_DOCKER_KIT ({folder}): the image was NOT tested")
    return Path(folder).resolve()


def run_docker(*words: str, **options: object) -> subprocess.CompletedProcess[str]:
    """Run docker; what it printed, whatever its status."""
    command = ["docker", *words]
    return subprocess.run(command, capture_output=True, text=True, check=False, **options)  # type: ignore[call-overload,no-any-return]


def demand_daemon() -> None:
    """Skip the test where no daemon answers."""
    if not shutil.which("docker") or run_docker("version").returncode != 0:
        pytest.skip("no Docker daemon answers: the image was NOT tested")


@cache
def stand_in_image(name: str) -> str:
    """A base image, made by the kit where it is neither here nor to be pulled. Skips the test without it."""
    demand_daemon()
    if (
        run_docker("image", "inspect", name).returncode != 0
        and run_docker("pull", "-q", name).returncode != 0
    ):
        environment = {"CACHE_DIR": "/tmp/base-images", **os.environ}
        done = subprocess.run(
            [kit_folder() / "make-base-images.sh", name],
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode != 0:
            pytest.skip(f"no image {name}: {done.stderr[-300:]}")
    return name


@cache
def demand_base_image() -> None:
    """Skip the test where the base of the Dockerfile is not here, cannot be pulled, and cannot be made."""
    environment = {**os.environ, "MIGRATION_GATE_DOCKER_KIT": str(kit_folder())}
    done = subprocess.run(
        [ROOT / ".ci/base-image"], env=environment, capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        pytest.skip(f"no base image: {done.stderr[-300:]}")


@cache
def built_image() -> str:
    """The image for tests, of the sources as they are now. Skips the test where it cannot be had.

    GATE_TEST_IMAGE names one that is to be tested instead.
    """
    kit_folder()
    demand_daemon()
    if given := os.environ.get("GATE_TEST_IMAGE"):
        _ready(given, name := f"migration-gate-test:{hashlib.sha256(given.encode()).hexdigest()[:16]}")
        return name
    demand_base_image()
    with tempfile.TemporaryDirectory() as folder:
        context = Path(folder)
        _copy(context)
        text = READY.encode() + b"".join(_hashed(context))
        name = f"migration-gate-test:{hashlib.sha256(text).hexdigest()[:16]}"
        with (Path(tempfile.gettempdir()) / "migration-gate-test-image.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)  # the processes of pytest-xdist all want it
            if run_docker("image", "inspect", name).returncode != 0:
                _build(context, name)
    return name


def _copy(context: Path) -> None:
    for name in SOURCES:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, context / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy2(ROOT / name, context / name)


def _hashed(context: Path) -> list[bytes]:
    files = sorted(file for file in context.rglob("*") if file.is_file())
    return [str(file.relative_to(context)).encode() + b"\0" + file.read_bytes() for file in files]


def _build(context: Path, name: str) -> None:
    environment = {**os.environ, "IMAGE": f"{name}-bare", "FOLDER": str(context)}
    done = subprocess.run(
        [ROOT / ".ci" / "image"], env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    _ready(f"{name}-bare", name)


def _ready(image: str, name: str) -> None:
    done = run_docker("build", "-q", "-t", name, "-", input=READY.format(image=image))
    assert done.returncode == 0, done.stderr


def bare_image() -> str:
    """The image as it is published."""
    return os.environ.get("GATE_TEST_IMAGE") or f"{built_image()}-bare"
