"""The checks of a plugin as tests of pytest; nothing is loaded where nobody asks for them.

``pytest --codesign-plugin PATH`` collects them; ``codesign_checks("PATH")`` makes a list of
parameters for a test of one's own. The checks are those of ``codesign plugins check``.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from codesign.testing.offered import Check

OPTION = "--codesign-plugin"


def codesign_checks(plugin: str | Path, of: str = "*") -> list[Any]:
    """Parameters of a test, one for each check, which is called without arguments.

    Args:
        plugin: as of ``codesign.testing.suite.plugin_checks``.
        of: which of its offers.

    Example:
        >>> @pytest.mark.parametrize("check", codesign_checks("my_plugin.py"))  # doctest: +SKIP
        ... def test_the_plugin_keeps_its_promises(check):
        ...     check()
    """
    from codesign.testing.suite import plugin_checks

    return [pytest.param(_Run(check), id=check.title) for check in plugin_checks(plugin, of)]


class _Run:
    """A check that pytest skips where it has nothing to look at."""

    def __init__(self, check: Check) -> None:
        self._check = check

    def __call__(self) -> None:
        found = self._check.outcome()
        if found.state == "skipped":
            pytest.skip(found.message)
        if found.state == "failed":
            raise AssertionError(found.message)


def pytest_addoption(parser: pytest.Parser) -> None:
    """Adds the option ``--codesign-plugin``."""
    parser.getgroup("codesign").addoption(
        OPTION,
        action="append",
        default=[],
        metavar="PATH|NAME",
        help="collect the conformance checks of a codesign plugin; may be repeated",
    )


def pytest_collection_modifyitems(
    session: pytest.Session, config: pytest.Config, items: list[pytest.Item]
) -> None:
    """Adds the checks of the plugins that were asked for to what was collected."""
    for plugin in config.getoption(OPTION):
        parent = _Checks.from_parent(session, name=f"codesign:{Path(plugin).name}", plugin=plugin)
        items.extend(parent.collect())


class _Checks(pytest.Collector):
    """The checks of one plugin."""

    def __init__(self, *, plugin: str, **rest: Any) -> None:
        super().__init__(**rest)
        self._plugin = plugin

    def collect(self) -> Iterator[pytest.Item]:
        """One item for each check.

        Raises:
            pytest.UsageError: there is no such plugin.
        """
        from codesign.errors import CodesignError
        from codesign.testing.suite import plugin_checks

        try:
            checks = plugin_checks(self._plugin)
        except CodesignError as error:
            raise pytest.UsageError(f"{OPTION}: {error}") from error
        for check in checks:
            yield _Item.from_parent(self, name=check.title, check=check)


class _Item(pytest.Item):
    """One check."""

    def __init__(self, *, check: Check, **rest: Any) -> None:
        super().__init__(**rest)
        self._run = _Run(check)

    def runtest(self) -> None:
        """Runs it."""
        self._run()

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:
        """What fails and how to mend it, without the traceback of the kit."""
        if isinstance(excinfo.value, AssertionError):
            return str(excinfo.value)
        return super().repr_failure(excinfo)

    def reportinfo(self) -> tuple[Path, int | None, str]:
        """Where it is from."""
        return self.path, None, self.name
