"""The checks of passes, models, formats, presets, tables, arrivals and validations."""

from __future__ import annotations

import pickle
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

from codesign.errors import OF_OTHERS, TraceError
from codesign.testing.offered import Check, Offered
from codesign.testing.passes import Sketch, check_pass
from codesign.testing.rules import expect
from codesign.workload.dtype import DType
from codesign.workload.record import Trace
from codesign.workload.sparsity import Sparsity

_SHAPES = ((64,), (16, 32), (3, 5, 7))
_FORMATS = ("int4", "int8", "fp16", "fp32")
_ZEROS = (None, "0.5", "2:4", "block 4x4 0.25")


def pass_checks(offered: Offered, name: str, change: Any) -> Iterator[Check]:
    """The checks of one fusion pass.

    Args:
        offered: all that is offered beside it.
        name: its name.
        change: what the plugin returned.
    """
    yield Check(
        f"pass {name}: keeps every byte and MAC", partial(_check_pass, offered, name, change)
    )


def _check_pass(offered: Offered, name: str, change: Any) -> None:
    expect(callable(change), f"must be a function of a trace, got {change!r:.60}")
    made = offered.example(name)
    for trace in [*sketches(), *([made] if made else [])]:
        changed = change(trace)
        expect(
            isinstance(changed, Trace),
            f"must return a codesign.Trace, got {changed!r:.60}; return the trace as it came where "
            "there is nothing to do",
        )
        check_pass(change, trace)


def sketches() -> list[Trace]:
    """A layer with an activation, an attention, and a chain of elementwise work."""
    layer = Sketch()
    x, weight = layer.tensor("x", (4, 8), "input"), layer.tensor("w", (8, 8), "weight")
    bias = layer.tensor("b", (4, 8), "weight")
    layer.map("relu", layer.map("add", layer.matmul(x, weight), bias))
    heads = Sketch()
    q, k, v = (heads.tensor(name, (2, 8, 8), "input") for name in "qkv")
    scores = heads.matmul(q, k)
    heads.matmul(heads.op("softmax", ["softmax"], [scores], scores.shape), v)
    chain = Sketch()
    y = chain.tensor("y", (4, 8), "input")
    chain.map("mul", chain.map("sigmoid", y), chain.map("tanh", y))
    return [sketch.trace() for sketch in (layer, heads, chain)]


def model_checks(offered: Offered, name: str, entry: Any) -> Iterator[Check]:
    """The checks of one model.

    Args:
        offered: all that is offered beside it.
        name: its name.
        entry: what the plugin returned.
    """
    yield Check(f"model {name}: can be traced", partial(_check_model, offered, name, entry))


def _check_model(offered: Offered, name: str, entry: Any) -> None:
    from codesign.models import resolve_model
    from codesign.testing.suite_lowerings import check_lowered
    from codesign.zoo import ModelEntry

    expect(isinstance(entry, ModelEntry), f"must be a codesign.zoo.ModelEntry, got {entry!r:.60}")
    expect(
        entry.description and entry.description == " ".join(entry.description.split()),
        f"its description must be one line, got {entry.description!r}; say what it is",
    )
    check_lowered(resolve_model(name, plugins=offered.words))


def format_checks(_: Offered, name: str, codec: Any) -> Iterator[Check]:
    """The checks of one codec.

    Args:
        _: all that is offered beside it.
        name: its name.
        codec: what the plugin returned.
    """
    yield Check(f"format {name}: tells what an element takes", partial(check_format, codec))


