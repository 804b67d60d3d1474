from xml.etree import ElementTree

from suffice.evals.frontier import plot


def test_the_plot_is_wellformed_and_has_a_dot_per_row() -> None:
    row = {"pool": "p", "verifier": "<90/30>", "errors": "independent", "policy": "ours", "H": "iso"}
    rows = [{**row, "cost_per_task_usd": 0.1 * k, "accuracy": 0.5 + 0.1 * k} for k in (1, 2, 3)]
    root = ElementTree.fromstring(plot([*rows, {**row, "cost_per_task_usd": None, "accuracy": None}]))
    panel = root.find("{http://www.w3.org/2000/svg}g")
    assert panel is not None and len(panel.findall("{http://www.w3.org/2000/svg}circle")) == 3
    ElementTree.fromstring(plot([]))
