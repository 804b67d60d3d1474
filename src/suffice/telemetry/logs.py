"""What the process says while it runs: one line per event on standard error, as text or as JSON.

It must not log prompts; callers see to that. Invariants: one event is one line, whatever is in its text, and every line passes
the mask for secrets; a line that cannot be checked is not written.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from datetime import UTC, datetime
from typing import TextIO

Mask = Callable[[bytes], bytes]


class LineFormatter(logging.Formatter):
    """Formats an event as one line; `mask` gets its JSON, so what it leaves is JSON too."""

    def __init__(self, *, as_json: bool, mask: Mask) -> None:
        super().__init__()
        self._as_json = as_json
        self._mask = mask

    def format(self, record: logging.LogRecord) -> str:
        """Return the line without its end."""
        at = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
        event = {"at": at, "level": record.levelname.lower(), "logger": record.name, "message": record.getMessage()}
        if record.exc_info and record.exc_info[0] is not None:
            event["trace"] = self.formatException(record.exc_info)
        try:
            masked = self._mask(json.dumps(event).encode())
        except Exception:
            masked = json.dumps(
                {**event, "message": "this event could not be checked for secrets", "trace": ""}
            ).encode()
        if self._as_json:
            return masked.decode()
        safe = json.loads(masked)
        # Line ends and terminal escapes in somebody's text must not look like lines of ours.
        shown = json.dumps(safe["message"])[1:-1].replace('\\"', '"').replace("\x7f", "?")
        trace = safe.get("trace", "")
        return f"{safe['at']} {record.levelname} {safe['logger']}: {shown}" + (f"\n{trace}" if trace else "")


def configure(stream: TextIO, *, level: str, form: str, mask: Mask) -> None:
    """Log to `stream` from `level` on (debug, info, warning, error); `form` is text, json, or auto (text at a terminal).

    A repeat replaces what was configured before.
    """
    handler = logging.StreamHandler(stream)
    as_json = form == "json" or (form == "auto" and not stream.isatty())
    handler.setFormatter(LineFormatter(as_json=as_json, mask=mask))
    root = logging.getLogger()
    for old in list(root.handlers):
        if isinstance(old.formatter, LineFormatter):
            root.removeHandler(old)
    root.addHandler(handler)
    root.setLevel(level.upper())
