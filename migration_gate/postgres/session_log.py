"""What a session asks of a server, and which notices it is sent, as a log: read from its two streams.

On a server that the gate did not start, it cannot read the server's log. Instead, sessions whose locks are
observed have the server send them its messages at DEBUG1 (`replay/observation.sql`), and the proxy, through
which all of them go, writes them down. The project's code gets only those that it has asked for, with
whatever driver. Standard library only: the proxy is a script.
"""

from __future__ import annotations

import codecs
import os
import re
import struct
from collections.abc import Callable, Mapping
from dataclasses import dataclass

HEADER = struct.Struct("!cI")
"""of a message: its kind, and its size without the kind"""
NOTICE, ERROR, KEY_DATA, PARAMETER_STATUS = b"N", b"E", b"K", b"S"
DATA_ROW, COMMAND_COMPLETE = b"D", b"C"
QUERY, PARSE, BIND, EXECUTE, CLOSE = b"Q", b"P", b"B", b"E", b"C"
SERVER_KINDS = frozenset({NOTICE, ERROR, KEY_DATA, PARAMETER_STATUS, COMMAND_COMPLETE})
CLIENT_KINDS = frozenset({QUERY, PARSE, BIND, EXECUTE, CLOSE})
BIND_BYTES = 1 << 16
"""of a `BIND` that are read: its names stand before the values, which may be large"""
LEVELS = {"DEBUG": 0, "LOG": 1, "NOTICE": 2, "WARNING": 3}
"""of messages, by their importance; `INFO` is sent always"""
WANTED = {"log": 1, "notice": 2, "warning": 3, "error": 4}
"""the least of these levels that is sent, by values of `client_min_messages`; all of them at others"""
DEFAULT_LEVEL = "notice"
OWN_TEXT = "migration_gate "
"""how messages of the gate's own begin"""
OWN_PLACE = "migration_gate."
"""stands in the context of messages about the gate's own statements"""
WANTED_MARK = f"{OWN_TEXT}messages: "
"""begins the message that says at which level the project's code wants messages"""
NO_MORE = "all"
"""what it says when the session is observed no more"""
OWN_LEVEL = "own"
"""what it says where the session has the level with which it was opened"""
UNOBSERVED = f"{OWN_TEXT}unobserved: "
"""begins the entry of a statement of a session that is not observed, while another one is"""
OBSERVED_MARK = b"migration_gate.observed"
"""a setting of sessions that are observed from their first packet on"""
MENTIONS_LEVEL = re.compile(rb"client_min_messages|\ball\b", re.IGNORECASE)
"""stands in each statement of `SETS_LEVEL`, which takes long to be found in a long one"""
SETS_LEVEL = re.compile(
    rb"\s*(?!create|alter)(?:.*?\b(?:set|reset)\b[^;]*\bclient_min_messages"
    rb"|.*?set_config\s*\(\s*'client_min_messages|discard\s+all|reset\s+all)",
    re.IGNORECASE | re.DOTALL,
)
"""a statement of the session's own, not the definition of a function or a role"""
SHOWS_LEVEL = re.compile(rb"\s*show\s+\"?client_min_messages\"?[\s;]*", re.IGNORECASE)
OBSERVED_LEVEL = b"debug1"
"""what a session that is observed has, whatever the project's code has set"""
ENDS_OF_LEVELS = (b"COMMIT\0", b"ROLLBACK\0")
"""tags of commands after which a level may be what it was earlier"""
ROW_OF_ONE = struct.Struct("!HI")
"""the beginning of a row of one column: their number, and the size of its value"""
MESSAGE_SETTING = re.compile(rb"client_min_messages[=\0]\s*'?(\w+)")
ADDITIONS = (("D", "DETAIL"), ("W", "CONTEXT"))
"""fields of a notice that are entries of their own in a log"""


