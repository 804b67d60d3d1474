"""A small single-threaded process that forks once per run.

The gateway is large and threaded: forking it is slow, and Python code between fork and exec is unsafe there. This process
is started once, imports little, and holds one socket to the gateway over which the socket of each job arrives.

Must not: read a job itself (the forked supervisor does), import anything outside the standard library and this package.
Invariant: it ends when the gateway does, and with it every run.
"""

from __future__ import annotations

import os
import signal
import socket
import sys

from suffice.sandbox.supervisor import supervise
from suffice.values.env import Env
from suffice.values.system_env import SystemEnv


def serve(control: socket.socket, env: Env) -> None:
    """Fork a supervisor for each descriptor received, until the other end closes."""
    # The kernel reaps the supervisors.
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    while True:
        try:
            message, fds, _, _ = socket.recv_fds(control, 1, 1)
        except InterruptedError:
            continue
        if not message:
            return
        for fd in fds:
            _fork(control, fd, env)
            os.close(fd)


def _fork(control: socket.socket, fd: int, env: Env) -> None:
    try:
        child = os.fork()
    except OSError:
        # Out of processes: the job's socket closes without an answer, and the run fails with an error of its own.
        return
    if child:
        return
    try:
        control.close()
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        with socket.socket(fileno=os.dup(fd)) as sock:
            os.close(fd)
            supervise(sock, env)
    finally:
        os._exit(0)


def main() -> None:
    """Serve on the descriptor named by the first argument."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    os.umask(0o022)
    with socket.socket(fileno=int(sys.argv[1])) as control:
        serve(control, SystemEnv())
