"""What the installer gets of the gate's environment."""

from __future__ import annotations

from migration_gate.install.installer import select_variables


def test_the_installer_sees_package_indexes_and_no_token_of_the_runner() -> None:
    runner = {
        "PATH": "/bin", "GITHUB_TOKEN": "t", "ACTIONS_RUNTIME_TOKEN": "t", "INPUT_TOKEN": "t",
        "UV_PUBLISH_TOKEN": "t", "PIP_INDEX_URL": "https://u:p@i/simple", "UV_PYTHON": "t", "AWS_X": "t",
        "https_proxy": "p",
        "POETRY_HTTP_BASIC_ACME_PASSWORD": "secret", "DATABASE_URL": "t", "UV_PROJECT_ENVIRONMENT": "t",
    }  # fmt: skip
    seen = select_variables(runner, {"UV_INDEX_ACME_USERNAME": "me", "SECRET_KEY": "t"})
    assert "t" not in seen.values()
    assert seen == {
        "PATH": "/bin", "PIP_INDEX_URL": "https://u:p@i/simple", "UV_DEFAULT_INDEX": "https://u:p@i/simple",
        "https_proxy": "p", "POETRY_HTTP_BASIC_ACME_PASSWORD": "secret", "UV_INDEX_ACME_PASSWORD": "secret",
        "UV_INDEX_ACME_USERNAME": "me",
    }  # fmt: skip
