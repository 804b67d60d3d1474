from pathlib import Path

from tests.gateway.running import PRICE, endpoint, gateway

from suffice.decision.virtual import Rule, Target
from suffice.gateway.state import MAX_ROUTERS, POOL

LOCAL = "http://127.0.0.1:9/v1"


async def test_auto_chooses_among_few_and_a_pin_among_all(tmp_path: Path):
    toml = f'[endpoints.all]\nprovider = "openai"\nbase_url = "{LOCAL}"\nprivate = true\n'
    async with gateway(toml, tmp_path) as running:
        state = running.runtime.state
        assert 0 < len(state.pool) <= POOL
        assert len(state.models) > POOL
        assert all(row.model.kind == "chat" and not row.facts.deprecated for row in state.pool)
        rare = next(model for model in state.models if model not in {row.model.id for row in state.pool})
        assert list(state.candidates(Target(name=rare, rule=Rule.PIN, models=(rare,))))


async def test_the_operators_own_choice_is_the_pool(tmp_path: Path):
    async with gateway(endpoint("one", LOCAL) + endpoint("two", LOCAL, model="n"), tmp_path) as running:
        assert {row.model.id for row in running.runtime.state.pool} == {"openai/m", "openai/n"}


async def test_routers_of_names_are_kept_and_bounded(tmp_path: Path):
    async with gateway(endpoint("one", LOCAL), tmp_path) as running:
        state = running.runtime.state
        target = Target(name="openai/m", rule=Rule.PIN, models=("openai/m",))
        assert state.router(target) is state.router(target)
        for n in range(MAX_ROUTERS + 20):
            state.router(Target(name=f"n{n}", rule=Rule.PIN, models=("openai/m",)))
        assert len(state._routers) <= MAX_ROUTERS


async def test_the_default_is_the_configured_model_then_the_reference_then_any(tmp_path: Path):
    two = endpoint("one", LOCAL) + endpoint("two", LOCAL, model="n", price=PRICE)
    for head, wanted in (
        ('[routing]\ndefault_model = "openai/n"\nreference_model = "openai/m"\n', "openai/n"),
        ('[routing]\nreference_model = "openai/m"\n', "openai/m"),
    ):
        async with gateway(head + two, tmp_path / wanted[-1]) as running:
            assert running.runtime.state.default is not None
            assert running.runtime.state.default.model == wanted
