"""What a target starts with: no descriptors but three, limits in force, no root."""

from __future__ import annotations

import json

from suffice.sandbox.limits import Limits
from suffice.sandbox.sandbox import Sandbox

LOOK = """
import json, os, resource
def opened(fd):
    try: os.fstat(fd); return True
    except OSError: return False
print(json.dumps({
    "fds": [fd for fd in range(200) if opened(fd)], "uid": os.getresuid(), "groups": os.getgroups(),
    "core": resource.getrlimit(resource.RLIMIT_CORE), "nofile": resource.getrlimit(resource.RLIMIT_NOFILE),
    "stdin": os.read(0, 1).decode(), "session": os.getsid(0),
}))
"""


async def test_what_a_target_starts_with(sandbox: Sandbox) -> None:
    result = await sandbox.run(["python3", "-c", LOOK], limits=Limits(open_files=100))
    seen = json.loads(result.output)
    assert seen["fds"] == [0, 1, 2]
    assert 0 not in seen["uid"]
    assert 0 not in seen["groups"]
    assert seen["core"] == [0, 0]
    assert seen["nofile"] == [100, 100]
    assert seen["stdin"] == ""
