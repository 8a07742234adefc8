"""What to do about a failed installation."""

from __future__ import annotations

import re

import pytest

from migration_gate.install.failure_advice import explain_failure


@pytest.mark.parametrize(
    ("line", "advice"),
    [
        ("Error: pg_config executable not found.", "psycopg2-binary"),
        (
            "error: HTTP status client error (401 Unauthorized) for url (https://i/simple/acme/)",
            "UV_INDEX_<NAME>_",
        ),
        ("ERROR: HTTP error 403 while getting https://i/acme.whl", "UV_INDEX_<NAME>_"),
        ("401 Client Error: Unauthorized for url: https://i/simple/acme/", "UV_INDEX_<NAME>_"),
        ("ERROR: 401 Error, Credentials not correct for https://i/simple/acme/", "UV_INDEX_<NAME>_"),
        ("fatal: unable to access 'https://i/a.git/': The requested URL returned error: 403", "GIT_CONFIG"),
        ("Package index answered with status code: 401", "UV_INDEX_<NAME>_"),
        ("error: Hash mismatch for `alembic==1.13.0`", "Make the lock file again"),
        ("error: Hash mismatch for `/builds/team-401/acme-403.whl`", "Make the lock file again"),
        ("the requested Python version (3.9) does not satisfy Python>=3.12", "python_version"),
        ("error: command 'gcc' failed: No such file or directory", "built from source"),
        ("ERROR: No matching distribution found for acme-core==99.0", "`without: [acme-core]`"),
        ("Because there is no version of acme==99.0 and you require it", "UV_INDEX=<name>=<url>"),
        (
            "No solution found: Because only acme-core<=2.3.1 is available and you require acme-core>=99, "
            "we can conclude that your requirements are unsatisfiable.",
            "`without: [acme-core]`",
        ),
        (
            "No solution found: Because only the following versions of acme are available:\n"
            "    acme<=1.1.1\n    acme>=2.0.0\nand you require acme>1.2,<1.9, we can conclude that",
            "`without: [acme]`",
        ),
        (
            "No solution found: Because only acme<=2.3 is available and acme>=2 depends on core>=3, we can "
            "conclude that acme>=2 depends on core>=3.\nAnd because you require acme>=2 and core<2, we can",
            "contradict each other",
        ),
        ("No solution found: Because a depends on b>=2 and you require b<2", "contradict each other"),
        ("ERROR: ResolutionImpossible: for help visit https://pip.pypa.io", "contradict each other"),
        (
            "No solution found: Because acme-core was not found in the package registry and you need it",
            "`without: [acme-core]`",
        ),
        ("error sending request for url: dns error", "could not be reached"),
        ("No space left on device (os error 28)", "disk is full"),
        ("error: Failed to parse metadata\n  cause: Metadata field Name not found", "`poetry lock`"),
    ],
)
def test_a_failing_installation_says_what_to_do(line: str, advice: str) -> None:
    error = explain_failure("installing", "uv.lock", [line, "index https://me:secret@i/simple"], 2)
    assert re.search(re.escape(advice), error.advice)
    assert "`install: <command>`" in error.advice
    assert "secret" not in error.evidence


@pytest.mark.parametrize(
    ("line", "advice"),
    [
        ("  × Failed to build `mysqlclient==2.2.4`", "`without: [mysqlclient]`"),
        ("  × Failed to download and build `pycairo==1.26`\nFailed to build", "`without: [pycairo]`"),
        ("ERROR: Failed building wheel for python-ldap", "`without: [python-ldap]`"),
        ("ERROR: Failed to build installable wheels for some-lib", "`without: [some-lib]`"),
        ("the requested Python (3.9) does not satisfy Python>=3.12,<4", "to one of >=3.12,<4, or"),
        ("requires Python >=3.10 but 3.9 was found", "to one of >=3.10, or"),
    ],
)
def test_the_advice_names_the_package_and_the_pythons_that_the_installer_names(
    line: str, advice: str
) -> None:
    assert advice in " ".join(explain_failure("installing", "uv.lock", line.splitlines(), 1).advice.split())
