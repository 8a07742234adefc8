"""What the project lacks on this machine: files, other machines, packages."""

from __future__ import annotations

import os
import re
import shlex
from pathlib import Path

from migration_gate.facts import Failure
from migration_gate.postgres.run_directory import PREFIX
from migration_gate.project.env_files import find_env_file
from migration_gate.replay.dummy_files import DUMMY_TEXT, make_dummy_content
from migration_gate.replay.early_end import EarlyEnd, name_failed_line
from migration_gate.replay.setting_advice import config_block, env_block

NETWORK_LIBRARIES = {
    "sshtunnel": "an SSH tunnel",
    "paramiko": "an SSH connection",
    "asyncssh": "an SSH connection",
    "fabric": "an SSH connection",
    "google": "Google Cloud",
    "cloud_sql_python_connector": "Google Cloud",
    "boto3": "AWS",
    "botocore": "AWS",
    "aioboto3": "AWS",
    "azure": "Azure",
    "hvac": "Vault",
    "consul": "Consul",
    "redis": "Redis",
    "kafka": "Kafka",
    "pika": "RabbitMQ",
    "elasticsearch": "Elasticsearch",
    "requests": "a web service",
    "httpx": "a web service",
    "urllib3": "a web service",
    "aiohttp": "a web service",
}
"""what a package of this name reaches over the network"""
NAME_RESOLUTION = re.compile(
    r"could not translate host name|Name or service not known|name resolution|"
    r"nodename nor servname|getaddrinfo"
)
NO_NETWORK = re.compile(
    r"Operation not permitted|Connection refused|Network is unreachable|Could not establish|timed out|"
    r"Max retries exceeded|Could not connect|Cannot connect|ConnectionError|ConnectError|credentials"
)
NETWORK_PROGRAMS = re.compile(
    r"(?<![\w./-])(?:/\S*/)?"
    r"(pg_isready|psql|pg_dump|pg_restore|createdb|ssh|nc|aws|gcloud|vault|kubectl|cloud[-_]sql[-_]proxy)"
    r"(?![\w./-])"
)
"""what a project runs to reach another machine"""
DATABASE_IS_DOWN = re.compile(
    r"\b(database|db|postgres\w*|server)\b.{0,40}\b(not (up|ready|available|reachable|responding)|"
    r"unavailable|unreachable|(is|was|seems|still) (still )?down|never came up)\b",
    re.IGNORECASE,
)
"""in a project's own words, after it has waited for its database"""
NETWORK_EXCEPTIONS = re.compile(
    r"gaierror|Connect\w*(Error|Timeout)|Tunnel|Endpoint|Credential|TransportError"
)
ASYNC_DRIVER_MISSING = re.compile(
    r"requires an async driver|greenlet_spawn has not been called|MissingGreenlet"
)
DRIVERS = {
    "psycopg2": "psycopg2-binary",
    "psycopg": "'psycopg[binary]'",
    "asyncpg": "asyncpg",
    "pg8000": "pg8000",
    "greenlet": "greenlet",
}
"""module and the package that has it"""
MISSING_FILE = re.compile(r"No such file or directory: b?'([^']+)'")
FILE_AT_HOME = re.compile(rf".*/{PREFIX}[^/]+/home/(.+)")
"""in the folder of a run, where the project's home is"""
DENIED_FILE = re.compile(r"(?:Permission denied|Is a directory|Not a directory): b?'([^']+)'")
UNMAPPED_LIBRARY = re.compile(r"(/\S+): failed to map segment from shared object")
PROGRAM_ERRORS = ("CalledProcessError", "TimeoutExpired")
SKIP_VARIABLE = "SKIP_TUNNEL"
SKIPPING = f'if os.environ.get("{SKIP_VARIABLE}") != "1":'


def advise_on_files(early_end: EarlyEnd) -> str | None:
    """A file that is not there, or may not be read."""
    failure = early_end.failure
    match = MISSING_FILE.search(failure.message) or DENIED_FILE.search(failure.message)
    if match is None:
        return None
    path = Path(os.path.normpath(match[1]))
    variable = next((item.name for item in early_end.missing if item.default == match[1]), None)
    if variable is not None:
        return (
            f"The path is the default of `{variable}`: commit a file with dummy content,"
            f"{_show_content(early_end, path)}and name it in .migration-gate.yml,\n\n"
            f"{env_block({variable: 'ci/' + path.name})}"
        )
    if not path.is_absolute() or path.is_relative_to(early_end.project.root):
        return _advise_on_own_file(early_end, path)
    return _advise_on_foreign_file(early_end, path)