@dataclass(slots=True)
class LogFile:
    """The file into which all sessions of a server are written."""

    descriptor: int
    """opened to append; below 0 if there is no room any more"""
    has_observed: bool = False
    """a session is observed: then the statements of the others are written, too"""

    def write(self, line: str) -> None:
        """Add a line; none any more after one that failed, so that the end of a revision is missed."""
        data = line.encode(errors="replace")
        while data and self.descriptor >= 0:
            try:
                data = data[os.write(self.descriptor, data) :]
            except OSError:
                self.descriptor = -1


class MessageStream:
    """Splits one direction of a session into messages."""

    def __init__(self, kinds: frozenset[bytes], handle: Callable[[bytes, bytes], bool | bytes]) -> None:
        """`handle` is given the messages of these kinds, and says whether they are passed on.

        What it returns as bytes is passed on in the place of the message's body.
        """
        self.kinds = kinds
        self._handle = handle
        self._waiting = bytearray()
        """the beginning of a message that is to be read whole"""
        self._passing = 0
        """bytes of a message that is passed on unread, which are still to come"""

    def take(self, data: bytes) -> bytes:
        """What is passed on now, after these bytes."""
        self._waiting += data
        passed = bytearray()
        position = 0
        while position < len(self._waiting):
            if self._passing:
                part = self._waiting[position : position + self._passing]
                passed += part
                position += len(part)
                self._passing -= len(part)
                continue
            if len(self._waiting) - position < HEADER.size:
                break
            kind, size = HEADER.unpack_from(self._waiting, position)
            end = position + 1 + max(size, HEADER.size - 1)
            if kind in self.kinds:
                last = min(end, position + BIND_BYTES) if kind == BIND else end
                if last > len(self._waiting):
                    break
                answer = self._handle(kind, bytes(self._waiting[position + HEADER.size : last]))
                if not isinstance(answer, bool):
                    passed += HEADER.pack(kind, len(answer) + HEADER.size - 1) + answer
                if answer is not True:
                    position = end
                    continue
            self._passing = end - position
        del self._waiting[:position]
        return bytes(passed)

    def take_rest(self) -> bytes:
        """What is left of an incomplete message, at the end of the stream."""
        rest, self._waiting = bytes(self._waiting), bytearray()
        return rest


