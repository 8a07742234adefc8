"""Values that are others in each run of the same code: random ids, moments, hashes."""

from __future__ import annotations

import re
from datetime import datetime, timedelta

NEARBY = timedelta(hours=2)
"""two runs of the gate on one change begin at nearly the same time"""
_HEX_RUN = re.compile(r"(?=[0-9a-f_-]*[0-9])[0-9a-f]{6,}(?:[_-]?[0-9a-f]{4,})*", re.IGNORECASE)
_RANDOM = re.compile(
    r"[0-9a-f]{8}-?(?:[0-9a-f]{4}-?){3}[0-9a-f]{12}"  # a UUID
    r"|\$[\w-]+\$\S+|pbkdf2\S+|scrypt\S+"  # a hash of a password
    r"|(?=\S*\d)(?=\S*[A-Za-z])[\w+/=.~-]{16,}",  # a token
    re.IGNORECASE,
)
_MOMENT = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|[+-]\d\d:?\d\d)?")
_MOMENT_CALL = re.compile(r"datetime\.datetime\((\d+(?:, \d+)*)")
_EPOCH = re.compile(r"\d{10,19}(?:\.\d+)?")


def are_generated(value: str, other: str) -> bool:
    """Whether two values look as if one piece of code made them at random, or from the time."""
    if _RANDOM.fullmatch(value) and _RANDOM.fullmatch(other):
        return True
    moments = _read_moment(value), _read_moment(other)
    if moments[0] is not None and moments[1] is not None:
        return abs(moments[0] - moments[1]) < NEARBY
    return mask_random_parts(value) == mask_random_parts(other)


def mask_random_parts(name: str) -> str:
    """A name without the parts that look random: `tmp_3fa9c01b` and `tmp_91bb02de` become the same."""
    return _HEX_RUN.sub("#", name)


def _read_moment(text: str) -> datetime | None:
    try:
        if _MOMENT.fullmatch(text):
            return datetime.fromisoformat(text).replace(tzinfo=None)
        if call := _MOMENT_CALL.match(text):
            return datetime(*map(int, call[1].split(", ")))  # type: ignore[arg-type]
        if _EPOCH.fullmatch(text):
            seconds = float(text)
            while seconds > 1e11:  # milliseconds, or less
                seconds /= 1000
            return datetime(1970, 1, 1) + timedelta(seconds=seconds)
    except (ValueError, OverflowError):
        return None
    return None
