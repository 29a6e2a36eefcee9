"""A process engine is replayed: every check fails on one with just the fault it is there for."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import pytest
from toy_plugins import caught

from codesign import Engine, Op
from codesign.hardware.process import Ports
from codesign.testing import (
    check_engine,
    check_process_engine,
    compulsory_bytes,
    elementwise,
    every_operator,
    matmul,
)
from codesign.units import Joules

PRODUCT = matmul(4, 6, 8)


@dataclass(frozen=True, kw_only=True)
class Live(Engine):
    """Loads all, works, stores all: the smallest honest process.

    Attributes:
        work_energy: energy of one multiply-accumulate or element.
    """

    kind: ClassVar[str] = "live"

    work_energy: Joules = 1e-12

    def supports(self, op: Op) -> str | None:
        return None

    def energies_j(self) -> Mapping[str, float]:
        return {"work": self.work_energy}

    def process(self, env: Any, op: Op, ports: Ports) -> Iterator[Any]:
        yield from self.load(op, ports)
        yield from self.work(env, op, ports)
        yield from self.store(op, ports)

    def load(self, op: Op, ports: Ports) -> Iterator[Any]:
        for operand in range(len(op.inputs)):
            yield ports.load(operand, compulsory_bytes(op, operand))

    def work(self, env: Any, op: Op, ports: Ports) -> Iterator[Any]:
        yield ports.compute(max(1, op.macs), 1e9)
        ports.act("", "work", max(1, op.macs))

    def store(self, op: Op, ports: Ports) -> Iterator[Any]:
        for operand, access in enumerate(op.outputs, start=len(op.inputs)):
            yield ports.store(operand, access.bytes)


Part = Callable[[Live, Op, Ports], Iterable[Any]]


def broken(**parts: Part) -> Live:
    """An honest process of which some parts are others."""

    def part(change: Part) -> Callable[..., Iterator[Any]]:
        # the last argument is the ports, whatever comes before them
        return lambda self, *given: iter(change(self, given[-2], given[-1]))

    changed = {name: part(change) for name, change in parts.items()}
    kind: type[Live] = type("Broken", (Live,), changed | {"__doc__": Live.__doc__})
    made: type[Live] = dataclass(frozen=True, kw_only=True)(kind)
    return made(name="live", buffer="sram")


def one_byte_less(live: Live, op: Op, ports: Ports) -> Iterator[Any]:
    for operand in range(len(op.inputs)):
        yield ports.load(operand, compulsory_bytes(op, operand) - (operand == 1))


def stores_half(live: Live, op: Op, ports: Ports) -> Iterator[Any]:
    yield ports.store(len(op.inputs), op.outputs[0].bytes // 2)


def stores_twice(live: Live, op: Op, ports: Ports) -> Iterator[Any]:
    yield from Live.store(live, op, ports)
    yield from Live.store(live, op, ports)


def stores_an_input(live: Live, op: Op, ports: Ports) -> Iterator[Any]:
    yield from Live.store(live, op, ports)
    yield ports.store(0, 1)


def charges(*action: Any) -> Part:
    def work(live: Live, op: Op, ports: Ports) -> Iterator[Any]:
        yield ports.compute(op.macs, 1e9)
        ports.act(*action)

    return work


def takes_no_time(live: Live, op: Op, ports: Ports) -> Iterator[Any]:
    ports.act("", "work", op.macs)
    return iter(())


def crashes(live: Live, op: Op, ports: Ports) -> Iterator[Any]:
    raise ZeroDivisionError("division by zero")


FAULTS: dict[str, tuple[dict[str, Part], str]] = {
    "loads nothing": (
        {"load": lambda live, op, ports: ()},
        "0 B of operand 0 ('x'), which has 24 B; every byte of it crosses once",
    ),
    "loads a byte too few": (
        {"load": one_byte_less},
        "47 B of operand 1 ('w'), which has 48 B; every byte of it crosses once",
    ),
    "stores nothing": (
        {"store": lambda live, op, ports: ()},
        "0 B of operand 2 ('y'), which has 32 B; every byte of it crosses once",
    ),
    "stores half": (
        {"store": stores_half},
        "16 B of operand 2 ('y'), which has 32 B; every byte of it crosses once",
    ),
    "stores twice": (
        {"store": stores_twice},
        "stores 64 B of operand 2, which has 32 B; every output byte leaves exactly once",
    ),
    "stores an input": (
        {"store": stores_an_input},
        "stores operand 0, which the operator only reads",
    ),
    "charges nothing": (
        {"work": lambda live, op, ports: (ports.compute(op.macs, 1e9),)},
        "charges no action; tell ports.act what it did",
    ),
    "charges an action zero times": ({"work": charges("", "work", 0)}, "charges no action"),
    "charges less than nothing": ({"work": charges("", "work", -3)}, "counts -3 of 'work'"),
    "charges what it does not price": (
        {"work": charges("", "rest", 1)},
        "has no energy for action 'rest'",
    ),
    "charges its buffer for what that does not price": (
        {"work": charges("buffer", "erase", 1)},
        "has no energy for action 'erase'",
    ),
    "takes no time": (
        {"work": takes_no_time},
        "computes for 0 s on 192 MACs; let them pass with ports.compute",
    ),
    "never ends": (
        {"work": lambda live, op, ports: (ports.compute(1, 1e9).env.event(),)},
        "a process engine never ended",
    ),
    "raises": ({"work": crashes}, "raised ZeroDivisionError: division by zero at "),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_faulty_process_is_caught(fault: str) -> None:
    parts, rule = FAULTS[fault]
    caught(lambda: check_engine(broken(**parts), (PRODUCT,)), rule)
    caught(lambda: check_process_engine(broken(**parts), PRODUCT), rule)


def test_a_process_that_changes_from_run_to_run_is_caught() -> None:
    calls = itertools.count(1)

    def moody(live: Live, op: Op, ports: Ports) -> Iterator[Any]:
        yield ports.compute(next(calls), 1e9)
        ports.act("", "work", op.macs)

    caught(lambda: check_process_engine(broken(work=moody), PRODUCT), "two runs differ; keep no")


def test_an_action_count_that_changes_is_caught_too() -> None:
    calls = itertools.count(1)

    def moody(live: Live, op: Op, ports: Ports) -> Iterator[Any]:
        yield ports.compute(op.macs, 1e9)
        ports.act("", "work", next(calls))

    caught(lambda: check_process_engine(broken(work=moody), PRODUCT), "two runs differ; keep no")


def test_waiting_is_not_computing() -> None:
    @dataclass(frozen=True, kw_only=True)
    class Waiting(Live):
        """A process that lets the time of its work pass unseen by its utilization."""

        def work(self, env: Any, op: Op, ports: Ports) -> Iterator[Any]:
            yield env.timeout(1000)
            ports.act("", "work", 1)

    waiting = Waiting(name="live", buffer="sram")
    caught(lambda: check_process_engine(waiting, PRODUCT), "let them pass with ports.compute")
    check_process_engine(waiting, elementwise((8,)))


def test_an_honest_process_passes_on_every_operator_in_every_format() -> None:
    for dtype in ("int8", "fp32", "fp4[16x8]"):
        check_engine(Live(name="live", buffer="sram"), every_operator(dtype))


def test_a_process_may_load_and_store_in_pieces_and_load_again() -> None:
    def pieces(live: Live, op: Op, ports: Ports) -> Iterator[Any]:
        for operand in (0, 1, 0, 1):
            yield ports.load(operand, op.inputs[operand].bytes // 2)
        yield from Live.load(live, op, ports)

    def halves(live: Live, op: Op, ports: Ports) -> Iterator[Any]:
        for _ in range(2):
            yield ports.store(2, op.outputs[0].bytes // 2)

    check_process_engine(broken(load=pieces, store=halves), PRODUCT)


def test_pieces_of_parts_of_a_byte_may_round_up() -> None:
    """15 elements of 4 bits, stored one by one, take a byte each."""

    def nibbles(live: Live, op: Op, ports: Ports) -> Iterator[Any]:
        for _ in range(op.outputs[0].elements):
            yield ports.store(2, 1)

    check_process_engine(broken(store=nibbles), matmul(3, 5, 5, dtype="int4"))
    whole = matmul(3, 5, 5)
    rule = "stores 30 B of operand 2, which has 15 B"
    caught(lambda: check_process_engine(broken(store=stores_twice), whole), rule)
