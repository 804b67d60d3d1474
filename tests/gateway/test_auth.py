from suffice.gateway.auth import Principal


def test_patterns_allow_models():
    principal = Principal(key_id="k", allowed_models=("openai/gpt-5*", "local/*"))
    assert principal.allows("openai/gpt-5-mini")
    assert not principal.allows("anthropic/claude-opus-5")
    assert not principal.allows("xopenai/gpt-5")


def test_no_pattern_allows_everything():
    assert Principal.anonymous().allows("any/model")
