from suffice.config.environment import VARIABLES
from suffice.config.reference import reference_page
from suffice.config.schema import Settings
from suffice.config.setting import walk


def test_every_setting_and_variable_is_on_the_page():
    page = reference_page()
    for path, setting in walk(Settings):
        assert f"`{path[-1]}`" in page or f"## [{'.'.join(path)}" in page, path
        assert setting.about.help in page
    for variable in VARIABLES:
        assert f"| `{variable.name}` |" in page


def test_rows_are_whole():
    page = reference_page()
    assert (
        "| `port` | integer ≥ 0, ≤ 65535 | `4000` | Port of the data plane; 0 takes a free one. Needs a restart. |"
        in page
    )
    assert "| `provider` | text | **required** |" in page
