"""Accuracy on handwritten digits, measured: networks are trained, then their weights rounded.

The data are the 1,797 images of 8 x 8 pixels that scikit-learn ships, a copy of the test set of
Alpaydin and Kaynak, "Optical recognition of handwritten digits", UCI Machine Learning Repository,
1998. All is in double precision and on one thread, so that another processor, which sums in another
order, comes to the same accuracies.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache, partial
from typing import TypeAlias

import torch
from torch import Tensor
from torch.func import functional_call, stack_module_state, vmap
from torch.nn import functional

from quality.network import PIXELS, STEPS, Network

HELD_OUT = 360
"""Images of the test part, and as many of the validation part: a fifth of all."""
MATRICES = ("cell.input.weight", "cell.recurrent.weight", "out.weight")
"""What is quantised: the matrices that the hardware multiplies with."""
LARGEST_PIXEL = 16
SMALLEST_SCALE = 2.0**-24
"""The least positive number in half precision: the scale of a row of zeros."""

Parameters: TypeAlias = Mapping[str, Tensor]
Shares: TypeAlias = tuple[float, ...]
"""Of images that are classified right, one for each seed."""


@dataclass(frozen=True)
class Recipe:
    """How every network is trained: Adam (Kingma and Ba, 2015) with a one-cycle rate (Smith, 2018).

    Attributes:
        seeds: networks of each kind. A seed decides the initial weights, the order of the images,
            and which images are for training and which for validation.
        epochs: passes over the images for training.
        batch: images of a step.
        rate: highest learning rate.
    """

    seeds: int = 5
    epochs: int = 20
    batch: int = 128
    rate: float = 0.03


RECIPE = Recipe()
"""That of the study."""


@dataclass(frozen=True)
class Scores:
    """Shares of images that are classified right, one for each seed.

    Attributes:
        validation: of images that choices may rest on.
        test: of images that nothing rests on; the same ones for all seeds.
    """

    validation: Shares
    test: Shares


@cache
def score(cell: str, width: int, weight_bits: int | None, recipe: Recipe) -> Scores:
    """Trains a network for each seed, or takes those that were, and rounds its matrices.

    Args:
        cell: name of the cell.
        width: of the cell.
        weight_bits: of the matrices; None leaves them as they were trained.
        recipe: of the training.
    """
    parameters = trained(cell, width, recipe)
    if weight_bits is not None:
        parameters = quantised(parameters, weight_bits)
    right = partial(_right, _side_by_side(Network(cell, width)), parameters)
    test, _, validation = _parts(recipe.seeds)
    with _one_thread(), torch.no_grad():
        return Scores(tuple(right(validation).tolist()), tuple(right(test).tolist()))


@cache
def trained(cell: str, width: int, recipe: Recipe) -> Parameters:
    """Parameters of the networks of all seeds, along a first axis. They are trained once.

    Args:
        cell: name of the cell.
        width: of the cell.
        recipe: of the training.
    """
    with _one_thread():
        parameters = _initial(cell, width, recipe.seeds)
        logits = _side_by_side(Network(cell, width))
        optimiser = torch.optim.Adam(parameters.values(), lr=recipe.rate)
        batches = list(_batches(recipe))
        cycle = torch.optim.lr_scheduler.OneCycleLR(
            optimiser, recipe.rate, total_steps=len(batches)
        )
        images, labels = _data()
        for batch in batches:
            found = logits(parameters, images[batch].transpose(1, 2))
            # a sum over seeds: the gradient of a network is that of its own mean
            loss = functional.cross_entropy(found.flatten(0, 1), labels[batch].flatten())
            optimiser.zero_grad()
            (loss * recipe.seeds).backward()
            optimiser.step()
            cycle.step()
    return {name: parameter.detach() for name, parameter in parameters.items()}


def quantised(parameters: Parameters, bits: int) -> Parameters:
    """Rounds matrices to whole multiples of a scale that each row has, symmetrically around zero.

    Args:
        parameters: of networks.
        bits: 2 or more; 2 leave -1, 0 and 1 times the scale.
    """
    most = 2 ** (bits - 1) - 1
    rounded = dict(parameters)
    for name in MATRICES:
        if name in parameters:
            matrix = parameters[name]
            scale = (matrix.abs().amax(-1, keepdim=True) / most).half().to(matrix)
            scale = scale.clamp_min(SMALLEST_SCALE)
            rounded[name] = (matrix / scale).round().clamp(-most, most) * scale
    return rounded


@cache
def _data() -> tuple[Tensor, Tensor]:
    """Images [image, row, pixel] from 0 to 1, and their digits."""
    from sklearn.datasets import load_digits  # what only needs the names runs without it

    pixels, digits = load_digits(return_X_y=True)
    images = torch.from_numpy(pixels).double().unflatten(-1, (STEPS, PIXELS)) / LARGEST_PIXEL
    return images, torch.from_numpy(digits)


def _parts(seeds: int) -> tuple[Tensor, Tensor, Tensor]:
    """Images for test, training and validation, [seed, image]; those for test are always the same.

    A network is never measured on an image that it was trained on.
    """
    count = len(_data()[1])
    order = torch.randperm(count, generator=torch.Generator().manual_seed(0))
    test, rest = order[:HELD_OUT], order[HELD_OUT:]
    generators = [torch.Generator().manual_seed(seed) for seed in range(seeds)]
    shuffled = torch.stack([rest[torch.randperm(len(rest), generator=g)] for g in generators])
    return test.expand(seeds, -1), shuffled[:, HELD_OUT:], shuffled[:, :HELD_OUT]


def _batches(recipe: Recipe) -> Iterator[Tensor]:
    """Images of each step, [seed, image]."""
    _, training, _ = _parts(recipe.seeds)
    generators = [torch.Generator().manual_seed(seed) for seed in range(recipe.seeds)]
    count = training.shape[1]
    for _ in range(recipe.epochs):
        orders = torch.stack([torch.randperm(count, generator=g) for g in generators])
        yield from training.gather(1, orders).split(recipe.batch, 1)


def _initial(cell: str, width: int, seeds: int) -> dict[str, Tensor]:
    networks = []
    with torch.random.fork_rng(devices=[]):
        for seed in range(seeds):
            torch.manual_seed(seed)
            networks.append(Network(cell, width).double())
    stacked, _ = stack_module_state(networks)
    return {name: tensor.detach().requires_grad_() for name, tensor in stacked.items()}


def _side_by_side(network: Network) -> Callable[[Parameters, Tensor], Tensor]:
    """Logits of the networks of all seeds at once: [seed, batch, digit]."""
    return vmap(lambda parameters, rows: functional_call(network, parameters, (rows,)))


def _right(
    logits: Callable[[Parameters, Tensor], Tensor], parameters: Parameters, images: Tensor
) -> Tensor:
    """Share of images [seed, image] whose digit is found, by seed."""
    pixels, digits = _data()
    found = logits(parameters, pixels[images].transpose(1, 2)).argmax(-1)
    return (found == digits[images]).double().mean(1)


@contextmanager
def _one_thread() -> Iterator[None]:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)
