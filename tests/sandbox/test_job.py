"""A job survives the trip over a socket."""

from __future__ import annotations

import socket
import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from suffice.sandbox.job import Job, read
from suffice.sandbox.limits import Limits, Tier


def _send(data: bytes) -> Job:
    ours, theirs = socket.socketpair()
    with ours, theirs:

        def write() -> None:
            ours.sendall(data)
            ours.shutdown(socket.SHUT_WR)

        thread = threading.Thread(target=write)
        thread.start()
        try:
            return read(theirs)
        finally:
            thread.join()


@given(st.dictionaries(st.text(min_size=1), st.binary(max_size=300), max_size=5), st.lists(st.text(), min_size=1))
def test_what_is_sent_arrives(files: dict[str, bytes], argv: list[str]) -> None:
    job = Job(
        argv=argv,
        tier=Tier.LANDLOCK,
        limits=Limits(wall_s=0.5),
        bwrap="/b",
        python="/p",
        stage_root="/tmp",
        files=files,
        uid=5,
        visible=["/v"],
    )
    assert _send(job.encode()) == job


def test_a_cut_job_is_an_error() -> None:
    job = Job(
        argv=["a"], tier=Tier.BUBBLEWRAP, limits=Limits(), bwrap="", python="", stage_root="", files={"a": b"123456"}
    )
    with pytest.raises(EOFError):
        _send(job.encode()[:-3])