class SessionLog:
    """Writes what one session does into the log, in the form of `server_settings.LOG_LINE_PREFIX`."""

    def __init__(self, file: LogFile, database: str, first_packet: bytes) -> None:
        """`first_packet`: the session's settings."""
        self._file = file
        self._database = re.sub(r"[|\s]", "?", database)
        self._pid = 0
        self._codec = "utf-8"
        self._prepared: dict[bytes, bytes] = {}
        """the texts of prepared statements, by their names"""
        self._portals: dict[bytes, bytes] = {}
        self._is_observed = OBSERVED_MARK in first_packet
        self._own_level = _find_level(first_packet) if self._is_observed else DEFAULT_LEVEL
        self._level = self._own_level if self._is_observed else ""
        """what the project's code has set `client_min_messages` to, as far as that is known"""
        self._wanted = WANTED.get(self._level, 0)
        self._least_wanted = self._wanted
        """of all that it has wanted in this session"""
        self.client = MessageStream(CLIENT_KINDS, self._read_request)
        self.server = MessageStream(SERVER_KINDS, self._read_answer)

    # What the client sends is passed on, all of it.

    def _read_request(self, kind: bytes, body: bytes) -> bool:
        first, _, others = body.partition(b"\0")
        second = others.partition(b"\0")[0]
        if kind == PARSE:
            self._prepared[first] = second
        elif kind == CLOSE:
            (self._prepared if first[:1] == b"S" else self._portals).pop(first[1:], None)
        elif kind == BIND:
            self._portals[first] = self._prepared.get(second, b"")
        elif self._is_observed or self._file.has_observed:
            text = first if kind == QUERY else self._portals.get(first, b"")
            self._follow_setting(text)
            beginning = "statement: " if self._is_observed else UNOBSERVED
            self._write("LOG", beginning + self._decode(text))
        return True

    def _follow_setting(self, text: bytes) -> None:
        """What a statement asks of the level of messages, before the server has answered."""
        if MENTIONS_LEVEL.search(text) and SETS_LEVEL.match(text):
            self._wanted = 0  # until the level is announced the server sends only what is wanted
        elif SHOWS_LEVEL.fullmatch(text):
            self.server.kinds = SERVER_KINDS | {DATA_ROW}

    # What the server sends.

    def _read_answer(self, kind: bytes, body: bytes) -> bool | bytes:
        if kind in (NOTICE, ERROR):
            fields = body.split(b"\0")
            return self._read_message(
                {field[:1].decode("latin1"): self._decode(field[1:]) for field in fields}
            )
        if kind == DATA_ROW:
            return self._hide_level(body)
        if kind == COMMAND_COMPLETE:
            self.server.kinds = SERVER_KINDS
            if body.startswith(ENDS_OF_LEVELS):
                self._wanted = min(self._wanted, self._least_wanted)
        elif kind == KEY_DATA:
            self._pid = int.from_bytes(body[:4])
        elif body.startswith(b"client_encoding\0"):
            self._codec = find_codec(self._decode(body.split(b"\0")[1]))
        return True

    def _read_message(self, fields: Mapping[str, str]) -> bool:
        """Write it down; False if the project's code did not ask for it."""
        level, text = fields.get("V", ""), fields.get("M", "")
        if level == "DEBUG" and text.startswith(WANTED_MARK):
            wanted = text.removeprefix(WANTED_MARK)
            self._is_observed, self._file.has_observed = True, wanted != NO_MORE
            if wanted != NO_MORE:
                self._set_level(self._own_level if wanted == OWN_LEVEL else wanted)
            return False
        is_point = level == "DEBUG" and text.startswith(OWN_TEXT)
        is_own = is_point or (level == "DEBUG" and OWN_PLACE in fields.get("W", ""))
        if self._is_observed and (is_point or not is_own):
            self._write(level, text, fields.get("C", ""))
            for name, entry in ADDITIONS:
                if fields.get(name):
                    self._write(entry, fields[name])
        return not is_own and LEVELS.get(level, self._wanted) >= self._wanted

    def _set_level(self, level: str) -> None:
        is_first = self._level == ""
        self._level, self._wanted = level, WANTED.get(level, 0)
        self._least_wanted = self._wanted if is_first else min(self._wanted, self._least_wanted)

    def _hide_level(self, body: bytes) -> bool | bytes:
        """The row of a SHOW, with the level that the project's code has set."""
        if not self._level or body != ROW_OF_ONE.pack(1, len(OBSERVED_LEVEL)) + OBSERVED_LEVEL:
            return True
        level = self._level.encode()
        return ROW_OF_ONE.pack(1, len(level)) + level

    def _write(self, level: str, text: str, sqlstate: str = "00000") -> None:
        indented = text.replace("\n", "\n\t")
        self._file.write(f"|{self._pid}|{sqlstate or '00000'}||{self._database}|{level}:  {indented}\n")

    def _decode(self, text: bytes) -> str:
        return text.decode(self._codec, "replace")


def find_codec(encoding: str) -> str:
    """Python's name for an encoding of Postgres; that of UTF-8 where it has none."""
    try:
        return codecs.lookup(re.sub("^win(?=[0-9])", "cp", encoding.lower())).name
    except LookupError:
        return "utf-8"


def _find_level(first_packet: bytes) -> str:
    """The level that the project's own options ask for: the last setting is the gate's."""
    own = [value.decode("latin1") for value in MESSAGE_SETTING.findall(first_packet)[:-1]]
    return own[-1] if own else DEFAULT_LEVEL
