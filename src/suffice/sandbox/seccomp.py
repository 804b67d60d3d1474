"""The seccomp filter of the sandbox: a classic BPF program, assembled here without libseccomp.

Must not: decide about files (mounts or Landlock do) or run anything. Invariant: a foreign calling convention (another
architecture's entry, x32) kills the process, because every number below would mean another call there.

The filter refuses what a check never needs and what the kernel's attack surface is made of: tracing, mounting, namespaces,
keys, bpf, perf, io_uring, modules, clocks, handles. `clone3` says ENOSYS, so that the C library falls back to `clone`,
whose flags a filter can read.
"""

from __future__ import annotations

import errno
import platform
import struct

from suffice.errors import SandboxError
from suffice.sandbox.syscalls import AUDIT_ARCH, NUMBERS

# Operation codes of classic BPF (linux/bpf_common.h): load a word at an absolute offset, jump if equal / greater or equal /
# any bit set, return a constant.
_LOAD, _JEQ, _JGE, _JSET, _RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
# Offsets in struct seccomp_data (linux/seccomp.h); little endian, so the low word of an argument comes first.
_NUMBER, _ARCH, _ARG0, _ARG1 = 0, 4, 16, 24
_KILL, _ERRNO, _ALLOW = 0x80000000, 0x00050000, 0x7FFF0000
_X32_BIT = 0x40000000
# NEWNS, NEWCGROUP, NEWUTS, NEWIPC, NEWUSER, NEWPID, NEWNET (linux/sched.h).
_NAMESPACE_FLAGS = 0x00020000 | 0x02000000 | 0x04000000 | 0x08000000 | 0x10000000 | 0x20000000 | 0x40000000
_TIOCSTI, _TIOCLINUX = 0x5412, 0x541C
_FAMILIES = (1, 2, 10)  # AF_UNIX, AF_INET, AF_INET6

DENIED = (
    "ptrace", "process_vm_readv", "process_vm_writev", "process_madvise", "kcmp", "mount", "umount2", "pivot_root", "chroot",
    "move_mount", "open_tree", "open_tree_attr", "fsopen", "fsconfig", "fsmount", "fspick", "mount_setattr", "statmount",
    "listmount", "unshare", "setns", "keyctl", "add_key", "request_key", "bpf", "perf_event_open", "userfaultfd",
    "io_uring_setup", "io_uring_enter", "io_uring_register", "kexec_load", "kexec_file_load", "init_module",
    "finit_module", "delete_module", "create_module", "get_kernel_syms", "query_module", "reboot", "swapon", "swapoff",
    "settimeofday", "clock_settime", "clock_adjtime", "adjtimex", "open_by_handle_at", "name_to_handle_at", "pidfd_getfd",
    "fanotify_init", "fanotify_mark", "personality", "memfd_secret", "sethostname", "setdomainname", "acct", "quotactl",
    "quotactl_fd", "syslog", "iopl", "ioperm", "modify_ldt", "lookup_dcookie", "nfsservctl", "uselib", "vhangup",
    "move_pages", "migrate_pages", "sysfs", "_sysctl", "lsm_set_self_attr",
)  # fmt: skip
# Without namespaces of its own (the Landlock tier) a process shares these with the host.
SHARED_WITH_HOST = ("shmget", "semget", "msgget", "mq_open")
# Landlock does not guard these, and under an ordinary user's own uid they reach that user's files.
FILE_ATTRIBUTES = (
    "chmod", "fchmodat", "fchmodat2", "chown", "lchown", "fchownat", "setxattr", "lsetxattr", "setxattrat", "removexattr",
    "lremovexattr", "removexattrat",
)  # fmt: skip
SIGNALS = ("kill", "tkill", "tgkill", "pidfd_send_signal", "rt_sigqueueinfo", "rt_tgsigqueueinfo")


class _Assembler:
    """Instructions with named jump targets; a jump may only go forward, at most 255 instructions (the kernel's rule)."""

    def __init__(self) -> None:
        self._code: list[tuple[int, str, str, int]] = []
        self._labels: dict[str, int] = {}

    def put(self, code: int, value: int, *, true: str = "", false: str = "") -> None:
        self._code.append((code, true, false, value))

    def label(self, name: str) -> None:
        self._labels[name] = len(self._code)

    def assemble(self) -> bytes:
        out = bytearray()
        for at, (code, true, false, value) in enumerate(self._code):
            jumps = [self._labels[name] - at - 1 if name else 0 for name in (true, false)]
            if not all(0 <= jump <= 255 for jump in jumps):
                raise SandboxError(f"seccomp program: a jump of {max(jumps)} instructions does not fit in a byte")
            out += struct.pack("<HBBI", code, *jumps, value)
        return bytes(out)


def machine() -> str:
    """Return the architecture's name as the tables know it; raises SandboxError for any other."""
    name = platform.machine()
    name = {"amd64": "x86_64", "arm64": "aarch64"}.get(name.lower(), name)
    if name not in NUMBERS:
        raise SandboxError(
            f"the sandbox has no seccomp table for the architecture {name!r}",
            hint="run Suffice on x86_64 or aarch64, or leave operator checks unset",
        )
    return name


def program(architecture: str, *, sockets: bool = True, also_denied: tuple[str, ...] = ()) -> bytes:
    """Return the filter as an array of `struct sock_filter` (8 bytes each).

    `sockets=False` refuses socket() altogether (socketpair stays); `also_denied` names further calls to refuse with EPERM.
    """
    numbers = NUMBERS[architecture]
    asm = _Assembler()
    asm.put(_LOAD, _ARCH)
    asm.put(_JEQ, AUDIT_ARCH[architecture], false="kill")
    asm.put(_LOAD, _NUMBER)
    if architecture == "x86_64":
        asm.put(_JGE, _X32_BIT, true="kill")
    asm.put(_JEQ, numbers["clone"], true="clone")
    asm.put(_JEQ, numbers["clone3"], true="missing")
    asm.put(_JEQ, numbers["ioctl"], true="ioctl")
    asm.put(_JEQ, numbers["socket"], true="socket" if sockets else "refuse")
    for name in DENIED + also_denied:
        if name in numbers:
            asm.put(_JEQ, numbers[name], true="refuse")
    asm.put(_RETURN, _ALLOW)
    asm.label("clone")
    asm.put(_LOAD, _ARG0)
    asm.put(_JSET, _NAMESPACE_FLAGS, true="refuse", false="allow")
    asm.label("ioctl")
    asm.put(_LOAD, _ARG1)
    asm.put(_JEQ, _TIOCSTI, true="refuse")
    asm.put(_JEQ, _TIOCLINUX, true="refuse", false="allow")
    asm.label("socket")
    asm.put(_LOAD, _ARG0)
    for family in _FAMILIES:
        asm.put(_JEQ, family, true="allow")
    asm.label("refuse")
    asm.put(_RETURN, _ERRNO | errno.EPERM)
    asm.label("missing")
    asm.put(_RETURN, _ERRNO | errno.ENOSYS)
    asm.label("allow")
    asm.put(_RETURN, _ALLOW)
    asm.label("kill")
    asm.put(_RETURN, _KILL)
    return asm.assemble()
