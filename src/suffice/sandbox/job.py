"""One run as it travels from the gateway's process to the fork server and back: a header in JSON, then the bytes.

Must not: touch files or processes. Invariant: what `encode` writes `read` gives back; a frame ends where its header says.
"""

from __future__ import annotations

import json
import socket
import struct
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from suffice.sandbox.limits import Limits, Tier

LENGTH = struct.Struct(">I")


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """What to run and where.

    `files` are laid over `folder` (or an empty tree). `uid` is the uid to become, None to stay as we are. `python` is the
    interpreter that `python3` names inside, `visible` the folders shown read-only besides the system's, `stage_root` a
    folder that the uid can reach.
    """

    argv: Sequence[str]
    tier: Tier
    limits: Limits
    bwrap: str
    python: str
    stage_root: str
    visible: Sequence[str] = ()
    variables: Mapping[str, str] = field(default_factory=dict)
    folder: str | None = None
    uid: int | None = None
    files: Mapping[str, bytes] = field(default_factory=dict)
    stdin: bytes = b""

    def encode(self) -> bytes:
        """Return the frame."""
        header = {name: value for name, value in _shallow(self).items() if name not in ("files", "limits", "stdin")}
        header["limits"] = asdict(self.limits)
        header["files"] = [[path, len(data)] for path, data in self.files.items()]
        header["stdin"] = len(self.stdin)
        return frame(header) + b"".join(self.files.values()) + self.stdin


def _shallow(job: Job) -> dict[str, Any]:
    return {name: getattr(job, name) for name in Job.__slots__}


def frame(header: Mapping[str, Any]) -> bytes:
    """Return a header with its length before it."""
    text = json.dumps(header).encode()
    return LENGTH.pack(len(text)) + text


def read(sock: socket.socket) -> Job:
    """Read one job from a blocking socket; raises EOFError when it ends early."""
    header = json.loads(_exactly(sock, LENGTH.unpack(_exactly(sock, LENGTH.size))[0]))
    header["limits"] = Limits(**header["limits"])
    header["tier"] = Tier(header["tier"])
    header["files"] = {path: _exactly(sock, size) for path, size in header["files"]}
    header["stdin"] = _exactly(sock, header["stdin"])
    return Job(**header)


def _exactly(sock: socket.socket, size: int) -> bytes:
    out = bytearray()
    while len(out) < size:
        piece = sock.recv(min(size - len(out), 1 << 20))
        if not piece:
            raise EOFError("the job ended early")
        out += piece
    return bytes(out)
