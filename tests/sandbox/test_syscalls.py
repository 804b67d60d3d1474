"""The numbers of system calls agree with the kernel's headers where those are installed."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from suffice.sandbox.seccomp import DENIED, FILE_ATTRIBUTES, SHARED_WITH_HOST, SIGNALS
from suffice.sandbox.syscalls import NUMBERS

HEADERS = {
    "x86_64": (Path("/usr/include/x86_64-linux-gnu/asm/unistd_64.h"), r"#define __NR_(\w+)\s+(\d+)"),
    "aarch64": (Path("/usr/include/asm-generic/unistd.h"), r"#define __NR(?:3264)?_(\w+)\s+(\d+)"),
}


@pytest.mark.parametrize("architecture", list(NUMBERS))
def test_numbers_are_the_kernels(architecture: str) -> None:
    path, pattern = HEADERS[architecture]
    if not path.exists():
        pytest.skip("no kernel headers here")
    known = {name: int(number) for name, number in re.findall(pattern, path.read_text())}
    both = known.keys() & NUMBERS[architecture].keys()
    assert len(both) > 60
    assert {name: NUMBERS[architecture][name] for name in both} == {name: known[name] for name in both}


@pytest.mark.parametrize("architecture", list(NUMBERS))
def test_each_number_means_one_call(architecture: str) -> None:
    numbers = NUMBERS[architecture]
    assert len(set(numbers.values())) == len(numbers)


def test_every_refused_name_is_known_somewhere() -> None:
    every = set().union(*NUMBERS.values())
    assert set(DENIED + SHARED_WITH_HOST + FILE_ATTRIBUTES + SIGNALS) <= every
