"""What a user may say of the numbers of some operators: bit widths, zeros and codecs."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from codesign.errors import TraceError
from codesign.workload.dtype import DType
from codesign.workload.sparsity import Sparsity

_TEXTS = (
    "pattern",
    "weight_dtype",
    "activation_dtype",
    "sparsity",
    "activation_sparsity",
    "codec",
)
KEYS = ("weight_bits", "activation_bits", *_TEXTS[1:])
"""What an annotation may say of the operators that match."""


@dataclass(frozen=True, slots=True)
class Annotation:
    """What is said of the weights and activations of some operators.

    Attributes:
        pattern: of operator names, with ``*``, ``?`` and ``[...]`` as in file names.
        weight_bits: of a weight, a whole number format.
        activation_bits: of what the operators read beside weights, a whole number format.
        weight_dtype: a format such as ``fp4[16x8]``, in the place of ``weight_bits``.
        activation_dtype: the same for activations.
        sparsity: zeros of the weights, as ``Sparsity.parse`` takes them.
        activation_sparsity: zeros of the activations.
        codec: format in which the weights are stored at home.
        place: file and line, for errors; "" for none.
    """

    pattern: str
    weight_bits: int | None = None
    activation_bits: int | None = None
    weight_dtype: str | None = None
    activation_dtype: str | None = None
    sparsity: str | None = None
    activation_sparsity: str | None = None
    codec: str | None = None
    place: str = field(default="", compare=False)

    def __post_init__(self) -> None:
        self._check_texts()
        for side in ("weight", "activation"):
            self._check_width(side)
        for name in ("sparsity", "activation_sparsity"):
            zeros = getattr(self, name)
            if zeros is not None:
                with self.told(name):
                    Sparsity.parse(zeros)
        if all(getattr(self, key) is None for key in KEYS):
            raise TraceError(
                f"{self.pattern}: an annotation must say something; give for example weight_bits=4"
            )

    def _check_texts(self) -> None:
        for name in _TEXTS:
            value = getattr(self, name)
            if value is not None and not isinstance(value, str):
                raise TraceError(
                    f"{self.pattern}: {name} must be a text, got {repr(value)[:60]}; write it in "
                    "quotes"
                )
            if value == "":
                raise TraceError(f"{self.pattern}: {name} must not be empty; leave it out")

    def _check_width(self, side: str) -> None:
        bits, dtype = getattr(self, f"{side}_bits"), getattr(self, f"{side}_dtype")
        if bits is not None and dtype is not None:
            raise TraceError(
                f"{self.pattern}: {side}_bits={bits} and {side}_dtype={dtype!r} both say how "
                "wide a number is; give one"
            )
        if bits is not None and (type(bits) is not int or not 1 <= bits <= 128):
            raise TraceError(
                f"{self.pattern}: {side}_bits must be a whole number from 1 to 128, got "
                f"{repr(bits)[:60]}; write for example 4"
            )
        self.format_of(side)

    def speaks_of(self, side: str) -> bool:
        """Whether it says anything of weights, or of activations.

        Args:
            side: ``weight`` or ``activation``.
        """
        is_meant = side == "activation"
        said = (key for key in KEYS if getattr(self, key) is not None)
        return any(key.startswith("activation") == is_meant for key in said)

    def format_of(self, side: str) -> DType | None:
        """The format of weights or activations; None for what they have.

        Args:
            side: ``weight`` or ``activation``.
        """
        bits, dtype = getattr(self, f"{side}_bits"), getattr(self, f"{side}_dtype")
        if bits is not None:
            return DType("int", bits)
        if dtype is None:
            return None
        with self.told(f"{side}_dtype"):
            found = DType.parse(dtype)
            if found.kind == "bool":
                raise TraceError("must be of numbers, got bool; write int1")
        return found

    @contextmanager
    def told(self, key: str) -> Iterator[None]:
        """Puts pattern and key in front of what is wrong with a value.

        Args:
            key: one of ``KEYS``.
        """
        try:
            yield
        except TraceError as error:
            raise TraceError(f"{self.pattern}: {key}: {error}") from error
