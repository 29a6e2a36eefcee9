"""Executors by name: those of codesign and those of others come through one door."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from study_parts import study

from codesign.errors import CodesignError, PluginError, StudyError
from codesign.explore.evaluate import Done, Job, Task
from codesign.explore.executors import HOOK, Kept, Serial, find_executor
from codesign.explore.pool import Pool
from codesign.plugins import registry

BACKWARDS = """
from codesign import hookimpl
from codesign.explore.evaluate import Evaluator

class Backwards:
    def __init__(self, {arguments}):
        self.given = dict(locals())

    def run(self, job, tasks):
        yield from map(Evaluator(job).measure, reversed(tasks))

@hookimpl
def {hook}():
    return {{{name!r}: {value}}}
"""


def offer(folder: Path, arguments: str = "", name: str = "backwards", value: str = "") -> Path:
    """A folder with a plugin that offers an executor, or what is none."""
    folder.mkdir(exist_ok=True)
    text = BACKWARDS.format(
        arguments=arguments or "*rest", hook=HOOK, name=name, value=value or "Backwards"
    )
    (folder / "executor_backwards.py").write_text(text)
    return folder


def test_executors_of_codesign_come_through_the_hook() -> None:
    offers = registry().offers(HOOK)
    assert {name: offer.owner for name, offer in offers.items()} == {
        "serial": "executors",
        "pool": "executors",
        "dask": "executor_dask",
    }


@pytest.mark.parametrize(
    ("name", "workers", "kind"),
    [
        (None, None, Serial),
        (None, 1, Serial),
        (None, 3, Pool),
        ("serial", None, Serial),
        ("pool", None, Pool),
        ("pool", 1, Pool),
        ("pool", 3, Pool),
    ],
)
def test_without_a_name_one_worker_is_this_process_and_more_are_a_pool(
    name: str | None, workers: int | None, kind: type
) -> None:
    found = find_executor(name, workers=workers)
    assert type(found) is kind
    if isinstance(found, Pool):
        assert found.workers == (workers or 1)


def test_an_executor_of_somebody_else_measures_the_same(tmp_path: Path) -> None:
    found = find_executor("backwards", plugins=[offer(tmp_path / "own")])
    alone = study().run(tmp_path / "alone", exhaustive=True)
    there = study().run(tmp_path / "there", exhaustive=True, executor=found)
    assert len(alone.done) == 12
    assert there.digest == alone.digest


@pytest.mark.parametrize("arguments", ["workers=2, address=None", "**options"])
def test_an_executor_is_given_what_was_asked_for_and_nothing_else(
    arguments: str, tmp_path: Path
) -> None:
    folder = offer(tmp_path / "own", arguments)
    made: Any = find_executor("backwards", address="tcp://there:1", plugins=[folder])
    given = made.given.get("options", made.given)
    assert given["address"] == "tcp://there:1"
    assert given.get("workers", 2) == 2
    made = find_executor("backwards", workers=5, plugins=[folder])
    assert made.given.get("options", made.given)["workers"] == 5


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({"name": "pol"}, r"unknown executor 'pol'; did you mean 'pool'\? known: dask, pool, ser"),
        ({"name": "x" * 99}, f"unknown executor '{'x' * 60}'; known: "),
        ({"name": "pool", "workers": 0}, "workers must be at least 1, got 0; give 1 or more"),
        ({"workers": "2"}, "workers must be at least 1, got '2'; give 1 or more"),
        ({"name": "serial", "workers": 2}, "executor 'serial' takes no workers; leave it out"),
        ({"name": "pool", "address": "a:1"}, "executor 'pool' takes no address; leave it out"),
        ({"address": "a:1"}, "the address 'a:1' is for an executor that was not named; name it"),
    ],
)
def test_what_no_executor_takes_is_told_in_one_line(asked: dict[str, Any], message: str) -> None:
    with pytest.raises(StudyError, match=message) as told:
        find_executor(asked.pop("name", None), **asked)
    assert "\n" not in str(told.value)


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ("'Backwards'", r"must return a map from names to functions, got 'Backwards'"),
        ("dict", r"executor 'backwards' has no run\(job, tasks\), got \{\}"),
        ("lambda: 1 / 0", r"executor 'backwards' raised ZeroDivisionError: division by zero"),
        ("lambda: exit(3)", r"executor 'backwards' raised SystemExit: 3"),
    ],
)
def test_a_plugin_whose_executor_is_none_is_named(value: str, message: str, tmp_path: Path) -> None:
    folder = offer(tmp_path / "own", value=value)
    place = rf"plugin 'executor_backwards' \(.*executor_backwards.py\): .*{message}"
    with pytest.raises(PluginError, match=place) as told:
        find_executor("backwards", plugins=[folder])
    assert "\n" not in str(told.value)


def test_an_error_of_an_executor_is_told_as_it_is(tmp_path: Path) -> None:
    text = "from codesign.errors import StudyError\ndef refuse(): raise StudyError('no farm today')"
    folder = offer(tmp_path / "own", value="refuse")
    plugin = folder / "executor_backwards.py"
    plugin.write_text(f"{text}\n{plugin.read_text()}")
    with pytest.raises(CodesignError, match=r"^no farm today$"):
        find_executor("backwards", plugins=[folder])


def test_two_executors_of_one_name_are_a_clash(tmp_path: Path) -> None:
    with pytest.raises(PluginError, match="'pool' is offered by both plugin"):
        find_executor("pool", plugins=[offer(tmp_path / "own", name="pool")])


class Counted(Kept):
    """Tells how often it was closed."""

    def __init__(self) -> None:
        self.closed = 0

    def run(self, job: Job, tasks: Sequence[Task]) -> Iterator[Done]:
        yield from ()

    def close(self) -> None:
        self.closed += 1


def test_what_is_kept_is_closed_once_when_the_last_one_leaves() -> None:
    kept = Counted()
    assert not kept.is_kept
    with kept as outer:
        with kept as inner:
            assert inner is outer is kept
        assert kept.is_kept
        assert kept.closed == 0
    assert kept.closed == 1
    assert not kept.is_kept


class Leaves:
    """An executor that exits."""

    def run(self, job: Job, tasks: Sequence[Task]) -> Iterator[Done]:
        yield from ()
        raise SystemExit(0)


def test_an_executor_that_exits_is_named(tmp_path: Path) -> None:
    with pytest.raises(PluginError, match=r"executor Leaves raised SystemExit: 0 at .* in run"):
        study().run(tmp_path / "out", exhaustive=True, executor=Leaves())
