"""The filter, executed by a small interpreter of classic BPF: what it says of each call."""

from __future__ import annotations

import errno
import struct

import pytest

from suffice.errors import SandboxError
from suffice.sandbox import seccomp
from suffice.sandbox.syscalls import AUDIT_ARCH, NUMBERS

ALLOW, KILL = 0x7FFF0000, 0x80000000
EPERM, ENOSYS = 0x00050000 | errno.EPERM, 0x00050000 | errno.ENOSYS


def verdict(program: bytes, arch: int, number: int, *args: int) -> int:
    data = struct.pack("<IIQ6Q", number, arch, 0, *args, *([0] * (6 - len(args))))
    code = [struct.unpack_from("<HBBI", program, at) for at in range(0, len(program), 8)]
    word = at = 0
    while True:
        op, true, false, value = code[at]
        at += 1
        if op == 0x20:
            (word,) = struct.unpack_from("<I", data, value)
        elif op == 0x06:
            return value
        else:
            holds = {0x15: word == value, 0x35: word >= value, 0x45: bool(word & value)}[op]
            at += true if holds else false


@pytest.mark.parametrize("architecture", list(NUMBERS))
def test_what_is_refused_and_what_is_not(architecture: str) -> None:
    program, arch, numbers = seccomp.program(architecture), AUDIT_ARCH[architecture], NUMBERS[architecture]
    for name in seccomp.DENIED:
        if name in numbers:
            assert verdict(program, arch, numbers[name]) == EPERM, name
    named = {numbers[name] for name in (*seccomp.DENIED, "clone", "clone3", "ioctl", "socket") if name in numbers}
    for number in set(range(600)) - named:
        assert verdict(program, arch, number) == ALLOW, number
    assert verdict(program, arch, numbers["clone3"]) == ENOSYS


@pytest.mark.parametrize("architecture", list(NUMBERS))
def test_arguments_are_read(architecture: str) -> None:
    program, arch, numbers = seccomp.program(architecture), AUDIT_ARCH[architecture], NUMBERS[architecture]
    thread_flags = 0x3D0F00
    assert verdict(program, arch, numbers["clone"], thread_flags) == ALLOW
    for flag in (0x00020000, 0x02000000, 0x04000000, 0x08000000, 0x10000000, 0x20000000, 0x40000000):
        assert verdict(program, arch, numbers["clone"], flag | 17) == EPERM
    assert [verdict(program, arch, numbers["socket"], family) for family in (1, 2, 10)] == [ALLOW] * 3
    assert {verdict(program, arch, numbers["socket"], family) for family in (0, 3, 16, 17, 38, 40)} == {EPERM}
    assert {verdict(program, arch, numbers["ioctl"], 0, what) for what in (0x5412, 0x541C)} == {EPERM}
    # The kernel reads the request of an ioctl as 32 bits, so the high half must not hide it.
    assert verdict(program, arch, numbers["ioctl"], 0, 0x1_0000_5412) == EPERM
    assert verdict(program, arch, numbers["ioctl"], 0, 0x5401) == ALLOW


def test_foreign_conventions_are_killed() -> None:
    program = seccomp.program("x86_64")
    assert verdict(program, 0x40000003, 1) == KILL
    assert verdict(program, AUDIT_ARCH["x86_64"], 0x40000000 | 1) == KILL
    assert verdict(seccomp.program("aarch64"), AUDIT_ARCH["x86_64"], 1) == KILL


def test_the_second_tier_has_no_sockets_and_takes_more_names() -> None:
    program = seccomp.program("x86_64", sockets=False, also_denied=seccomp.SIGNALS)
    arch, numbers = AUDIT_ARCH["x86_64"], NUMBERS["x86_64"]
    assert verdict(program, arch, numbers["socket"], 1) == EPERM
    assert verdict(program, arch, numbers["kill"]) == EPERM
    assert len(program) % 8 == 0
    assert len(program) // 8 < 4096


def test_an_unknown_architecture_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("platform.machine", lambda: "riscv64")
    with pytest.raises(SandboxError, match="riscv64"):
        seccomp.machine()
