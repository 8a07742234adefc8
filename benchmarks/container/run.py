"""Times the same check inside the container and outside of it, pair by pair. See README.md.

python benchmarks/container/run.py --repeat 15
"""

from __future__ import annotations

import argparse
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
sys.path.insert(0, str(ROOT))

from benchmarks.replay.synthetic import write  # noqa: E402

MAX_SECONDS_MORE = 1.0
"""that the container may take over a check outside of it"""
MAX_SECONDS_TO_END = 2.0
"""from SIGTERM to the end of the container, in the middle of a migration"""
SLEEPING_REVISION = """
import time

revision = "sleeping"
down_revision = None


def upgrade():
    print("asleep", flush=True)
    time.sleep(600)
"""
PACKAGES = ("alembic==1.16.5", "sqlalchemy==2.0.43", "psycopg[binary]==3.2.9")
PYTHON = "/opt/project/bin/python"
READY = """
FROM {image}
RUN uv venv -q --python /usr/local/bin/python3.13 /opt/project \\
    && uv pip install -q --no-cache --compile-bytecode --python /opt/project {packages}
"""


def measure_check(command: list[str], environment: dict[str, str]) -> float:
    """How long one check takes; ends the benchmark when it does not pass."""
    start = time.perf_counter()
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    took = time.perf_counter() - start
    if done.returncode != 0:
        sys.exit(f"{' '.join(command)}\nended with {done.returncode}\n{done.stdout}{done.stderr}")
    return took


def make_environment(folder: Path) -> Path:
    """An interpreter with the same packages as the container's project has."""
    environment = folder / "venv"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", environment], check=True)
    python = environment / "bin" / "python"
    quiet = ["uv", "pip", "install", "--quiet", "--compile-bytecode", "--python", str(python), *PACKAGES]
    subprocess.run(quiet, check=True)
    return python


def main() -> int:
    """Print the medians and the difference; 1 where the container costs more than it may."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--image", default="migration-gate")
    parser.add_argument("--gate", default=str(Path(sys.executable).with_name("migration-gate")))
    parser.add_argument("--revisions", type=int, default=20)
    parser.add_argument("--repeat", type=int, default=15)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)
        write(folder / "project", revisions=options.revisions)
        subprocess.run(["git", "init", "--quiet", folder / "project"], check=True)
        subprocess.run(["git", "-C", folder / "project", "add", "."], check=True)
        image = f"{options.image}-benchmark"
        text = READY.format(image=options.image, packages=" ".join(f"'{package}'" for package in PACKAGES))
        subprocess.run(
            ["docker", "build", "-q", "-t", image, "-"],
            input=text.encode(),
            check=True,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        inside = ["docker", "run", "--rm", "-v", f"{folder}/project:/src", image, "check", "/src"]
        inside += ["--python", PYTHON, "--install", "off"]
        plain = [
            options.gate,
            "check",
            f"{folder}/project",
            "--python",
            str(make_environment(folder)),
            "--install",
            "off",
        ]
        pairs = [measure_turn(inside, plain, folder, number) for number in range(options.repeat + 1)][1:]
        seconds_to_end = measure_end(image, folder)
    status = print_result(pairs, options.revisions)
    print(f"{'SIGTERM to the end':24}{seconds_to_end:6.2f} s")
    return status or int(seconds_to_end > MAX_SECONDS_TO_END)


def measure_end(image: str, folder: Path) -> float:
    """Seconds from `docker stop`, in the middle of a migration, to the end of the container."""
    project = folder / "sleeping"
    versions = project / "migrations" / "versions"
    write(project, revisions=1)
    for revision in versions.glob("*.py"):
        revision.unlink()
    (versions / "sleeping.py").write_text(SLEEPING_REVISION)
    name = f"migration-gate-benchmark-{os.getpid()}"
    run = ["docker", "run", "-d", "--name", name, "-v", f"{project}:/src", image, "check", "/src"]
    subprocess.run([*run, "--python", PYTHON, "--install", "off"], check=True, stdout=subprocess.DEVNULL)
    try:
        time.sleep(5)  # by then the migration sleeps; too early only measures another moment
        start = time.perf_counter()
        subprocess.run(["docker", "stop", "--time", "60", name], check=True, stdout=subprocess.DEVNULL)
        return time.perf_counter() - start
    finally:
        subprocess.run(["docker", "rm", "-f", name], check=True, stdout=subprocess.DEVNULL)


def measure_turn(
    inside: list[str], plain: list[str], folder: Path, number: int
) -> tuple[float, float, float]:
    """Seconds in the container, outside on a new machine, and outside where a cluster is kept."""
    new = {**os.environ, "XDG_CACHE_HOME": str(folder / f"cache-{number}")}
    kept = {**os.environ, "XDG_CACHE_HOME": str(folder / "cache")}
    commands = [(inside, dict(os.environ)), (plain, new), (plain, kept)]
    order = (0, 1, 2) if number % 2 else (2, 1, 0)
    took = {index: measure_check(*commands[index]) for index in order}
    return took[0], took[1], took[2]


def print_result(pairs: list[tuple[float, float, float]], revisions: int) -> int:
    """Say it, and whether it is little enough."""
    print(
        f"{platform.machine()}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}; {revisions} revisions"
    )
    names = ("in the container", "outside, new machine", "outside, kept cluster")
    for index, name in enumerate(names):
        print(f"{name:24}{statistics.median(pair[index] for pair in pairs):6.2f} s")
    for index, name in ((1, "new machine"), (2, "kept cluster")):
        more = [pair[0] - pair[index] for pair in pairs]
        low, _, high = statistics.quantiles(more, n=4)
        middle = statistics.median(more)
        print(f"the container costs {middle:.2f} s more ({low:.2f} to {high:.2f}) than outside, {name}")
    return int(statistics.median(pair[0] - pair[2] for pair in pairs) > MAX_SECONDS_MORE)


if __name__ == "__main__":
    sys.exit(main())
