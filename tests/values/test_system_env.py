import os

from suffice.values.env import Env
from suffice.values.system_env import SystemEnv, encode_id


def test_ids_are_unique_sortable_and_well_formed():
    env: Env = SystemEnv()
    ids = [env.new_id() for _ in range(1000)]
    assert len(set(ids)) == 1000
    assert all(len(i) == 26 and i.isalnum() for i in ids)
    assert encode_id(1, 2**80 - 1) < encode_id(2, 0)


def test_clock_and_chance():
    env = SystemEnv()
    assert env.now() > 1.7e9
    assert env.monotonic() <= env.monotonic()
    assert 0 <= env.random() < 1
    assert len(env.token_bytes(16)) == 16


def test_a_forked_process_gives_out_identifiers_of_its_own():
    env = SystemEnv()
    env.new_id()
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        os.write(write, env.new_id().encode())
        os._exit(0)
    os.waitpid(child, 0)
    assert os.read(read, 26).decode()[10:] != env.new_id()[10:]
    os.close(read)
    os.close(write)
