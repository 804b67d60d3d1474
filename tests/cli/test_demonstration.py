from suffice.cli.demonstration import choose
from suffice.testing.tasks import load


def test_a_draw_is_repeatable_and_keeps_the_order():
    tasks = load()
    first = choose(tasks, 50, 7)
    assert first == choose(tasks, 50, 7)
    assert len(first) == 50
    assert [t.id for t in first] == sorted(t.id for t in first)
    assert first != choose(tasks, 50, 8)
    assert choose(tasks, 10_000, 1) == tasks
