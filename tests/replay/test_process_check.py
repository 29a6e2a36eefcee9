"""A process engine that ends has moved what its operator needs."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

import pytest

from codesign.errors import CodesignError
from codesign.replay.process_check import check_process
from codesign.testing import convolution, elementwise, every_operator, matmul
from codesign.workload.compulsory import compulsory_bytes
from codesign.workload.record import Op

Moves = list[tuple[int, int, bool]]
OPERATORS = every_operator()


def needed(op: Op) -> Moves:
    """The compulsory loads and the stores of an operator, one of each operand."""
    inputs = len(op.inputs)
    loads = [(i, compulsory_bytes(op, i), True) for i in range(inputs)]
    return loads + [(inputs + o, access.bytes, False) for o, access in enumerate(op.outputs)]


def away(op: Op) -> tuple[bool, ...]:
    return (False,) * len(op.operands)


def refused(op: Op, moves: Sequence[tuple[int, int, bool]], rule: str) -> None:
    with pytest.raises(CodesignError, match=re.escape(rule)) as fault:
        check_process(op, moves, away(op))
    assert str(fault.value).startswith(f"{op.name}: ")
    assert "\n" not in str(fault.value)


@pytest.mark.parametrize("op", OPERATORS, ids=lambda op: op.name)
def test_what_is_needed_is_enough_in_any_order_and_any_pieces(op: Op) -> None:
    moves = needed(op)
    check_process(op, moves, away(op))
    check_process(op, moves[::-1], away(op))
    pieces = [(i, part, load) for i, size, load in moves for part in (1, size - 1)]
    check_process(op, pieces, away(op))


@pytest.mark.parametrize("op", OPERATORS, ids=lambda op: op.name)
def test_one_byte_less_of_any_operand_is_refused(op: Op) -> None:
    moves = needed(op)
    for place, (operand, size, load) in enumerate(moves):
        short = [*moves[:place], (operand, size - 1, load), *moves[place + 1 :]]
        verb = "ports.load" if load else "ports.store"
        refused(op, short, f"{size - 1:,} B of operand {operand} (")
        refused(op, short, f"which has {size:,} B; every byte of it crosses once, move it with ")
        refused(op, short, verb)


@pytest.mark.parametrize("op", OPERATORS, ids=lambda op: op.name)
def test_what_lies_in_the_buffer_needs_no_move(op: Op) -> None:
    moves = needed(op)
    for place in range(len(op.operands)):
        here = tuple(place == operand for operand in range(len(op.operands)))
        check_process(op, [move for move in moves if move[0] != place], here)
    check_process(op, [], (True,) * len(op.operands))


def test_a_load_is_no_store_and_a_store_no_load() -> None:
    op = elementwise((8,))
    refused(op, [(0, 8, True), (1, 8, True)], "0 B of operand 1 ('y'), which has 8 B")
    refused(op, [(0, 8, False), (1, 8, False)], "0 B of operand 0 ('x0'), which has 8 B")


def test_partial_sums_may_come_and_go() -> None:
    op = matmul(4, 6, 8)
    check_process(op, [*needed(op), (2, 32, True), (2, 32, False), (0, 24, True)], away(op))


def test_a_stride_that_jumps_over_pixels_needs_only_those_touched() -> None:
    op = convolution(2, 2, 9, 1, stride=2)
    moves = [(0, 50, True), (1, 4, True), (2, 50, False)]
    check_process(op, moves, away(op))
    refused(op, [(0, 49, True), *moves[1:]], "49 B of operand 0 ('image'), which has 50 B")


def test_what_two_inputs_read_alike_is_loaded_through_either_of_them() -> None:
    op = elementwise((8,), ("mul",), inputs=2)
    square = replace(op, inputs=(op.inputs[0], op.inputs[0]))
    store = (2, 8, False)
    for loads in ([(0, 8, True)], [(1, 8, True)], [(0, 3, True), (1, 5, True)]):
        check_process(square, [*loads, store], away(square))
        with pytest.raises(CodesignError):
            check_process(op, [*loads, store], away(op))
    check_process(square, [store], (False, True, False))
    refused(square, [(1, 7, True), store], "7 B of operand 0 ('x0'), which has 8 B")
