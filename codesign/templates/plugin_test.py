"""The plugin keeps the promises that every shipped one keeps."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from codesign.pytest_plugin import codesign_checks

PLUGIN = Path(__file__).parents[1] / "my_plugin.py"


@pytest.mark.parametrize("check", codesign_checks(PLUGIN))
def test_it_keeps_its_promises(check: Any) -> None:
    """Each check says what to change."""
    check()
