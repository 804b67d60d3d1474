from suffice.values.task import TASK_INDEX, TASK_TYPES, TaskType


def test_the_index_is_dense_and_stable():
    assert [TASK_INDEX[t] for t in TASK_TYPES] == list(range(13))
    assert TASK_TYPES[0] is TaskType.COMPLETE
    assert TASK_TYPES[-1] is TaskType.OTHER
