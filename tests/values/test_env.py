from suffice.values.env import Env
from suffice.values.system_env import SystemEnv


def test_the_real_environment_satisfies_the_protocol():
    env: Env = SystemEnv()
    assert callable(env.now)
    assert callable(env.new_id)
