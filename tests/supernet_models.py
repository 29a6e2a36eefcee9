"""Blocks of supernets, and the whole model that a list of blocks stands for, to capture at once."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from torch import nn

from codesign.workload.capture import trace
from codesign.workload.record import Trace
from codesign.workload.supernet import Block, Supernet
from codesign.zoo.layers import PreNormBlock


class Linear(nn.Module):  # type: ignore[misc]  # torch is untyped
    """A linear layer over the last axis."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.linear = nn.Linear(inputs, outputs)

    def forward(self, x: Any) -> Any:
        return self.linear(x)


class Activation(nn.Module):  # type: ignore[misc]
    """A function of each element."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self.function = getattr(torch, name)

    def forward(self, x: Any) -> Any:
        return self.function(x)


class Sum(nn.Module):  # type: ignore[misc]
    """The sum of some tensors."""

    def forward(self, parts: Sequence[Any]) -> Any:
        total = parts[0]
        for part in parts[1:]:
            total = total + part
        return total


class Swap(nn.Module):  # type: ignore[misc]
    """The last two axes swapped: a view."""

    def forward(self, x: Any) -> Any:
        return x.transpose(-2, -1)


class Flat(nn.Module):  # type: ignore[misc]
    """All axes but the first as one: a copy where a view would not do."""

    def forward(self, x: Any) -> Any:
        return x.flatten(1)


class Halves(nn.Module):  # type: ignore[misc]
    """Two halves of the last axis, and how long they are."""

    def forward(self, x: Any) -> tuple[Any, Any, None]:
        left, right = x.chunk(2, dim=-1)
        return left, right, None


class Recurrent(nn.Module):  # type: ignore[misc]
    """An LSTM with the state that it ends in."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.lstm = nn.LSTM(width, width, batch_first=True)

    def forward(self, x: Any) -> Any:
        return self.lstm(x)


class Zeros(nn.Module):  # type: ignore[misc]
    """A constant of the shape of what it reads."""

    def forward(self, x: Any) -> Any:
        return torch.zeros(x.shape, dtype=x.dtype, device=x.device)


class Start(nn.Module):  # type: ignore[misc]
    """A learned row."""

    def __init__(self) -> None:
        super().__init__()
        self.row = nn.Parameter(torch.zeros(8))

    def forward(self) -> Any:
        return self.row * 2


class Patch(nn.Module):  # type: ignore[misc]
    """What it reads with another first row."""

    def forward(self, x: Any, row: Any) -> Any:
        return torch.slice_scatter(x, row, 1, 0, 1)


class Append(nn.Module):  # type: ignore[misc]
    """Writes a row into a cache and reads all of it."""

    def __init__(self, place: int) -> None:
        super().__init__()
        self.place = place

    def forward(self, row: Any, cache: Any) -> Any:
        cache[:, self.place : self.place + 1] = row
        return row + cache.sum(1, keepdim=True)


class Count(nn.Module):  # type: ignore[misc]
    """Keeps a running sum in a buffer."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.register_buffer("total", torch.zeros(width))

    def forward(self, x: Any) -> Any:
        self.total.add_(x.sum((0, 1)))
        return x * self.total


class Words(nn.Module):  # type: ignore[misc]
    """Rows of a table that others share."""

    def forward(self, tokens: Any, table: Any) -> Any:
        return nn.functional.embedding(tokens, table)


class Scores(nn.Module):  # type: ignore[misc]
    """Products with every row of a table that others share."""

    def forward(self, x: Any, table: Any) -> Any:
        return nn.functional.linear(x, table)


class Choice(nn.Module):  # type: ignore[misc]
    """One of two branches, a layer in each."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.first, self.second = nn.Linear(width, width), nn.Linear(width, 2 * width)

    def forward(self, x: Any) -> Any:
        return torch.cond(
            x.sum() > 0, lambda x: self.first(x), lambda x: self.second(x)[..., ::2].clone(), (x,)
        )


def layer(name: str, width: int = 8, heads: int = 2, **rest: Any) -> Block:
    """A layer of a transformer."""
    return Block(name, PreNormBlock, {"width": width, "heads": heads, "eps": 1e-5}, **rest)


def linear(name: str, inputs: int, outputs: int, **rest: Any) -> Block:
    """A linear layer."""
    return Block(name, Linear, {"inputs": inputs, "outputs": outputs}, **rest)


def x(*shape: int) -> dict[str, Any]:
    """One input of that shape."""
    return {"x": torch.empty(shape or (1, 6, 8), device="meta")}


def stitched(blocks: Sequence[Block], inputs: Mapping[str, Any], **options: Any) -> Trace:
    """The trace by a supernet of its own."""
    return Supernet().trace(blocks, inputs, name="model", **options)


def at_once(
    blocks: Sequence[Block],
    inputs: Mapping[str, Any],
    outputs: Sequence[str] | None = None,
    **options: Any,
) -> Trace:
    """The trace of one module with all blocks in it."""
    with torch.device("meta"):
        whole = Whole(blocks, tuple(inputs), outputs)
    return trace(whole, (), dict(inputs), name="model", **options)


class Whole(nn.Module):  # type: ignore[misc]
    """A module that calls the blocks one after the other."""

    def __init__(
        self, blocks: Sequence[Block], inputs: Sequence[str], outputs: Sequence[str] | None
    ) -> None:
        super().__init__()
        self.inputs, self.outputs = inputs, outputs
        self.calls: list[tuple[str, Callable[..., Any], Any]] = []
        for block in blocks:
            module = block.build(**block.options)
            _put(self, block.name.split("."), module)
            reads = (block.reads,) if isinstance(block.reads, str) else block.reads
            self.calls.append((block.name, module, reads))

    def forward(self, **given: Any) -> Any:
        known, last = dict(given), self.inputs
        for name, module, reads in self.calls:
            found = module(*_picked(known, last if reads is None else reads))
            results = _named(name, found)
            known |= results
            last = tuple(key for key, value in results.items() if value is not None)
        picked = _picked(known, last if self.outputs is None else self.outputs)
        return picked[0] if len(picked) == 1 else picked


def _put(root: Any, path: list[str], module: Any) -> None:
    for part in path[:-1]:
        if not hasattr(root, part):
            root.add_module(part, nn.Module())
        root = getattr(root, part)
    root.add_module(path[-1], module)


def _picked(known: Mapping[str, Any], reads: Any) -> tuple[Any, ...]:
    return tuple(known[one] if isinstance(one, str) else _picked(known, one) for one in reads)


def _named(name: str, found: Any) -> dict[str, Any]:
    if not isinstance(found, (tuple, list)):
        return {name: found}
    parts = [_named(f"{name}.{number}", part) for number, part in enumerate(found)]
    return {key: value for part in parts for key, value in part.items()}
