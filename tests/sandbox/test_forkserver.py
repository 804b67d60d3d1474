"""The fork server ends with its owner, and a job that is cut off does not hurt it."""

from __future__ import annotations

import socket
import subprocess
import sys

CODE = "import sys; from suffice.sandbox.forkserver import main; main()"


def test_it_survives_a_cut_job_and_ends_with_its_owner() -> None:
    ours, theirs = socket.socketpair()
    server = subprocess.Popen([sys.executable, "-c", CODE, str(theirs.fileno())], pass_fds=(theirs.fileno(),))
    theirs.close()
    for data in (b"", b"\x00\x00\x00\x05ab", b"\x00\x00\x00\x02{}"):
        near, far = socket.socketpair()
        socket.send_fds(ours, [b"j"], [far.fileno()])
        far.close()
        near.sendall(data)
        near.shutdown(socket.SHUT_WR)
        near.settimeout(30)
        assert b'"error"' in near.recv(4096)
        near.close()
    ours.close()
    assert server.wait(30) == 0