def _advise_on_foreign_file(early_end: EarlyEnd, path: Path) -> str:
    """A file outside the repository, whose path a variable can give."""
    variable = _variable_for(path)
    at_home = FILE_AT_HOME.fullmatch(str(path))
    shown, place = (
        (f"~/{at_home[1]}", "of the user's home") if at_home else (str(path), "outside the repository")
    )
    reading = f'os.environ.get("{variable}", "{shown}")'
    making = f"mkdir -p {path.parent} && echo {shlex.quote(make_dummy_content(early_end, path))} > {path}"
    advice = (
        f"`{shown}` is a file {place}, and is missing here. Take its path from a variable, "
        f"with this one as the default: in `{_name_reading_file(early_end.failure)}`,\n\n"
        f"{config_block(f'os.path.expanduser({reading})' if at_home else reading)}\n\n"
        f"and let the gate read a file of the repository with dummy content,{_show_content(early_end, path)}"
        f"in .migration-gate.yml,\n\n{env_block({variable: 'ci/' + path.name})}"
    )
    if at_home:
        return f"{advice}\n\nThe project's code does not see the home of whoever runs the gate."
    return (
        f"{advice}\n\nWhere the gate runs as a command, a step before it can make the file instead:\n\n"
        f"{config_block(*making.splitlines())}\n\n(`prepare:` runs with the project's rights, which may not "
        "write there.)"
    )


def _show_content(early_end: EarlyEnd, path: Path) -> str:
    """The content, as a block within a sentence; a space if any will do."""
    content = make_dummy_content(early_end, path)
    return " " if content == DUMMY_TEXT else f"\n\n{config_block(*content.splitlines())}\n\n"


def _variable_for(path: Path) -> str:
    return re.sub(r"\W+", "_", path.stem).strip("_").upper() + "_FILE"


def _name_reading_file(failure: Failure) -> str:
    return failure.location.file if failure.location else "the file that reads it"


def _advise_on_own_file(early_end: EarlyEnd, path: Path) -> str:
    """A file of the repository, that is not there or is looked for in another folder."""
    root, directory = early_end.project.root, early_end.project.directory
    if (root / path).exists():
        return f"`{path}` may not be read by the user that runs the project: allow that with `chmod a+r`."
    if path.name.startswith(".env"):
        return _advise_on_env_file(early_end, path)
    if path.is_absolute():
        return (
            f"`{path}` is not in the checkout: it may be ignored by git, or made by another command. Commit "
            f"one with dummy content,{_show_content(early_end, path)}or make it in a step before the gate."
        )
    for folder in _folders_below(root):
        if (folder / path).exists() and folder != directory:
            return (
                f"`{path}` is looked for in `{directory}`, and lies in `{folder}`. Run the project there: in "
                f".migration-gate.yml,\n\n{config_block(f'working_directory: {folder.relative_to(root)}')}"
            )
    return (
        f"`{path}` is not in `{directory}`, where the project runs: it may be ignored by git. Commit one "
        f"with dummy content,{_show_content(early_end, path)}make it in a step before the gate, or name the "
        "folder with `working_directory:`."
    )


def _advise_on_env_file(early_end: EarlyEnd, path: Path) -> str:
    """A file of settings that each developer has, and which the project's code opens itself."""
    root, directory = early_end.project.root, early_end.project.directory
    example = find_env_file(root, directory, ())
    target, source = (
        shlex.quote(os.path.relpath(file, root)) for file in (directory / path, example or directory)
    )
    make = f"touch {target}" if example is None else f"cp {source} {target}"
    return (
        f"`{path}` is not in the checkout: as a rule, git ignores it. Make it in a step before the gate "
        f"(`{make}`), and set under `env:` what it lacks."
    )


