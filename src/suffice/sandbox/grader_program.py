"""The two programs of out-of-process grading, as they run inside: the grader, and the worker that holds the answer's code.

Must not: be imported by anything but grading.py, which reads this module's source and sends it into the sandbox; so it
uses the standard library only. Invariant: what comes from the worker is data of a few plain types, never an object of the
answer's making, and the worker knows neither the tests nor the nonce.
"""

from __future__ import annotations

import contextlib
import ctypes
import io
import json
import os
import struct
import subprocess
import sys
from typing import Any

_MAX_FRAME = 16 << 20
_PR_SET_DUMPABLE = 4


def pack(value: Any, depth: int = 0) -> Any:
    """Return a value as JSON can carry it; raises TypeError for anything that is not plain data."""
    if depth > 200:
        raise TypeError("nested too deeply")
    kind = type(value)
    if value is None or kind in (bool, str):
        return value
    if kind is int:
        return {"i": hex(value)}
    if kind is float:
        return {"f": value.hex()}
    if kind is complex:
        return {"c": [value.real.hex(), value.imag.hex()]}
    if kind in (bytes, bytearray):
        return {"b": value.hex()}
    if kind in (list, tuple, set, frozenset):
        return {kind.__name__: [pack(item, depth + 1) for item in value]}
    if isinstance(value, dict):
        return {"d": [[pack(key, depth + 1), pack(item, depth + 1)] for key, item in value.items()]}
    if isinstance(value, (list, tuple, set, str, int, float)):
        bases: tuple[Any, ...] = (int, float, str, list, tuple, set)
        for base in bases:
            if isinstance(value, base):
                return pack(base(value), depth + 1)
    if hasattr(value, "tolist"):
        return pack(value.tolist(), depth + 1)
    if hasattr(value, "__next__"):
        return pack(list(value), depth + 1)
    raise TypeError(f"a value of type {kind.__name__} is not plain data")


def unpack(value: Any) -> Any:
    """Return the plain value; raises ValueError or TypeError for what `pack` did not make."""
    if value is None or isinstance(value, (bool, str)):
        return value
    ((kind, body),) = value.items()
    if kind == "i":
        return int(body, 16)
    if kind == "f":
        return float.fromhex(body)
    if kind == "c":
        return complex(float.fromhex(body[0]), float.fromhex(body[1]))
    if kind == "b":
        return bytes.fromhex(body)
    if kind == "d":
        return {unpack(key): unpack(item) for key, item in body}
    makers = {"list": list, "tuple": tuple, "set": set, "frozenset": frozenset}
    return makers[kind](unpack(item) for item in body)


def send(fd: int, message: Any) -> None:
    """Write one frame."""
    data = json.dumps(message).encode()
    data = struct.pack(">I", len(data)) + data
    while data:
        data = data[os.write(fd, data) :]


def receive(fd: int) -> Any:
    """Read one frame; raises EOFError at the end and ValueError for a frame over 16 MiB."""
    size = struct.unpack(">I", _exactly(fd, 4))[0]
    if size > _MAX_FRAME:
        raise ValueError("the answer's result is over 16 MiB")
    return json.loads(_exactly(fd, size))


def _exactly(fd: int, size: int) -> bytes:
    out = b""
    while len(out) < size:
        piece = os.read(fd, size - len(out))
        if not piece:
            raise EOFError("the answer's process ended")
        out += piece
    return out


def worker(read_fd: int, write_fd: int) -> None:
    """Execute the answer's code, then call what the grader asks for."""
    namespace: dict[str, Any] = {"__name__": "solution"}
    try:
        exec(compile(receive(read_fd), "solution.py", "exec"), namespace)  # noqa: S102 (this is the sandbox's purpose)
        send(write_fd, {"ok": True})
    except BaseException as e:
        send(write_fd, {"error": type(e).__name__, "text": str(e)[:500]})
        return
    while True:
        name, args, kwargs = (unpack(part) for part in receive(read_fd))
        try:
            result = namespace[name](*args, **kwargs)
            send(write_fd, {"result": pack(result), "args": pack(list(args))})
        except BaseException as e:
            send(write_fd, {"error": type(e).__name__, "text": str(e)[:500]})


