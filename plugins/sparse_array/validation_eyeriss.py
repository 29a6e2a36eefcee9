"""Pointwise layers of a pruned MobileNet beside the cycles of one sparse processing element."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np

from codesign import load_hardware
from codesign.errors import ValidationError
from codesign.validation import Case, NotRun, TableRow, Validation, parse_table, read_table
from codesign.workload.density import Bernoulli
from codesign.workload.density_places import Actual
from codesign.workload.mask import Mask
from codesign.workload.sparsity import Sparsity

from .array import SparseArray
from .planned import alone, with_zeros

FILE = "sparse/eyeriss_v2_pe_cycles.csv"
MASKS = "sparse/eyeriss_v2_masks"
"""Folder of the data folder for the masks of the artifact, which are not ours to give: files such
as ``L07_iacts.txt`` and ``L07_weights.txt`` of 0 and 1, channels innermost."""
COLUMNS = (
    *("layer", "baseline_cycles", "C", "M", "E", "F", "R", "S", "G", "N"),
    *("activation_elements", "activation_nonzeros", "weight_elements", "weight_nonzeros"),
)
TYPED = f"""\
{",".join(COLUMNS)}
L07,1702140,64,64,32,32,1,1,1,1,65536,47716,4096,2131
L09,1499682,64,128,16,16,1,1,1,1,16384,14158,8192,6704
L27,775316,512,512,4,4,1,1,1,1,8192,4775,262144,78606
L28,95443,,,,,,,,,,,,
"""
"""Some of the layers, for those who do not have the file."""
HARDWARE = "eyeriss-v2-pe"


@dataclass(frozen=True, kw_only=True)
class Layer:
    """A pointwise layer.

    Attributes:
        name: as in the artifact.
        cycles: of the element.
        pixels: of an image.
        channels: of an input pixel; 0 where the layer is not known.
        filters: channels of an output pixel.
        activation: where the zeros of the image are.
        weight: where those of the weights are.
        masks: the same, element by element; None where nobody has them.
    """

    name: str
    cycles: int
    pixels: int = 0
    channels: int = 0
    filters: int = 0
    activation: Sparsity | None = None
    weight: Sparsity | None = None
    masks: tuple[Sparsity, Sparsity] | None = None


def rows(data: Path | None) -> Sequence[Layer]:
    """The layers in the file, or the typed ones, with their masks where somebody has them.

    Raises:
        ValidationError: a file that breaks a rule.
    """
    found = read_table(data / FILE, COLUMNS) if data else parse_table(TYPED, COLUMNS, "typed rows")
    return [_layer(row, data / MASKS if data else None) for row in found]


def compare(layer: Layer) -> Iterator[Case | NotRun]:
    """Cycles with zeros by chance, and with the zeros that there are."""
    if not layer.channels:
        reason = "neither its shape nor its non-zeros are public"
        yield NotRun(name=layer.name, reason=reason)
        return
    yield Case(
        name=layer.name,
        quantity="cycles, zeros by chance",
        ours=cycles(layer, layer.activation, layer.weight),
        theirs=layer.cycles,
        note="densities are of whole tensors; channels that are dense in both factors meet more",
    )
    if layer.masks:
        yield Case(
            name=layer.name,
            quantity="cycles, zeros as they are",
            ours=cycles(layer, *layer.masks),
            theirs=layer.cycles,
        )


def cycles(layer: Layer, activation: Sparsity | None, weight: Sparsity | None) -> int:
    """Cycles of the element for a layer with these zeros."""
    # every command loads every plugin, and the kit is large
    from codesign.testing import matmul

    op = matmul(layer.pixels, layer.channels, layer.filters)
    return alone(element(), with_zeros(op, activation, weight)).cycles


@cache
def element() -> SparseArray:
    """The processing element of the preset."""
    engine = load_hardware(HARDWARE).engine("pe")
    if not isinstance(engine, SparseArray):  # pragma: no cover
        raise ValidationError(f"{HARDWARE} must have a pe of kind sparse_array")
    return engine


LAYERS = Validation(
    title="cycles of pointwise layers of a pruned MobileNet-0.5 on one Eyeriss v2 PE",
    source="ground truth of the artifact of Sparseloop (Wu et al., MICRO 2022, commit de0374a)",
    note="nothing is fitted; 8 of 28 layers have public counts. Zeros by chance miss 1 to 7 %, as "
    "the uniform model of Sparseloop does; with the masks of the artifact, put into "
    f"{MASKS}, seven layers are exact and one is 3 cycles in 775,316 off",
    rows=rows,
    compare=compare,
    files=(FILE,),
)


def _layer(row: TableRow, masks: Path | None) -> Layer:
    name, recorded = row.text("layer"), row.whole("baseline_cycles")
    if not row.text("C"):
        return Layer(name=name, cycles=recorded)
    for column in ("R", "S", "G", "N"):
        if row.whole(column) != 1:
            raise row.fault(column, "1, for a pointwise layer of one image")
    channels, filters = row.whole("C"), row.whole("M")
    pixels = row.whole("E") * row.whole("F")
    shapes = (pixels, channels), (filters, channels)
    sizes = [row.whole(column) for column in ("activation_elements", "weight_elements")]
    for size, shape, column in zip(
        sizes, shapes, ("activation_elements", "weight_elements"), strict=True
    ):
        if size != shape[0] * shape[1]:
            raise row.fault(column, f"{shape[0]} x {shape[1]} as the shape says")
    kept = [row.whole(column) for column in ("activation_nonzeros", "weight_nonzeros")]
    shares = [Sparsity("element", Bernoulli(n / size)) for n, size in zip(kept, sizes, strict=True)]
    return Layer(
        name=name,
        cycles=recorded,
        pixels=pixels,
        channels=channels,
        filters=filters,
        activation=shares[0],
        weight=shares[1],
        masks=_masks(masks, name, shapes),
    )


def _masks(
    folder: Path | None, name: str, shapes: tuple[tuple[int, int], tuple[int, int]]
) -> tuple[Sparsity, Sparsity] | None:
    if folder is None or not (folder / f"{name}_iacts.txt").is_file():
        return None
    image = _mask(folder / f"{name}_iacts.txt", shapes[0])
    weight = _mask(folder / f"{name}_weights.txt", shapes[1])
    return _known(image), _known(weight.T)


def _known(array: np.ndarray) -> Sparsity:
    return Sparsity("element", Actual(Mask.of(array)))


def _mask(path: Path, shape: tuple[int, int]) -> np.ndarray:
    try:
        digits = np.frombuffer(path.read_bytes().strip(), dtype=np.uint8) - ord("0")
    except OSError as error:
        raise ValidationError(f"{path} cannot be read: {error.strerror}; replace it") from error
    if digits.size != shape[0] * shape[1] or digits.max() > 1:
        raise ValidationError(
            f"{path} must be {shape[0]} x {shape[1]} digits 0 and 1, got {digits.size} characters; "
            "replace it"
        )
    return digits.reshape(shape)