def _folders_below(root: Path) -> list[Path]:
    try:
        children = sorted(child for child in root.iterdir() if child.is_dir() and child.name[0] != ".")
    except OSError:
        children = []
    return [root, *children]


# Other machines.


def advise_on_libraries(early_end: EarlyEnd) -> str | None:
    """A compiled module that the kernel may not run where it is."""
    match = UNMAPPED_LIBRARY.search(early_end.failure.message)
    if match is None:
        return None
    return (
        f"The disk of `{Path(match[1]).parent}` is mounted with `noexec`, so nothing compiled can be loaded "
        "from it. Put the environment on another disk: name a folder there with `cache:` if the gate has "
        "installed it, else its interpreter with `python:`."
    )


def advise_on_network(early_end: EarlyEnd) -> str | None:
    """Another machine, which the gate keeps the project from."""
    failure = early_end.failure
    text = early_end.text
    library = _network_library(failure)
    resolves = NAME_RESOLUTION.search(text)
    is_of_network = (
        resolves or NETWORK_EXCEPTIONS.search(failure.exception_class) or _is_refused_socket(failure)
    )
    if library is not None and (is_of_network or NO_NETWORK.search(text)):
        reaches = f"reaches for {NETWORK_LIBRARIES[library]}"
    elif resolves:
        reaches = "looks up the address of another machine"
    elif _is_of_network_program(failure):
        reaches = "runs a program that reaches for another machine"
    elif failure.is_deliberate and DATABASE_IS_DOWN.search(text):
        reaches = "waits for the database of another machine"
    elif is_of_network:
        reaches = "reaches for another machine"
    else:
        return None
    return (
        f"{name_failed_line(failure)} {reaches}. The gate has no network, and needs none: every connection "
        "to a database goes to the ephemeral server. Leave that step out there, with what "
        "uses its result: put it behind\n\n"
        f"{config_block(SKIPPING)}\n\nand set in .migration-gate.yml\n\n{env_block({SKIP_VARIABLE: '1'})}"
    )


def _is_of_network_program(failure: Failure) -> bool:
    """Whether a program failed that reaches for another machine, or is not there to be run."""
    if failure.exception_class in PROGRAM_ERRORS:
        return NETWORK_PROGRAMS.search(failure.message) is not None
    program = MISSING_FILE.search(failure.message)
    return program is not None and NETWORK_PROGRAMS.fullmatch(program[1]) is not None


def _is_refused_socket(failure: Failure) -> bool:
    """What the sandbox answers; if a file is refused, its name is in the message."""
    return failure.exception_class == "PermissionError" and "'" not in failure.message


def _network_library(failure: Failure) -> str | None:
    """The package that reached for the network, by the frames."""
    for frame in reversed(failure.traceback):
        match = re.search(r"/site-packages/(\w+)[/.]", frame)
        if match and match[1] in NETWORK_LIBRARIES:
            return match[1]
    match = re.search(r"No module named '(sshtunnel|paramiko)", failure.message)
    return match[1] if match else None


# Drivers and packages.


def advise_on_drivers(early_end: EarlyEnd) -> str | None:
    """A driver for the engine that env.py builds."""
    failure, python = early_end.failure, early_end.project.python
    if ASYNC_DRIVER_MISSING.search(early_end.text):
        if "requires an async driver" in failure.message:
            return (
                "env.py builds an asynchronous engine, and the driver that its URL leads to is none. Give it "
                "a URL of `postgresql+asyncpg://`, with the driver installed: "
                f"`{python} -m pip install asyncpg`."
            )
        return (
            "env.py builds a synchronous engine (`create_engine`) from the URL of an asynchronous driver. "
            "Use `create_async_engine` there, or give env.py a URL of `postgresql+psycopg://`."
        )
    match = re.search(
        r"No module named '(\w+)'|(?:the|'?)\s?(greenlet)'? library is (?:required|installed)",
        failure.message,
    )
    module = match and (match[1] or match[2])
    if module not in DRIVERS:
        return None
    kind = "asynchronous" if module in ("asyncpg", "greenlet") else "synchronous"
    return (
        f"env.py builds an engine that needs `{module}`, which is not installed ({kind}): "
        f"`{python} -m pip install {DRIVERS[module]}`."
    )
