"""What the kit makes an instance from, and what it is told to check."""

from __future__ import annotations

from pathlib import Path

import pytest
from broken_plugins import failures, outcomes, written

from codesign.errors import PluginError
from codesign.testing.offered import Check, Skip
from codesign.testing.suite import plugin_checks


def test_a_hardware_file_beside_a_plugin_gives_an_instance(tmp_path: Path) -> None:
    module = written(tmp_path, "engine", ("lanes: Count = 16", "lanes: Count"))
    board = module.with_suffix(".yaml")
    board.write_text(board.read_text().replace("kind: probe,", "kind: probe, lanes: 8,"))
    found = outcomes(module)
    assert {one.state for one in found} == {"passed"}
    assert any("own of probe.yaml" in one.title for one in found)


def test_an_example_gives_an_instance(tmp_path: Path) -> None:
    module = written(
        tmp_path, "memory", ("read_rate: BytesPerSecond = 64e9", "read_rate: BytesPerSecond")
    )
    module.with_suffix(".yaml").unlink()
    assert "offer one through codesign_examples" in failures(module)
    module.write_text(
        module.read_text()
        + "\n\n@hookimpl\ndef codesign_examples():\n"
        + "    from codesign.testing.examples import Example\n"
        + "    return {'probe': Example(lambda: Probe(name='m', size=1024, read_rate=1e9))}\n"
    )
    from codesign.plugins import registry

    registry.cache_clear()
    found = outcomes(module)
    assert {one.state for one in found} == {"passed"}
    assert any("(its example)" in one.title for one in found)


def test_a_folder_of_a_package_is_one_plugin(tmp_path: Path) -> None:
    module = written(tmp_path, "link")
    package = tmp_path / "probe"
    package.mkdir()
    module.rename(package / "__init__.py")
    found = outcomes(package)
    assert {one.state for one in found} == {"passed"}
    assert found[0].title == "plugin probe: offers something"


def test_only_offers_of_a_name_are_checked() -> None:
    found = outcomes("exporters", "csv")
    assert [one.title for one in found] == ["exporter csv: writes one file, whole"]


@pytest.mark.parametrize(
    ("plugin", "of", "message"),
    [
        ("nowhere.py", "*", r"^nowhere.py does not exist; give a plugin file, a folder or a name$"),
        ("systolc", "*", "no plugin is called 'systolc'; did you mean 'systolic'"),
        ("sram", "srm", "plugin 'sram' offers nothing that is called 'srm'"),
    ],
)
def test_what_is_no_plugin_is_a_mistake_of_who_asks(plugin: str, of: str, message: str) -> None:
    with pytest.raises(PluginError, match=message):
        plugin_checks(plugin, of)


def test_an_empty_folder_is_a_mistake_of_who_asks(tmp_path: Path) -> None:
    with pytest.raises(PluginError, match="has no plugin file"):
        plugin_checks(tmp_path)


def test_a_check_tells_what_came_of_it() -> None:
    def skipped() -> None:
        raise Skip("nothing to see")

    def failed() -> None:
        raise KeyError("lanes")

    assert Check("a", lambda: None).outcome().state == "passed"
    assert Check("a", skipped).outcome().message == "nothing to see"
    assert "raised KeyError: 'lanes'" in Check("a", failed).outcome().message