def check_format(codec: Any) -> None:
    """Checks a codec: a pure function to bits of at least 0, that another process can have.

    Args:
        codec: what a plugin returns from ``codesign_formats``.

    Raises:
        AssertionError: says which promise is broken and what to change.
    """
    from codesign.workload.formats import Format
    from codesign.workload.stored import Stored

    expect(
        isinstance(codec, Format),
        f"must be a codesign.workload.formats.Format, got {codec!r:.60}; return an instance",
    )
    taken, refused = 0, ""
    for shape in _SHAPES:
        for dtype in map(DType.parse, _FORMATS):
            for zeros in _ZEROS:
                sparsity = None if zeros is None else Sparsity.parse(zeros)
                try:
                    stored = codec.stored(shape, dtype, sparsity)
                except TraceError as error:
                    refused = str(error)
                    continue
                taken += 1
                place = f"stored({shape}, {dtype}, {zeros})"
                expect(
                    isinstance(stored, Stored) and stored.data >= 0 and stored.meta >= 0,
                    f"{place} must be a codesign.Stored of at least 0 bits, got {stored!r:.60}",
                )
                expect(
                    codec.stored(shape, dtype, sparsity) == stored,
                    f"{place}: two calls gave two answers; keep no state",
                )
    expect(taken, f"takes no tensor that it was offered ({refused}); refuse only what it cannot")
    check_plain(codec)


def check_plain(value: Any) -> None:
    """Checks that a value reaches a worker process as it is.

    Raises:
        AssertionError: says what to change.
    """
    try:
        copy = pickle.loads(pickle.dumps(value))  # noqa: S301  # our own bytes, made on this line
    except OF_OTHERS as error:
        raise AssertionError(
            f"cannot be pickled ({error}); keep only plain data in its fields"
        ) from error
    expect(copy == value, "changes when pickled; keep only plain data in its fields")


def folder_checks(offered: Offered, name: str, folder: Any) -> Iterator[Check]:
    """The checks of a folder of hardware presets.

    Args:
        offered: all that is offered beside it.
        name: its name.
        folder: what the plugin returned.
    """
    yield Check(
        f"presets {Path(name).name}: every file reads", partial(_check_folder, offered, folder)
    )


def _check_folder(offered: Offered, folder: Any) -> None:
    from codesign.hardware.spec import load_hardware

    expect(
        isinstance(folder, Path) and folder.is_dir(),
        f"must be the path of a folder, got {folder!r:.60}; return [Path(__file__).parent / ...]",
    )
    files = sorted(folder.glob("*.yaml"))
    expect(files, f"{folder.name} has no *.yaml; put presets in, or do not offer it")
    for file in files:
        machine = load_hardware(file, plugins=offered.words)
        expect(machine.description, f"{file.name} has no description; add 'description: ...'")


def table_checks(_: Offered, name: str, table: Any) -> Iterator[Check]:
    """The checks of a table of energies.

    Args:
        _: all that is offered beside it.
        name: its name.
        table: what the plugin returned.
    """
    from codesign.energy import read_tables

    yield Check(f"energies {Path(name).name}: every row reads", partial(read_tables, [table]))


def arrival_checks(_: Offered, name: str, arrival: Any) -> Iterator[Check]:
    """The checks of a kind of arrivals.

    Args:
        _: all that is offered beside it.
        name: its name.
        arrival: what the plugin returned.
    """
    from codesign.scenario.arrival_kinds import ArrivalKind, Key

    def check() -> None:
        expect(isinstance(arrival, ArrivalKind), f"must be an ArrivalKind, got {arrival!r:.60}")
        for key, rule in arrival.keys.items():
            expect(
                isinstance(rule, Key) and callable(rule.read),
                f"the key {key!r} needs a Key with the rule that reads it, got {rule!r:.60}",
            )

    yield Check(f"arrival {name}: keys with rules", check)


def validation_checks(_: Offered, name: str, validation: Any) -> Iterator[Check]:
    """The checks of a family of references, on those of its rows that need no file.

    Args:
        _: all that is offered beside it.
        name: its name.
        validation: what the plugin returned.
    """
    from codesign.testing.validations import check_validation
    from codesign.validation.contract import Validation

    def check() -> None:
        expect(isinstance(validation, Validation), f"must be a Validation, got {validation!r:.60}")
        check_validation(validation)

    yield Check(f"validation {name}: has sources and repeats", check)


def example_checks(_: Offered, name: str, example: Any) -> Iterator[Check]:
    """The checks of an example.

    Args:
        _: all that is offered beside it.
        name: of what it is an example.
        example: what the plugin returned.
    """
    from codesign.testing.examples import Example

    def check() -> None:
        expect(
            isinstance(example, Example),
            f"must be a codesign.testing.examples.Example, got {example!r:.60}",
        )

    yield Check(f"example {name}: made lazily", check)
