"""What to do where a Postgres server is not to be had on this machine: text to copy."""

from __future__ import annotations

from migration_gate.config.gate_variables import in_image

INSTALL = (
    "Install a server (Debian: apt install postgresql; macOS: brew install postgresql@17), or start Docker, "
    "or set DOCKER_HOST."
)
SERVICE = """\
Run it as a service of the job, and give the gate its address:

    services:
      db:
        image: {image}
        env: {{POSTGRES_PASSWORD: gate}}
        options: --health-cmd pg_isready --health-interval 2s{ports}

    {address}"""
IN_IMAGE = {"ports": "", "address": "with: {postgres: 'postgresql://postgres:gate@db:5432/postgres'}"}
"""a container of the job has the service under its name"""
ON_RUNNER = {
    "ports": "\n        ports: ['5432:5432']",
    "address": "migration-gate check --postgres postgresql://postgres:gate@localhost:5432/postgres",
}


def advise_service(image: str, majors: tuple[int, ...] = ()) -> str:
    """How to get a server of this image without Docker's socket.

    majors: those that can be fetched from PyPI.
    """
    paragraphs = [SERVICE.format(image=image, **(IN_IMAGE if in_image() else ON_RUNNER))]
    if not in_image():
        paragraphs.insert(0, INSTALL)
    if majors:
        *others, last = (f"`postgres: {major}`" for major in majors)
        choice = f"{', '.join(others)} or {last}" if others else last
        paragraphs.append(f"{choice} can be had without Docker: they are fetched from PyPI.")
    return "\n\n".join(paragraphs)
