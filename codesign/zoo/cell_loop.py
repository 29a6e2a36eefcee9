"""Any recurrent cell over time: one loop in the captured graph, and state that outlives a call.

A cell is a callable ``cell(x, state) -> (output, state)``; its state is a tensor or any nesting of
tuples of tensors, of the same shapes after a step as before.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

import torch
from torch import Tensor, nn

# not public yet, but the one loop that torch.export keeps as a loop and that returns every step
from torch._higher_order_ops.scan import scan
from torch.utils import _pytree as pytree

State: TypeAlias = Any
"""A tensor, or tuples of them."""


def over_time(
    cell: Callable[[Tensor, State], tuple[Tensor, State]], sequence: Tensor, state: State
) -> tuple[Tensor, State]:
    """Runs a cell over a sequence; capture makes one ``Region`` of it.

    Args:
        cell: one step.
        sequence: inputs, [steps, ...].
        state: state before the first step.

    Returns:
        The outputs [steps, ...] and the state after the last step.
    """

    def body(before: State, x: Tensor) -> tuple[State, Tensor]:
        output, after = cell(x, before)
        # scan refuses results that share memory, as an output that is also the next state does
        copies: tuple[State, Tensor] = pytree.tree_map(torch.clone, (after, output))
        return copies

    after, outputs = scan(body, state, sequence)
    return outputs, after


class Stateful(nn.Module):
    """A cell that runs one step per call; its state lives in the buffers ``state0``, ...

    Args:
        cell: the cell, a module.
        state: state before the first call; it tells the shapes.
    """

    def __init__(self, cell: nn.Module, state: State) -> None:
        super().__init__()
        self.cell = cell
        leaves, self._structure = pytree.tree_flatten(state)
        self._names = [f"state{index}" for index in range(len(leaves))]
        for name, leaf in zip(self._names, leaves, strict=True):
            # two layers that start from one tensor must not write each other's state
            self.register_buffer(name, leaf.clone(), persistent=False)

    @property
    def state(self) -> State:
        """The state that the next step starts from."""
        return pytree.tree_unflatten(self._kept(), self._structure)

    def keep(self, state: State) -> None:
        """Stores a state in the buffers."""
        kept = self._kept()
        # a state that a cell hands on as another one must be read before it is overwritten
        leaves = [
            leaf.clone() if any(leaf is buffer for buffer in kept) else leaf
            for leaf in pytree.tree_leaves(state)
        ]
        for buffer, leaf in zip(kept, leaves, strict=True):
            buffer.copy_(leaf)

    def _kept(self) -> list[Tensor]:
        return [getattr(self, name) for name in self._names]

    def forward(self, x: Tensor) -> Tensor:
        """Maps one input to one output."""
        output, after = self.cell(x, self.state)
        self.keep(after)
        return output


class Recurrent(Stateful):
    """A cell that runs over a whole sequence per call, as one loop."""

    def forward(self, sequence: Tensor) -> Tensor:
        """Maps inputs [steps, ...] to outputs [steps, ...]."""
        outputs, after = over_time(self.cell, sequence, self.state)
        self.keep(after)
        return outputs


class Windowed(nn.Module):
    """Gives each step the last inputs side by side: a causal convolution over time.

    Args:
        layer: reads windows [steps, batch, window, inputs].
        past: inputs before the first one, [window - 1, batch, inputs].
    """

    def __init__(self, layer: nn.Module, past: Tensor) -> None:
        super().__init__()
        self.layer = layer
        self.register_buffer("past", past, persistent=False)

    def forward(self, sequence: Tensor) -> Tensor:
        """Maps inputs [steps, batch, inputs] to what the layer makes of their windows."""
        window = len(self.past) + 1
        padded = torch.cat([self.past, sequence])
        self.past.copy_(padded[len(sequence) :])
        return self.layer(padded.unfold(0, window, 1).movedim(-1, 2))
