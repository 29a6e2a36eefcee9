"""Which plugin and which offers are checked, and what comes of one check."""

from __future__ import annotations

from pathlib import Path

import pytest
from broken_plugins import outcomes

from codesign.errors import PluginError
from codesign.testing.offered import Check, Skip
from codesign.testing.suite import plugin_checks


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
    with pytest.raises(PluginError, match="holds no plugin: no file"):
        plugin_checks(tmp_path)


def test_a_check_tells_what_came_of_it() -> None:
    def skipped() -> None:
        raise Skip("nothing to see")

    def failed() -> None:
        raise KeyError("lanes")

    assert Check("a", lambda: None).outcome().state == "passed"
    assert Check("a", skipped).outcome().message == "nothing to see"
    assert "raised KeyError: 'lanes'" in Check("a", failed).outcome().message
