"""Any graph of blocks, drawn at random, is the model captured at once."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from supernet_models import Activation, Flat, Halves, Sum, Swap, at_once, layer, linear, x
from torch import nn

from codesign.workload.supernet import Block, Supernet

SUPERNET = Supernet()
"""One for all, as a search has it: blocks of earlier graphs are remembered."""


@st.composite
def networks(draw: Any) -> tuple[list[Block], tuple[str, ...]]:
    """Up to six blocks on tensors of 1 x 6 x 8, and what they return."""
    known, blocks = ["x"], list[Block]()
    for number in range(draw(st.integers(1, 6))):
        name = draw(st.sampled_from(["part", "deep.part"])) + f"_{number}"
        read = draw(st.sampled_from(known))
        kind = draw(st.sampled_from(["linear", "layer", "relu", "sum", "twice", "same", "halves"]))
        if kind == "linear":
            blocks.append(linear(name, 8, 8, reads=read))
        elif kind == "layer":
            blocks.append(layer(name, heads=draw(st.sampled_from([1, 2])), reads=read))
        elif kind == "relu":
            blocks.append(Block(name, Activation, {"name": "relu"}, read))
        elif kind == "sum":
            blocks.append(Block(name, Sum, reads=((read, draw(st.sampled_from(known))),)))
        elif kind == "same":
            blocks.append(Block(name, nn.Identity, reads=read))
        elif kind == "twice":
            blocks += [Block(f"{name}_a", Swap, reads=read), Block(name, Swap)]
        else:
            cut = Block(f"{name}_cut", Halves, reads=read)
            blocks += [cut, linear(name, 4, 8, reads=f"{cut.name}.{draw(st.integers(0, 1))}")]
        known.append(name)
    blocks.append(Block("end", Flat, reads=known[-1]))
    return blocks, ("end", *draw(st.lists(st.sampled_from(known[1:]), max_size=1)))


@settings(max_examples=8)
@given(networks())
def test_a_random_graph_of_blocks_is_the_model_captured_at_once(
    network: tuple[list[Block], tuple[str, ...]],
) -> None:
    blocks, outputs = network
    joined = SUPERNET.trace(blocks, x(), outputs=outputs, name="model")
    assert joined == at_once(blocks, x(), outputs)
