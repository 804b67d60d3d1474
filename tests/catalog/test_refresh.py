import importlib.util
from importlib.metadata import PackageNotFoundError
from pathlib import Path

import pytest

from suffice.catalog import refresh
from suffice.catalog.load import BUNDLED
from suffice.errors import ConfigError

HAS_EXTRA = all(importlib.util.find_spec(name) is not None for name in ("genai_prices", "model_prices"))


def test_without_the_extra_the_error_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str) -> str:
        raise PackageNotFoundError(name)

    monkeypatch.setattr(refresh, "version", missing)
    with pytest.raises(ConfigError, match=r"suffice\[catalog\]") as caught:
        refresh.build(tmp_path / "catalog.json")
    assert caught.value.code == "extra_missing" and list(tmp_path.iterdir()) == []


@pytest.mark.skipif(not HAS_EXTRA, reason="the extra `catalog` is not installed here")
def test_with_the_extra_the_bundled_table_comes_out_again(tmp_path: Path) -> None:
    document = refresh.build(tmp_path / "catalog.json")
    assert len(document.models) >= 1500 and list(tmp_path.iterdir()) == [tmp_path / "catalog.json"]
    if document.inputs == refresh.read(BUNDLED).inputs:
        assert (tmp_path / "catalog.json").read_bytes() == BUNDLED.read_bytes()
