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
