import asyncio
import threading

import pytest

from suffice.testing.fake_upstream import FakeProvider, closed_port
from suffice.testing.script import Behaviour, Timing

KEY = "sk-canary-0123456789abcdef"


@pytest.fixture
def provider():
    """A fake provider with a key, in a loop of its own, since commands run one of theirs."""
    loop, ready, made = asyncio.new_event_loop(), threading.Event(), []

    async def serve():
        slow = Behaviour(text="one, two, three, four", timing=Timing(between_tokens_s=0.02))
        async with FakeProvider(slow, api_key=KEY) as fake:
            made.extend((fake, asyncio.Event()))
            ready.set()
            await made[1].wait()

    thread = threading.Thread(target=loop.run_until_complete, args=(serve(),))
    thread.start()
    ready.wait()
    yield made[0]
    loop.call_soon_threadsafe(made[1].set)
    thread.join()
    loop.close()


@pytest.fixture
def configured(home, monkeypatch):
    def write(base_url, key=KEY):
        monkeypatch.setenv("K", key)
        (home / "suffice.toml").write_text(
            'version = 1\n[verify]\nsandbox = "off"\n[endpoints.here]\nprovider = "openai"\nprivate = true\n'
            f'api_key = "${{K}}"\nmodels = ["gpt-4o-mini"]\nbase_url = "{base_url}"\n'
        )

    return write


def test_a_good_key_a_wrong_one_and_nobody(run, run_json, configured, provider):
    configured(provider.base_url)
    code, out, err = run("doctor")
    assert code == 0 and "ok    endpoint here: the key (${K}) is accepted" in out and "canary" not in out + err
    configured(provider.base_url, key="sk-wrong-canary-0123456789")
    code, data = run_json("doctor")
    wrong = next(c for c in data["checks"] if c["name"] == "endpoint here")
    assert code == 1 and not data["ok"] and wrong["state"] == "failed" and wrong["fix"] and "canary" not in str(data)
    with closed_port() as port:
        configured(f"http://127.0.0.1:{port}/v1")
        code, out, _ = run("doctor")
        assert code == 4 and "FAIL  endpoint here: connect_refused" in out and "fix: nothing listens there" in out


def test_deep_makes_one_streamed_call_and_says_that_it_costs(run, configured, provider):
    configured(provider.base_url)
    run("doctor")
    assert all(r.path.endswith("/models") for r in provider.requests)
    code, out, err = run("doctor", "--deep")
    assert code == 0 and "stream here: gpt-4o-mini" in out and "not held back" in out and "costs" in err
    assert [r.path for r in provider.requests].count("/v1/chat/completions") == 1


def test_without_a_file_and_with_a_broken_one(run, home, monkeypatch):
    monkeypatch.setattr("suffice.config.discover.LOCAL_SERVERS", ())
    _, out, _ = run("doctor")
    assert "nothing can be served" in out and "will be made by the first start" in out and not (home / "store").exists()
    (home / "suffice.toml").write_text("version = 9\n")
    assert run("doctor")[0] == 3


def test_an_unknown_endpoint_is_a_usage_error(run, configured):
    configured("http://127.0.0.1:9/v1")
    code, _, err = run("doctor", "--endpoint", "hree")
    assert code == 2 and "did you mean 'here'?" in err
