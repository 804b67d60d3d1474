import numpy as np

from suffice.decision.core import Core, cell_of
from suffice.decision.priors import fixed
from suffice.values.task import TaskType


def test_a_part_of_a_belief_has_the_rows_that_were_asked_for_in_that_order() -> None:
    core = Core(fixed({"a/small-1": -0.5, "b/large-1": 2.0, "c/middle-2": 1.0}))
    rows = [core.know(model, 1.0) for model in ("a/small-1", "b/large-1", "c/middle-2")]
    whole = core.believe(rows, cell_of(TaskType.EDIT, "python"), None)
    part = whole.of((2, 0))
    assert part.families == ("middle", "small") and part.cell == whole.cell
    for name in ("grid", "length", "mean", "low"):
        assert np.array_equal(getattr(part, name), getattr(whole, name)[[2, 0]])
