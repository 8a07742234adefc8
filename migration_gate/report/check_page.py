"""Where the documentation of a check is, for links in reports."""

from urllib.parse import quote

HOME = "https://github.com/migration-gate/migration-gate"


def check_page(name: str) -> str:
    """The address of what the documentation says about the check of this name."""
    return f"{HOME}/blob/main/checks/README.md#{quote(name)}"
