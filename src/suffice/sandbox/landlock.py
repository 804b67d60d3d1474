"""The second tier: Landlock and seccomp by ctypes, for machines that give no user namespace to bubblewrap.

Must not: be used where bubblewrap works; it hides less (names of processes and routes stay visible) and its work tree is
on the host's disk. Invariant: after `confine` the process, and all it starts, can open nothing outside the folders named,
can make no socket and can signal nobody outside (Landlock ABI 6, or by refusing the calls below that).

Source: the kernel's `include/uapi/linux/landlock.h`; the call numbers are the same on every architecture.
"""

from __future__ import annotations

import ctypes
import os
import shutil
import struct
from collections.abc import Sequence
from pathlib import Path

from suffice.errors import SandboxError
from suffice.sandbox import seccomp

_CREATE_RULESET, _ADD_RULE, _RESTRICT_SELF = 444, 445, 446
_PR_SET_NO_NEW_PRIVS, _PR_SET_SECCOMP, _PR_SET_DUMPABLE = 38, 22, 4
_EXECUTE, _WRITE_FILE, _READ_FILE, _READ_DIR = 1, 2, 4, 8
_READ = _EXECUTE | _READ_FILE | _READ_DIR
# Making a character or block device, and since ABI 5 ioctl on devices, stay out of every rule.
_MAKE_CHAR, _MAKE_BLOCK, _IOCTL_DEV = 1 << 6, 1 << 11, 1 << 15
_SCOPES = 0b11  # abstract unix sockets, signals (ABI 6)
_NET = 0b11  # bind and connect TCP (ABI 4)
_SYSTEM = ("/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/etc/alternatives", "/etc/ld.so.cache")
_DEVICES = {
    "/dev/null": _READ_FILE | _WRITE_FILE,
    "/dev/zero": _READ_FILE,
    "/dev/urandom": _READ_FILE,
    "/dev/random": _READ_FILE,
}


def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)


def abi() -> int:
    """Return the kernel's Landlock version, 0 where there is none."""
    version: int = _libc().syscall(_CREATE_RULESET, None, ctypes.c_size_t(0), ctypes.c_uint32(1))
    return max(0, version)


def _handled(version: int) -> int:
    bits = 13 if version < 2 else 14 if version < 3 else 15 if version < 5 else 16
    return (1 << bits) - 1


def threads_of(uid: int) -> int:
    """Return how many threads a uid has: what a limit on processes must leave to them."""
    total = 0
    for entry in os.scandir("/proc"):
        try:
            if entry.name.isdigit() and entry.stat().st_uid == uid:
                total += sum(1 for _ in Path(f"/proc/{entry.name}/task").iterdir())
        except OSError:
            continue
    return total


def open_work_tree(source: Path, overlay: Path | None, uid: int | None) -> tuple[Path, Path]:
    """Make the staged copy writable for `uid` and return it with a fresh temporary folder beside it."""
    if overlay is not None:
        shutil.copytree(overlay, source, dirs_exist_ok=True, symlinks=True)
    tmp = source.parent / "tmp"
    tmp.mkdir(0o700)
    if uid is not None:
        os.chown(tmp, uid, uid)
        for top, names, files in os.walk(source):
            for name in (".", *names, *files):
                os.chown(Path(top, name), uid, uid, follow_symlinks=False)
    return source, tmp


def confine(*, readable: Sequence[str], writable: Sequence[str], own_uid: bool) -> None:
    """Restrict this process for good; raises SandboxError if any step fails.

    `own_uid` tells that the uid belongs to the sandbox alone; otherwise calls that reach the user's other files and
    processes by their attributes or by signals are refused too.
    """
    version = abi()
    if version < 1:
        raise SandboxError("the kernel has no Landlock", hint="Linux 5.13 or later with Landlock enabled")
    libc = _libc()
    ruleset = _ruleset(libc, version)
    for path in (*_SYSTEM, *readable):
        _allow(libc, ruleset, path, _READ)
    for path, rights in _DEVICES.items():
        _allow(libc, ruleset, path, rights)
    everything = _handled(version) & ~(_MAKE_CHAR | _MAKE_BLOCK | _IOCTL_DEV)
    for path in writable:
        _allow(libc, ruleset, path, everything)
    _check(libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), "no_new_privs")
    _check(libc.syscall(_RESTRICT_SELF, ruleset, ctypes.c_uint32(0)), "landlock_restrict_self")
    os.close(ruleset)
    denied: tuple[str, ...] = seccomp.SHARED_WITH_HOST
    if not own_uid:
        denied += seccomp.FILE_ATTRIBUTES
        if version < 3:
            denied += ("truncate",)
        if version < 6:
            denied += seccomp.SIGNALS
    _filter(libc, seccomp.program(seccomp.machine(), sockets=False, also_denied=denied))


def _ruleset(libc: ctypes.CDLL, version: int) -> int:
    attributes = struct.pack("<Q", _handled(version))
    if version >= 4:
        attributes += struct.pack("<Q", _NET)
    if version >= 6:
        attributes += struct.pack("<Q", _SCOPES)
    fd: int = libc.syscall(_CREATE_RULESET, attributes, ctypes.c_size_t(len(attributes)), ctypes.c_uint32(0))
    _check(fd, "landlock_create_ruleset")
    return fd


def _allow(libc: ctypes.CDLL, ruleset: int, path: str, rights: int) -> None:
    if not Path(path).exists():
        return
    if not Path(path).is_dir():
        rights &= _EXECUTE | _WRITE_FILE | _READ_FILE | 1 << 14
    fd = os.open(path, os.O_PATH | os.O_CLOEXEC)
    try:
        rule = struct.pack("<Qi", rights, fd)
        _check(
            libc.syscall(_ADD_RULE, ruleset, ctypes.c_int(1), rule, ctypes.c_uint32(0)), f"landlock_add_rule for {path}"
        )
    finally:
        os.close(fd)


def _filter(libc: ctypes.CDLL, program: bytes) -> None:
    code = ctypes.create_string_buffer(program, len(program))
    # struct sock_fprog: a 16-bit count, padding, a pointer.
    header = struct.pack("@HxxxxxxQ", len(program) // 8, ctypes.addressof(code))
    _check(libc.prctl(_PR_SET_SECCOMP, ctypes.c_ulong(2), header, 0, 0), "seccomp")


def _check(result: int, what: str) -> None:
    if result < 0:
        raise SandboxError(f"{what} failed: {os.strerror(ctypes.get_errno())}")
