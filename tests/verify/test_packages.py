import pytest

from suffice.verify import packages


@pytest.mark.parametrize(
    "module",
    ["numpy", "yaml", "cv2", "sklearn", "PIL", "bs4", "google", "typing_extensions", "dateutil", "ruamel", "dotenv"],
)
def test_real_modules_are_known(module):
    assert packages.pypi_has(module)


@pytest.mark.parametrize("module", ["quick_array_toolset", "hyper_sort_kit", "zz_never_made_this_up_xq"])
def test_invented_modules_are_not(module):
    assert not packages.pypi_has(module)


@pytest.mark.parametrize("name", ["react", "lodash", "@types/node", "express", "@angular/core"])
def test_npm(name):
    assert packages.on_registry(name, "npm")


def test_lookalikes():
    assert packages.lookalike("reqeusts", "pypi_top") == "requests"
    assert packages.lookalike("requests", "pypi_top") == "" and packages.lookalike("os", "pypi_top") == ""


def test_every_listed_name_passes_the_filter():
    assert all(packages.on_registry(name, "pypi") for name in packages.names("pypi_top"))
    assert all(packages.on_registry(name, "npm") for name in packages.names("npm_top"))


def test_the_filter_lets_few_unknown_names_pass():
    passed = sum(packages.on_registry(f"zq-{i}-xv-never-{i * 7}", "pypi") for i in range(2000))
    assert passed < 60


def test_the_standard_library():
    listed = packages.names("python_stdlib")
    assert {"os", "tomllib", "distutils", "annotationlib", "zoneinfo", "urllib2"} <= listed and "numpy" not in listed
    assert "fs/promises" in packages.names("node_builtins") and "log/slog" in packages.names("go_std")


def test_the_lists_are_dated():
    assert str(packages.facts()["date"]).startswith("20")
