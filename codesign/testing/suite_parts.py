"""The checks of a component kind: its fields, and every instance that can be had of it."""

from __future__ import annotations

import json
import pickle
import re
from collections.abc import Iterator, Mapping
from dataclasses import MISSING, dataclass, fields
from functools import lru_cache, partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, get_type_hints

from codesign.errors import OF_OTHERS, CodesignError, MappingError, PluginError
from codesign.hardware.build import build_component, check_defaults, make
from codesign.hardware.component import Component, Engine, Link, Memory
from codesign.hardware.own_answers import check_answers
from codesign.hardware.plan import Budget
from codesign.hardware.refusals import Lines
from codesign.hardware.spec import list_hardware, load_hardware
from codesign.hardware.surroundings import Surroundings
from codesign.hardware.yaml_source import read_yaml
from codesign.testing.engines import BUFFERS, check_engine
from codesign.testing.memories import check_link, check_memory
from codesign.testing.offered import Check, Offered, Skip
from codesign.testing.operators import every_operator
from codesign.testing.rules import check_fields, expect
from codesign.units import Unit
from codesign.workload.record import Op

_NEEDED: Mapping[type[Component], Mapping[str, object]] = {
    Engine: {"buffer": "buffer"},
    Memory: {"size": 1 << 20},
    Link: {"connects": ("one", "other")},
}
"""What every hardware file gives a part."""
_PHYSICAL = ("J", "J/B", "W")
_SOURCE = re.compile(r"\bassumed\b|\bsource\b|\b(19|20)\d\d\b|https?://")
_PORT = 1e6  # bytes per second: so slow that the port bounds every tile that works through it
_SLACK = 0.95  # of the bytes of a tile that an engine rounds in another place than of its plan
_OPERATORS = 6
"""Operators that are planned behind the slow port: the first ones taken, for time's sake."""


@dataclass(frozen=True)
class Instance:
    """A part to check.

    Attributes:
        where: where it is from.
        part: the part.
        operators: of an engine; None for those of the kit.
    """

    where: str
    part: Component
    operators: tuple[Op, ...] | None = None


def kind_checks(offered: Offered, name: str, kind: Any) -> Iterator[Check]:
    """The checks of one component kind.

    Args:
        offered: all that is offered beside it.
        name: what hardware files call it.
        kind: what the plugin returned.
    """
    title = f"kind {name}"
    yield Check(f"{title}: a component class", partial(_check_class, kind))
    if not (isinstance(kind, type) and issubclass(kind, Component)):
        return
    yield Check(f"{title}: fields have documentation and units", partial(check_fields, kind))
    yield Check(f"{title}: defaults keep the rules of their fields", partial(check_defaults, kind))
    yield Check(f"{title}: energies and powers have a source", partial(check_sources, kind))
    found, why = _instances(offered, kind)
    for message in _unread(offered):
        yield Check(f"{title}: its hardware files read", partial(fail, message))
    if not found:
        yield Check(f"{title}: an instance", partial(_no_instance, name, why))
    for one in found:
        place = f"{title} ({one.where})"
        yield Check(f"{place}: answers in the right types", partial(check_answers, one.part))
        yield Check(f"{place}: keeps its promises", partial(_check_promises, one))
        if isinstance(one.part, Engine) and one.part.process is None:
            yield Check(
                f"{place}: no faster than its port", partial(check_port, one.part, one.operators)
            )
        yield Check(f"{place}: can be sent to a process", partial(check_pickle, one.part))
        yield Check(f"{place}: reads back from YAML", partial(check_yaml, one.part, offered.kinds))


def _check_class(kind: object) -> None:
    expect(
        isinstance(kind, type) and issubclass(kind, Engine | Memory | Link),
        f"codesign_components returned {kind!r:.60}; return classes below codesign.Engine, Memory "
        "or Link, not instances or names",
    )