class Remote:
    """A function of the answer, as the tests see it: a call crosses the pipe, and plain data comes back."""

    def __init__(self, name: str, read_fd: int, write_fd: int) -> None:
        self._name, self._read, self._write = name, read_fd, write_fd
        self.__name__ = name

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Call it; raises the built-in exception of the same name when it raised one, else RuntimeError."""
        send(self._write, [pack(self._name), pack(list(args)), pack(kwargs)])
        answer = receive(self._read)
        if "error" in answer:
            raise _exception(answer)
        for mine, theirs in zip(args, unpack(answer["args"]), strict=False):
            if isinstance(mine, list) and isinstance(theirs, list):
                mine[:] = theirs
            elif isinstance(mine, (dict, set)) and type(mine) is type(theirs):
                mine.clear()
                mine.update(theirs)
        return unpack(answer["result"])


def _exception(answer: Any) -> BaseException:
    import builtins

    kind = getattr(builtins, str(answer["error"]), RuntimeError)
    if not (isinstance(kind, type) and issubclass(kind, Exception)):
        kind = RuntimeError
    try:
        return kind(str(answer["text"]))
    except TypeError:
        return RuntimeError(str(answer["text"]))


def grader() -> None:
    """Read the job from stdin, start the worker, run each test, and print one record per test under the nonce."""
    # Same uid as the worker: without this, /proc/<pid>/mem and /proc/<pid>/fd would be open to it.
    ctypes.CDLL(None).prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)
    job = json.loads(sys.stdin.buffer.read())
    null = os.open("/dev/null", os.O_RDWR)
    os.dup2(null, 0)
    to_worker, from_worker = os.pipe(), os.pipe()
    code = job["program"] + f"\nworker({to_worker[0]}, {from_worker[1]})\n"
    process = subprocess.Popen(
        [sys.executable, "-I", "-c", code],
        stdin=null,
        stdout=null,
        stderr=null,
        pass_fds=(to_worker[0], from_worker[1]),
        env={"PATH": os.environ.get("PATH", ""), "HOME": os.environ.get("HOME", "/")},
    )
    os.close(to_worker[0])
    os.close(from_worker[1])
    records = []
    try:
        send(to_worker[1], job["solution"])
        loaded = receive(from_worker[0])
    except (OSError, EOFError, ValueError) as e:
        loaded = {"error": type(e).__name__, "text": str(e)}
    shared: dict[str, Any] = {"__name__": "tests"}
    for name in job["entry_points"]:
        shared[name] = Remote(name, from_worker[0], to_worker[1])
    for name, test in job["tests"]:
        records.append([name, *_one(job["setup"], test, dict(shared), loaded)])
    process.kill()
    for record in records:
        sys.stdout.write(json.dumps([job["nonce"], *record]) + "\n")
    sys.stdout.write(json.dumps([job["nonce"], len(records)]) + "\n")
    sys.stdout.flush()
    os._exit(0)


def _one(setup: str, test: str, namespace: dict[str, Any], loaded: Any) -> tuple[bool, str]:
    """Return whether one test passed, and what it said if not."""
    if not isinstance(loaded, dict) or "error" in loaded:
        return False, f"the answer cannot be loaded: {loaded.get('error')}: {loaded.get('text')}"[:500]
    try:
        with contextlib.redirect_stdout(io.StringIO()):
            exec(compile(setup + "\n" + test, "test.py", "exec"), namespace)  # noqa: S102 (the operator's own tests)
    except BaseException as e:
        return False, f"{type(e).__name__}: {e}"[:500]
    return True, ""
