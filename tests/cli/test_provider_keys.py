from suffice.catalog.load import load
from suffice.cli.provider_keys import DOUBTFUL, provider_env
from suffice.config.discover import LOCAL_SERVERS


def test_doubtful_variables_and_incomplete_addresses_are_left_out():
    catalog = load()
    found = provider_env(catalog)
    every = [name for names in found.values() for name in names]
    assert len(every) == len(set(every)) > 25
    assert not DOUBTFUL & set(every)
    assert found["openai"] == ("OPENAI_API_KEY",)
    assert "azure-openai" not in found


def test_the_doubtful_ones_and_the_local_servers_exist_in_the_catalogue():
    catalog = load()
    assert {name for p in catalog.providers() for name in p.env_vars} >= DOUBTFUL
    assert all(catalog.provider(kind) is not None for kind, _ in LOCAL_SERVERS)
