"""State: mutated buffers and arguments are written in place, and only where they change."""

from __future__ import annotations

from typing import Any

import torch
from torch_case import Call, captured, meta, ops

from codesign.workload.record import Access, Trace


def written(found: Trace, name: str) -> list[Access]:
    """What is written to a tensor, in order."""
    return [a for op in ops(found) for a in op.outputs if a.tensor.name == name]


def role(found: Trace, name: str) -> str:
    return next(t.role for t in found.tensors if t.name == name)


def test_a_new_row_of_a_cache_costs_one_row() -> None:
    def forward(m: Any, row: Any) -> Any:
        m.cache[:, :, 3:4] = row
        return m.cache.sum()

    found = captured(Call(forward, cache=torch.zeros(1, 2, 16, 8)), torch.zeros(1, 2, 1, 8))
    assert role(found, "cache") == "state"
    move, _ = ops(found)
    assert (move.kind, move.inputs[0].bytes, move.outputs[0].bytes) == ("move", 64, 64)
    assert move.outputs[0].offset == 3 * 8


def test_a_cache_that_is_an_argument_is_updated_in_place_too() -> None:
    def forward(_: Any, cache: Any, row: Any, position: Any) -> Any:
        cache.index_copy_(2, position, row)
        return cache.mean()

    args = meta(1, 2, 16, 8), meta(1, 2, 1, 8), meta(1, dtype=torch.long)
    found = captured(Call(forward), *args)
    scatter, reduce = ops(found)
    state = scatter.outputs[0].tensor
    assert (scatter.kind, state.role, scatter.outputs[0].bytes) == ("scatter", "state", 64)
    assert reduce.inputs[0].tensor == state, "what is read afterwards is the cache itself"


def test_index_assignment_writes_only_the_rows_it_names() -> None:
    def forward(m: Any, position: Any, row: Any) -> None:
        m.cache[:, position] = row

    cache = torch.zeros(2, 16, 8)
    args = torch.zeros(3, dtype=torch.long), torch.zeros(2, 3, 8)
    (scatter,) = ops(captured(Call(forward, cache=cache), *args))
    assert dict(scatter.attributes) == {"rows": 6, "row_bytes": 32}
    assert scatter.outputs[0].bytes == 6 * 32


def test_an_update_through_two_views_costs_the_innermost_region() -> None:
    def forward(m: Any, row: Any) -> None:
        m.cache[1][:, 4] = row

    (move,) = ops(captured(Call(forward, cache=torch.zeros(3, 2, 8)), torch.zeros(2)))
    assert [a.offset for a in move.outputs] == [16 + 4]
    assert move.outputs[0].bytes == 2 * 4


def test_layers_that_share_one_cache_each_write_their_own_row() -> None:
    def forward(m: Any, row: Any) -> Any:
        for layer in range(3):
            m.cache[layer, 5] = row
            row = row + m.cache[layer].sum(0)
        return row

    found = captured(Call(forward, cache=torch.zeros(3, 8, 4)), torch.zeros(4))
    regions = written(found, "cache")
    assert [a.offset for a in regions] == [(layer * 8 + 5) * 4 for layer in range(3)]
    assert {a.bytes for a in regions} == {16}


def test_a_shift_register_moves_the_past_and_writes_the_present() -> None:
    def forward(m: Any, x: Any) -> Any:
        m.past[:, 1:] = m.past[:, :-1].clone()
        m.past[:, 0] = x
        return m.past.sum()

    found = captured(Call(forward, past=torch.zeros(2, 5, 8)), torch.zeros(2, 8))
    assert [a.bytes for a in written(found, "past")] == [2 * 4 * 8 * 4, 2 * 8 * 4]


def test_a_concatenated_history_is_written_straight_into_the_buffer() -> None:
    def forward(m: Any, x: Any) -> Any:
        m.past.copy_(torch.cat([m.past[:, 1:], x[:, None]], 1))
        return m.past.sum()

    found = captured(Call(forward, past=torch.zeros(2, 5, 8)), torch.zeros(2, 8))
    move, _ = ops(found)
    assert move.outputs[0] == move.outputs[0].tensor.access()
    assert move.outputs[0].tensor.name == "past"


def test_an_accumulator_is_updated_by_the_operator_itself() -> None:
    def forward(m: Any, x: Any) -> Any:
        m.total += x
        return x.relu()

    add, _ = ops(captured(Call(forward, total=torch.zeros(4)), torch.zeros(4)))
    assert (add.kind, add.outputs[0].tensor.name) == ("elementwise", "total")


def test_a_recurrent_state_that_feeds_its_own_product_is_written_back_after_it() -> None:
    def forward(m: Any, x: Any) -> Any:
        m.hidden.copy_(m.hidden @ x)
        return m.hidden.relu()

    found = captured(Call(forward, hidden=torch.zeros(4, 4)), torch.zeros(4, 4))
    product = ops(found)[0]
    assert product.outputs[0].tensor.name != "hidden", "the product still reads the old state"
    assert [op.name for op in ops(found) if op.outputs[0].tensor.name == "hidden"] == ["write_back"]


def test_an_old_state_that_is_read_later_is_not_overwritten_early() -> None:
    def forward(m: Any, x: Any) -> Any:
        old = m.state.clone()
        m.state.copy_(x + 1)
        return old * 2

    found = captured(Call(forward, state=torch.zeros(4)), torch.zeros(4))
    first_write = next(i for i, op in enumerate(ops(found)) if op.outputs[0].tensor.name == "state")
    reads = [i for i, op in enumerate(ops(found)) if op.inputs[0].tensor.name == "state"]
    assert max(reads) < first_write


def test_a_reset_is_a_fill_that_reads_one_number() -> None:
    def forward(m: Any, x: Any) -> Any:
        m.state.zero_()
        return x.relu()

    found = captured(Call(forward, state=torch.zeros(100)), torch.zeros(4))
    reset = next(op for op in ops(found) if op.outputs[0].tensor.name == "state")
    assert sum(a.elements for a in reset.inputs) <= 1


def test_a_result_built_piece_by_piece_is_written_once() -> None:
    def forward(_: Any, x: Any) -> Any:
        out = torch.zeros(4, 8)
        for i in range(4):
            out[i] = x[i] * 2
        return out

    found = captured(Call(forward), torch.zeros(4, 8))
    moved = [a.bytes for op in ops(found, "move") for a in op.outputs]
    assert moved == [4 * 8 * 4, *[8 * 4] * 4], "one fill, then four rows"


def test_a_functional_update_of_something_still_needed_copies_it() -> None:
    def forward(_: Any, x: Any, row: Any) -> Any:
        y = x.relu()
        changed = torch.slice_scatter(y, row, 0, 1, 2)
        return changed, y

    found = captured(Call(forward), torch.zeros(4, 8), torch.zeros(1, 8))
    copy, update = ops(found, "move")
    assert (copy.outputs[0].bytes, update.outputs[0].bytes) == (128, 32)


def test_an_argument_that_is_only_read_is_no_state() -> None:
    found = captured(Call(lambda m, x, row: torch.slice_scatter(x, row, 0, 1, 2)), meta(4), meta(1))
    assert [t.role for t in found.tensors if t.role in ("input", "state")] == ["input", "input"]
