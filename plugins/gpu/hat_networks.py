"""Sub-networks of a translation supernet, and what the data say about their latency."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from codesign.errors import ValidationError
from codesign.validation import TableRow

Array: TypeAlias = NDArray[np.float64]

FIELDS = {
    "encoder_width": "encoder_embed_dim",
    "encoder_layers": "encoder_layer_num",
    "encoder_hidden": "encoder_ffn_embed_dim_avg",
    "encoder_heads": "encoder_self_attention_heads_avg",
    "width": "decoder_embed_dim",
    "layers": "decoder_layer_num",
    "hidden": "decoder_ffn_embed_dim_avg",
    "heads": "decoder_self_attention_heads_avg",
    "cross_heads": "decoder_ende_attention_heads_avg",
    "sources": "decoder_arbitrary_ende_attn_avg",
}
"""Attributes of ``Networks`` and the columns that they come from."""
LATENCIES = ("latency_mean_encoder_ms", "latency_mean_decoder_ms")
COLUMNS = ("task", "device", *FIELDS.values(), *LATENCIES)


@dataclass(frozen=True, slots=True)
class Task:
    """What the networks of a task have in common.

    Attributes:
        tokens: length of the source sentence, and decoding steps.
        vocabulary: rows of the output projection.
    """

    tokens: int
    vocabulary: int


TASKS = {"wmt14ende": Task(30, 32768), "iwslt14deen": Task(23, 6632)}
"""Lengths as the authors measured. Their preparation script cuts the first vocabulary to 32,768
words; the second is that of the usual preparation of this corpus, not confirmed by them."""


@dataclass(frozen=True)
class Networks:
    """Configurations of many networks of one task, an array over the networks for each figure.

    What differs between the layers of a network is published as its mean over the layers.

    Attributes:
        task: their task.
        encoder_width: width of the encoder.
        encoder_layers: layers of the encoder.
        encoder_hidden: mean width inside its feed-forward parts.
        encoder_heads: mean number of its heads.
        width: width of the decoder.
        layers: layers of the decoder.
        hidden: mean width inside its feed-forward parts.
        heads: mean number of heads over its own past.
        cross_heads: mean number of heads over the source.
        sources: mean number of last encoder layers that a decoder layer attends to, 1 to 3.
    """

    task: Task
    encoder_width: Array
    encoder_layers: Array
    encoder_hidden: Array
    encoder_heads: Array
    width: Array
    layers: Array
    hidden: Array
    heads: Array
    cross_heads: Array
    sources: Array

    def take(self, chosen: NDArray[np.int64]) -> Networks:
        """The networks of these numbers."""
        return Networks(self.task, **{name: getattr(self, name)[chosen] for name in FIELDS})


@dataclass(frozen=True)
class LatencySet:
    """Networks of one task and their latency on one device, in order of measurement.

    Attributes:
        task: name of the task.
        device: name of the device.
        networks: their configurations.
        latency_s: encoder and decoder together, in seconds.
    """

    task: str
    device: str
    networks: Networks
    latency_s: Array

    @property
    def name(self) -> str:
        """Task and device."""
        return f"{self.task} on {self.device}"


def latency_sets(rows: Sequence[TableRow]) -> tuple[LatencySet, ...]:
    """Sorts the rows of a table by task and device.

    Raises:
        ValidationError: a task of unknown length, or a figure that is no positive number.
    """
    groups: dict[tuple[str, str], list[TableRow]] = {}
    for row in rows:
        if row.text("task") not in TASKS:
            raise row.fault("task", " or ".join(TASKS))
        groups.setdefault((row.text("task"), row.text("device")), []).append(row)
    return tuple(_latency_set(*key, group) for key, group in groups.items())


def _latency_set(task: str, device: str, rows: Sequence[TableRow]) -> LatencySet:
    columns = {name: _column(rows, column) for name, column in FIELDS.items()}
    latency_ms = np.sum([_column(rows, column) for column in LATENCIES], axis=0)
    return LatencySet(task, device, Networks(TASKS[task], **columns), latency_ms * 1e-3)


def _column(rows: Sequence[TableRow], column: str) -> Array:
    values = np.array([row.number(column) for row in rows])
    if not np.all(values > 0):
        raise _first_fault(rows, column)
    return values


def _first_fault(rows: Sequence[TableRow], column: str) -> ValidationError:
    return next(row for row in rows if row.number(column) <= 0).fault(column, "above 0")
