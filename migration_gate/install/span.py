"""Ranges of versions: Poetry's spelling as everybody else's, and which Python fits."""

from __future__ import annotations

import re
from collections.abc import Sequence


def pep440(text: str) -> str:
    """`^3.10`, `~3.10` and `3.*` as a specifier; nothing for `*`. Of alternatives (`||`), the last."""
    text = text.rsplit("||", maxsplit=1)[-1].strip()
    return ",".join(
        part for each in re.split(r"\s*,\s*|(?<=[\d*])\s+(?=[<>=!^~])", text) if (part := _one(each.strip()))
    )


def _one(text: str) -> str:
    if text in ("", "*"):
        return ""
    match = re.fullmatch(r"([\^~])\s*(\d[\w.]*)", text)
    if match is None:
        text = re.sub(r"\s+", "", text)
        if re.match(r"\d", text):
            return f"=={text}"
        return text
    sign, version = match.groups()
    numbers = [int(part) for part in re.findall(r"\d+", version)][:3]
    return f">={version},<{_above(sign, numbers)}"


def _above(sign: str, numbers: Sequence[int]) -> str:
    if sign == "~":
        kept = list(numbers[:2]) if len(numbers) > 1 else list(numbers[:1])
    else:
        first = next((place for place, number in enumerate(numbers) if number), len(numbers) - 1)
        kept = list(numbers[: first + 1])
    kept[-1] += 1
    return ".".join(map(str, kept))


def fits(version: Sequence[int], specifier: str) -> bool:
    """Whether a version of Python is in a range; a range that cannot be read fits all."""
    from packaging.specifiers import InvalidSpecifier, SpecifierSet  # noqa: PLC0415 - 20 ms, when installing alone

    try:
        return SpecifierSet(specifier).contains(".".join(map(str, version)), prereleases=True)
    except InvalidSpecifier:
        return True