def check_sources(kind: type[Component]) -> None:
    """Checks that every default of an energy or a power says where it is from.

    The documentation of such a field names a reference with its year or a link, or says
    ``assumed``. A default of zero or an empty table claims nothing.

    Args:
        kind: a class that a plugin returns from ``codesign_components``.

    Raises:
        AssertionError: names the field and what to write.
    """
    hints = get_type_hints(kind, include_extras=True)
    docs = documentation(kind)
    for field in fields(kind):
        made = field.default_factory() if field.default_factory is not MISSING else field.default
        if made in (MISSING, None, 0) or made == {} or not _units(hints[field.name]) & {*_PHYSICAL}:
            continue
        expect(
            _SOURCE.search(docs.get(field.name, "")),
            f"{kind.__name__}.{field.name}: its default has no source; end its entry in "
            "'Attributes:' with (Author, venue, year), or with the word assumed",
        )


def documentation(kind: type) -> dict[str, str]:
    """Entries under ``Attributes:`` of a class and its bases, by field, each on one line."""
    found: dict[str, str] = {}
    for base in reversed(kind.__mro__):
        _, _, section = (base.__doc__ or "").partition("Attributes:")
        parts = re.split(r"^\s+(\w+)(?: \([^)]*\))?:", section, flags=re.MULTILINE)
        entries = zip(parts[1::2], parts[2::2], strict=True)
        found |= {name: " ".join(text.split()) for name, text in entries}
    return found


def _units(hint: Any) -> set[str]:
    found = {part.symbol for part in getattr(hint, "__metadata__", ()) if isinstance(part, Unit)}
    for part in getattr(hint, "__args__", ()):
        found |= _units(part)
    return found


def _instances(
    offered: Offered, kind: type[Component]
) -> tuple[list[Instance], CodesignError | None]:
    """Examples of the plugin, an instance by defaults, those of its files; else one of a preset."""
    found: list[Instance] = []
    why: CodesignError | None = None
    example = offered.examples.get(kind.kind)
    if example is not None:
        ops = tuple(example.operators()) if example.operators else None
        found.append(Instance("its example", example.make(), ops))
    else:
        try:
            found.append(Instance("defaults", _by_defaults(kind)))
        except CodesignError as error:
            why = error
    for path in offered.hardware:
        try:
            parts = load_hardware(path, plugins=offered.words).components.values()
        except CodesignError:  # told by a check of its own
            continue
        mine = [part for part in parts if type(part) is kind]
        found += [Instance(f"{part.name} of {path.name}", part) for part in mine]
    if not found:
        part = _of_presets(offered.words).get(kind.kind)
        found += [Instance("a preset", part)] if part else []
    return found, why


def _unread(offered: Offered) -> Iterator[str]:
    """What is wrong with hardware files that cannot be read."""
    for path in offered.hardware:
        try:
            load_hardware(path, plugins=offered.words)
        except CodesignError as error:
            yield str(error)


def fail(message: str) -> None:
    """Fails with a message.

    Raises:
        AssertionError: always.
    """
    raise AssertionError(message)


def _by_defaults(kind: type[Component]) -> Component:
    base = next(base for base in _NEEDED if issubclass(kind, base))
    known = {field.name for field in fields(kind)}
    needed = {name: value for name, value in _NEEDED[base].items() if name in known}
    return make(kind, kind.kind, needed, Lines(), Surroundings())


@lru_cache(maxsize=8)
def _of_presets(words: tuple[Path | str, ...]) -> dict[str, Component]:
    """The first part of each kind in the presets, which come in the order of their names."""
    found: dict[str, Component] = {}
    for preset in list_hardware(words):
        for part in load_hardware(preset.path, plugins=words).components.values():
            found.setdefault(part.kind, part)
    return found


def _no_instance(name: str, why: CodesignError | None) -> None:
    if isinstance(why, PluginError):  # its own code fails, whatever stands in a file
        raise AssertionError(f"no instance can be had of it: {why}")
    raise AssertionError(
        f"no instance can be had of it ({why}); give every field a default, put a hardware file "
        f"*.yaml that uses kind {name!r} beside the plugin, or offer one through codesign_examples"
    )


