"""The self-test: about twenty things that must fail inside, tried in one launch when the sandbox starts.

Must not: trust that a flag was accepted; each probe does the forbidden thing. Invariant: a tier with one leak is not used.
"""

from __future__ import annotations

import json
from dataclasses import dataclass

from suffice.errors import SandboxError
from suffice.sandbox.limits import RunResult, Tier

# Each line: a name, and an expression that must raise or be false. Runs with the standard library only.
PROBES_SCRIPT = r"""
import ctypes, json, os, socket
libc = ctypes.CDLL(None, use_errno=True)
def connect(kind, address):
    with socket.socket(kind, socket.SOCK_STREAM) as s:
        s.settimeout(0.2); s.connect(address); return True
def writes(path):
    with open(path, "w") as f: f.write("x")
    return True
def reads(path):
    with open(path, "rb") as f: return bool(f.read(1))
def forked():
    pid = os.fork()
    if pid == 0: os._exit(0 if libc.unshare(0x10000000) == 0 else 1)
    return os.waitpid(pid, 0)[1] == 0
probes = {
    "runs as root of the host": lambda: os.getuid() == 0,
    "holds a capability": lambda: os.path.exists("/proc/self/status") and any(
        int(l.split()[1], 16) for l in open("/proc/self/status") if l.startswith("CapEff")),
    "may gain privileges": lambda: libc.prctl(39, 0, 0, 0, 0) != 1,
    "seccomp is off": lambda: libc.prctl(21, 0, 0, 0, 0) != 2,
    "makes a user namespace": forked,
    "mounts": lambda: libc.mount(b"none", b"/tmp", b"tmpfs", 0, None) == 0,
    "traces": lambda: libc.ptrace(0, 0, 0, 0) == 0,
    "uses bpf": lambda: libc.syscall({"x86_64": 321, "aarch64": 280}[os.uname().machine], 0, 0, 0) >= 0,
    "uses io_uring": lambda: libc.syscall(425, 1, ctypes.create_string_buffer(256)) >= 0,
    "uses the keyring": lambda: libc.syscall({"x86_64": 250, "aarch64": 219}[os.uname().machine], 0, -3, 1) >= 0,
    "reads the host's /root": lambda: bool(os.listdir("/root")),
    "reads the host's /home": lambda: bool(os.listdir("/home")),
    "reads the password file": lambda: reads("/etc/passwd"),
    "reads another process": lambda: os.getpid() > 1000 and reads("/proc/1/cmdline"),
    "writes /usr": lambda: writes("/usr/suffice-probe"),
    "writes /etc": lambda: writes("/etc/suffice-probe"),
    "changes the kernel's settings": lambda: os.open("/proc/sys/kernel/core_pattern", os.O_WRONLY) >= 0,
    "makes a netlink socket": lambda: bool(socket.socket(16, socket.SOCK_RAW, 0)),
    "makes a packet socket": lambda: bool(socket.socket(17, socket.SOCK_RAW, 0)),
    "makes a vsock": lambda: bool(socket.socket(40, socket.SOCK_STREAM, 0)),
    "reaches an outside address": lambda: connect(socket.AF_INET, ("192.0.2.1", 9)),
    "inherits an environment": lambda: len(os.environ) > 8,
}
must = {"writes its work tree": lambda: writes("probe"), "makes a process": lambda: os.waitpid(os.fork() or os._exit(0), 0)}
leaks, broken = [], []
for name, probe in probes.items():
    try:
        if probe(): leaks.append(name)
    except (OSError, AttributeError): pass
for name, probe in must.items():
    try:
        if not probe(): broken.append(name)
    except OSError as e: broken.append(name + ": " + str(e))
print(json.dumps({"probes": len(probes), "leaks": leaks, "broken": broken}))
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class SelfTest:
    """What the self-test of a tier found: how many probes ran, which got through, and how long it took in seconds."""

    tier: Tier
    probes: int
    leaks: tuple[str, ...]
    duration_s: float


def read_report(result: RunResult) -> SelfTest:
    """Return the report that the probes printed; raises SandboxError when they did not run to their end."""
    try:
        report = json.loads(result.output)
        broken = report["broken"]
        leaks = tuple(str(leak) for leak in report["leaks"])
        count = int(report["probes"])
    except (ValueError, KeyError, TypeError) as e:
        text = result.output.decode("utf-8", "replace").strip()[-300:]
        raise SandboxError(f"the self-test did not finish (exit {result.exit_code}): {text}") from e
    if broken:
        raise SandboxError("what must work inside does not: " + "; ".join(str(item) for item in broken))
    return SelfTest(tier=result.tier, probes=count, leaks=leaks, duration_s=result.duration_s)
