from pathlib import Path

import pytest

from suffice.config.holder import SettingsHolder
from suffice.config.load import load
from suffice.config.problem import InvalidConfigError

OWN = """version = 1
[aliases]
coding = ["openai/gpt-5-mini", "openai/gpt-5"]
[routing]
quality_floor = 0.2
explore = 0.1
[routing.repair_usd]
edit = 5
[rollout]
policy = "next.toml"
steps = [0.1, 1.0]
"""


def written(folder: Path, candidate: str, own: str = OWN) -> Path:
    (folder / "next.toml").write_text(candidate)
    path = folder / "suffice.toml"
    path.write_text(own)
    return path


def said(folder: Path, candidate: str, own: str = OWN) -> str:
    with pytest.raises(InvalidConfigError) as caught:
        load(written(folder, candidate, own), {}, folder)
    return "; ".join(f"{p.file}:{p.line}: {p.message}" for p in caught.value.problems)


def test_a_candidate_takes_routing_and_aliases_and_leaves_the_rest(tmp_path: Path) -> None:
    text = 'version = 1\n[aliases]\ncoding = ["openai/gpt-5"]\n[routing]\nquality_floor = 0.4\n'
    settings = load(written(tmp_path, text), {}, tmp_path)
    candidate = settings.candidate
    assert candidate is not None and candidate.candidate is None and not candidate.rollout.policy
    assert candidate.aliases == {"coding": ("openai/gpt-5",)}
    assert (candidate.routing.quality_floor, candidate.routing.explore) == (0.4, 0.0)  # a section is taken whole
    assert candidate.storage == settings.storage and candidate.endpoints == settings.endpoints
    only = load(written(tmp_path, "version = 1\n[routing]\nquality_floor = 0.4\n"), {}, tmp_path).candidate
    assert only is not None and only.aliases == settings.aliases


def test_more_than_a_policy_is_refused_with_its_line(tmp_path: Path) -> None:
    assert "next.toml:2: a policy has no [budgets]" in said(
        tmp_path, 'version = 1\n[budgets.a]\nlimit_usd = 1\nwindow = "day"\n'
    )
    assert "suffice.toml" in said(tmp_path, 'version = 1\n[aliases]\nother = ["openai/gpt-5"]\n')
    assert "other names: coding, other" in said(tmp_path, 'version = 1\n[aliases]\nother = ["openai/gpt-5"]\n')
    assert "next.toml:3: " in said(tmp_path, "version = 1\n[routing]\nquality_floor = 4\n")


def test_a_missing_file_a_loop_and_steps_that_do_not_grow(tmp_path: Path) -> None:
    assert "cannot read" in said(tmp_path, "version = 1\n", OWN.replace("next.toml", "none.toml"))
    assert "this very file" in said(tmp_path, "version = 1\n", OWN.replace("next.toml", "suffice.toml"))
    assert "a policy has no [rollout]" in said(tmp_path, 'version = 1\n[rollout]\npolicy = "suffice.toml"\n')
    for steps in ("[]", "[0.5, 0.5]", "[1.0, 0.05]"):
        assert "must grow" in said(tmp_path, "version = 1\n", OWN.replace("[0.1, 1.0]", steps))


def test_a_reload_sees_a_candidate_that_has_changed(tmp_path: Path) -> None:
    path = written(tmp_path, "version = 1\n[routing]\nquality_floor = 0.4\n")
    holder = SettingsHolder(load(path, {}, tmp_path), lambda: load(path, {}, tmp_path))
    assert not holder.reload().swapped
    written(tmp_path, "version = 1\n[routing]\nquality_floor = 0.5\n")
    report = holder.reload()
    assert report.swapped and report.changed == ("rollout.policy",)
    assert holder.current.candidate is not None and holder.current.candidate.routing.quality_floor == 0.5
