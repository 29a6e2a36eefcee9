"""What a sub-network may not be: one line with the block, the rule and the way out."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from supernet_models import Append, Count, Halves, Linear, Sum, Words, layer, linear, stitched, x
from torch import nn

from codesign.errors import CaptureError, CodesignError, ModelError, UnsupportedOperatorError
from codesign.workload.record import Trace
from codesign.workload.supernet import Block, Supernet


def refused(*blocks: Block, inputs: Any = None, kind: Any = CaptureError, **options: Any) -> str:
    """What the error says; it is one line."""
    with pytest.raises(kind) as error:
        stitched(blocks, x() if inputs is None else inputs, **options)
    message = str(error.value)
    assert "\n" not in message
    return message


@pytest.mark.parametrize(
    ("blocks", "message"),
    [
        ([linear("a", 8, 8, reads="y")], "block 'a': no tensor 'y'; known: x"),
        (
            [linear("first", 8, 8), linear("b", 8, 8, reads="frist")],
            "block 'b': no tensor 'frist'; did you mean 'first'? known: first, x",
        ),
        ([linear("a", 8, 8, reads="b"), linear("b", 8, 8)], "block 'a': no tensor 'b'; known: x"),
        (
            [Block("cut", Halves), linear("b", 4, 4, reads="cut")],
            "block 'b': no tensor 'cut'; did you mean 'cut.1'? known: cut.0, cut.1, x",
        ),
        (
            [Block("cut", Halves), linear("b", 4, 4, reads="cut.2")],
            "block 'b': no tensor 'cut.2'; did you mean 'cut.1'? known: cut.0, cut.1, x",
        ),
        ([linear("a", 8, 8), linear("a", 8, 8)], "the name 'a' is given twice; rename one"),
        ([linear("x", 8, 8)], "the name 'x' is given twice; rename one"),
        (
            [linear("a", 8, 8), linear("b", 8, 8), linear("a.b.c", 8, 8)],
            "the name 'a.b.c' must not lie inside 'a'; rename one",
        ),
        ([linear("x.a", 8, 8)], "the name 'x.a' must not lie inside 'x'; rename one"),
        ([], "a sub-network must have a block and an input or more; give both"),
    ],
)
def test_names_lead_to_tensors_that_are_there(blocks: list[Block], message: str) -> None:
    assert refused(*blocks) == message


@pytest.mark.parametrize("name", ["", ".a", "a.", "a..b", "a b", "a:b", "a/b", "a\n", "-a"])
def test_a_name_is_words_with_dots_between(name: str) -> None:
    told = f"a name must be words with dots between, such as encoder.3, got {name!r}"
    assert refused(linear(name, 8, 8)) == told
    assert refused(linear("block", 8, 8), inputs={name: x()["x"]}) == told


def test_an_input_is_an_example_tensor() -> None:
    assert refused(linear("a", 8, 8), inputs={"x": (1, 6, 8)}) == (
        "input 'x' must be an example tensor, got tuple; write for example "
        "torch.empty(1, 30, 512, device='meta')"
    )


def test_a_sub_network_has_an_input() -> None:
    assert refused(linear("a", 8, 8), inputs={}).startswith("a sub-network must have a block and")


def test_roles_are_known_and_of_inputs() -> None:
    told = refused(linear("a", 8, 8), roles={"table": "weight"})
    assert told == "roles: no input 'table'; known: x"
    told = refused(linear("a", 8, 8), roles={"x": "wieght"})
    assert told.startswith("role of 'x': 'wieght' is none; did you mean 'weight'? known: ")


def test_outputs_are_tensors_that_are_there() -> None:
    assert refused(linear("a", 8, 8), outputs=("b",)) == "no tensor 'b'; known: a, x"


def test_a_block_that_fails_to_build_says_why() -> None:
    told = refused(Block("a", Linear, {"inputs": 8}), kind=ModelError)
    assert told.startswith("block 'a': it failed to build: TypeError: ")
    assert "'outputs'" in told


def test_a_block_that_ends_the_process_while_it_is_built_does_not() -> None:
    def build() -> nn.Module:
        raise SystemExit(3)

    assert refused(Block("a", build), kind=ModelError).startswith("block 'a': it failed to build:")


def test_a_block_is_a_module() -> None:
    told = refused(Block("a", dict), kind=ModelError)
    assert told == "block 'a': it must be built as a torch.nn.Module, got dict"


def test_a_block_that_does_not_fit_says_so() -> None:
    told = refused(linear("a", 8, 8), linear("b", 9, 9))
    assert told.startswith("block 'b': torch.export failed at ")


def test_a_block_takes_as_many_tensors_as_it_reads() -> None:
    told = refused(linear("a", 8, 8, reads=("x", "x")))
    assert told.startswith("block 'a': Linear.forward takes x, got 2 in args")
    assert "too many positional arguments" in told


def test_a_block_may_not_write_into_what_another_block_made() -> None:
    inputs = {"row": torch.empty(1, 1, 8, device="meta"), "x": x()["x"]}
    told = refused(
        linear("cache", 8, 8, reads="x"),
        Block("a", Append, {"place": 1}, ("row", "cache")),
        inputs=inputs,
    )
    assert told == (
        "block 'a': it writes into a tensor that another block made; let it return the new values"
    )


class Strange(nn.Module):  # type: ignore[misc]  # torch is untyped
    """An operator that nobody lowers."""

    def forward(self, x: Any) -> Any:
        return torch.linalg.inv(x)


def test_an_operator_without_a_lowering_is_told_with_its_blocks() -> None:
    square = {"x": torch.empty(8, 8, device="meta")}
    blocks = [Block("a.first", Strange), linear("b", 8, 8), Block("c", Strange)]
    told = refused(*blocks, inputs=square, kind=UnsupportedOperatorError)
    assert "aten.linalg_inv.default x2" in told
    assert " in a.first, c (" in told


def test_it_may_be_left_out_and_is_reported() -> None:
    square = {"x": torch.empty(8, 8, device="meta")}
    found = stitched([Block("a", Strange)], square, allow_unsupported=True)
    assert found.coverage.unsupported
    assert any("not modelled" in note for note in found.notes)


def test_a_block_that_fails_leaves_the_supernet_as_it_was() -> None:
    supernet = Supernet()
    good = [layer("a")]
    before = supernet.trace(good, x())
    for bad in ([linear("a", 7, 7)], [Block("b", Sum, reads=(("x", "y"),))], [Block("b", dict)]):
        with pytest.raises(CodesignError):
            supernet.trace(bad, x())
    assert supernet.trace(good, x()) == before
    assert supernet.captures == 3  # the good one, and two that were tried


def test_a_dead_end_costs_nothing() -> None:
    """Torch drops what nobody reads of a whole model, weights and all; but not what is written."""

    def made(*more: Block) -> Trace:
        return stitched([*more, linear("a", 8, 8, reads="x")], x())

    assert made(layer("b"), linear("c", 8, 99)).items == made().items
    assert made(layer("b")).parameters == made().parameters
    assert [t.role for t in made(Block("b", Count, {"width": 8})).tensors].count("state") == 1


def test_a_table_is_a_weight_once() -> None:
    table = torch.empty(50, 8, device="meta")
    tokens = torch.zeros(1, 6, dtype=torch.int64, device="meta")
    blocks = [
        Block("one", Words, reads=("tokens", "table")),
        Block("two", Words, reads=("tokens", "table")),
        Block("sum", Sum, reads=(("one", "two"),)),
    ]
    inputs = {"tokens": tokens, "table": table}
    assert stitched(blocks, inputs, roles={"table": "weight"}).parameters == 50 * 8
    assert stitched(blocks, inputs).parameters == 0
