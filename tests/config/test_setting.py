from dataclasses import dataclass, field

import pytest

from suffice.config.schema import Settings
from suffice.config.sections import EndpointSettings
from suffice.config.setting import about, settings_of, walk


def test_every_setting_says_what_it_means():
    every = list(walk(Settings))
    assert len(every) > 80
    for path, setting in every:
        assert setting.about.help.endswith("."), path
        assert (
            setting.about.minimum is not None
            or setting.about.above is not None
            or setting.kind not in ("int", "float", "money")
        ), path


def test_types_are_taken_apart():
    by_name = {s.name: s for s in settings_of(EndpointSettings)}
    assert by_name["provider"].required and by_name["provider"].kind == "text"
    assert by_name["api_key"].kind == "secret" and by_name["api_key"].optional
    assert by_name["models"].kind == "list" and by_name["models"].item.kind == "text"
    assert by_name["headers"].kind == "map" and by_name["headers"].item.kind == "secret"
    paths = [".".join(p) for p, _ in walk(Settings)]
    assert "endpoints.<name>.prices.<name>.input_usd_per_mtok" in paths
    assert "origin" not in paths


def test_a_type_without_a_rule_is_a_bug_that_shows():
    @dataclass
    class Odd:
        x: bytes = field(metadata=about("Odd."))

    with pytest.raises(TypeError, match="no rule"):
        settings_of(Odd)