def _check_promises(one: Instance) -> None:
    if isinstance(one.part, Engine):
        check_engine(one.part, one.operators)
    elif isinstance(one.part, Memory):
        check_memory(one.part)
    elif isinstance(one.part, Link):
        check_link(one.part)


def check_port(engine: Engine, operators: tuple[Op, ...] | None = None) -> None:
    """Checks that no plan computes faster than the port of the buffer gives and takes operands.

    What it counts as read and written at the buffer passes the port, every operand at least once;
    an engine may keep what it reads again.

    Args:
        engine: an engine that plans.
        operators: what to plan; by default the first small operators that it takes.

    Raises:
        AssertionError: says which plan is too fast, and what to change.
    """
    offered = every_operator("int8") if operators is None else operators
    taken = [op for op in offered if engine.supports(op) is None][:_OPERATORS]
    budget = Budget(BUFFERS[-1], _PORT, _PORT, port_bytes_per_s=_PORT)
    for op in taken:
        try:
            plan = engine.plan(op, budget)
        except MappingError:
            continue
        counted = sum(count for part, _, count in plan.actions if part == "buffer")
        size = min(counted, sum(_staged(engine, op)))
        seconds, least = plan.cycles / plan.clock_hz, size / _PORT
        expect(
            seconds >= _SLACK * least,
            f"{engine.kind}.plan({op.name!r}): moves {size:,} B through a port of {_PORT:,.0f} B/s "
            f"in {seconds:.3g} s; let a tile take at least "
            "budget.port_cycles(bytes at the buffer, clock)",
        )


def _staged(engine: Engine, op: Op) -> Iterator[int]:
    """Bytes of the operands that lie in the buffer itself."""
    for operand, access in enumerate(op.operands):
        if engine.stage(op, operand) == engine.buffer:
            yield access.bytes


def check_pickle(part: Component) -> None:
    """Checks that a part reaches a worker process as it is.

    Raises:
        AssertionError: says why it does not, and what to change.
    """
    try:
        copy = pickle.loads(pickle.dumps(part))  # noqa: S301  # our own bytes, made on this line
    except OF_OTHERS as error:
        raise AssertionError(
            f"{part.kind}: cannot be pickled ({error}); keep only plain data in its fields, and "
            "define its class in the module, not in a function"
        ) from error
    expect(copy == part, f"{part.kind}: changes when pickled; keep only plain data in its fields")


def check_yaml(part: Component, kinds: Mapping[str, type[Component]]) -> None:
    """Checks that the values of a part, written to a hardware file, make the same part again.

    Args:
        part: an instance.
        kinds: component classes by kind.

    Raises:
        AssertionError: says which field reads otherwise.
        Skip: a field that is no plain value, since it was read from a file or a preset.
    """
    values = {f.name: getattr(part, f.name) for f in fields(part) if f.name != "name"}
    given = {name: _plain(name, value) for name, value in values.items() if value is not None}
    with TemporaryDirectory() as folder:
        path = Path(folder) / "part.yaml"
        path.write_text(json.dumps({"kind": part.kind, **given}))
        try:
            node = read_yaml(path, "part.yaml")
            again, _ = build_component(part.name, node, kinds, "part.yaml", Surroundings())
        except CodesignError as error:
            raise AssertionError(f"{error}; let it be read from what it holds") from error
    for name, value in values.items():
        read = getattr(again, name)
        expect(
            read == value,
            f"{part.kind}.{name}: {value!r:.60} is read back as {read!r:.60}; let its type take "
            "what it holds",
        )


def _plain(name: str, value: object) -> object:
    if isinstance(value, Mapping):
        return {str(key): _plain(name, one) for key, one in value.items()}
    if isinstance(value, tuple | list):
        return [_plain(name, one) for one in value]
    if isinstance(value, bool | str | int | float):
        return value
    raise Skip(f"{name} is no plain value: it is read from a file or a preset")
