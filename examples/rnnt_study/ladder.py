"""The designs of the memory study: a ladder from a plain recogniser, and controls beside it.

The pair is our own. Layer table, buffer and cell of the published one are not available to us.
"""

from __future__ import annotations

from dataclasses import replace

from codesign.zoo.transducer import PRESETS, Transducer
from rnnt_study.design import MIB, Design

HALF = MIB // 2
LSTM = PRESETS["rnnt_8x640"]
CIFG = Transducer(cell="cifg", prediction_cell="cifg")
BLOCKS = replace(CIFG, blocks=2)
NARROW = replace(BLOCKS, width=576)
JOINT = replace(NARROW, joint=640)
JOINER = ("join_encoder", "join_prediction", "join_output")
BESIDE = MIB - JOINT.encoder_cells[0].recurrent_set
"""Bytes of 1 MiB that the recurrent set of one layer leaves."""

A = Design("A: 8 x 640 LSTM", LSTM, chunk=1)
C = Design("C: 8 x 640 CIFG, 4 blocks", PRESETS["rnnt_8x640_cifg_4_blocks"], buffer=HALF)
D = Design("D: 8 x 608 CIFG, 2 blocks", PRESETS["rnnt_8x608_cifg_2_blocks"])
A_CHUNKS = replace(A, chunk=8, buffer=HALF)

LADDER = (
    A,
    Design("+ 80 ms chunks", LSTM),
    Design("+ CIFG cells", CIFG),
    Design("+ 2 recurrent blocks", BLOCKS),
    Design("+ width 576", NARROW),
    Design("+ joiner of 640", JOINT),
    Design("+ output layer pinned", JOINT, pinned=("join_output",)),
    Design("+ whole joiner pinned", JOINT, pinned=JOINER),
    Design("or output layer beside", JOINT, pinned=("join_output",), aside=BESIDE),
)
"""At 1 MiB. The first two that pin have a memory of their own for it."""

CONTROLS = (
    Design("1: 8 x 448, joiner 640", Transducer(width=448, joint=640), chunk=1),
    Design("2: 8 x 448, joiner 1024", Transducer(width=448), chunk=1),
    Design("3: 1 in chunks", Transducer(width=448, joint=640)),
    Design("4: 3 in half the buffer", Transducer(width=448, joint=640), buffer=HALF),
    Design("5: 14 x 352, joiner 640", Transducer(layers=14, width=352, joint=640), buffer=HALF),
    replace(C, name="6: C without chunks", chunk=1, buffer=MIB),
)
"""What a part of the ladder does alone; 1 to 5 are plain LSTMs."""

PINNED = (
    replace(A, pinned=("encoder.0",), buffer=HALF, aside=HALF),
    replace(C, pinned=("join_output",), aside=HALF - C.model.encoder_cells[0].recurrent_set),
)
"""A and C, each with the best that half a mebibyte can hold for ever."""

GOOGLE = Design("8 x 2048, projected to 640", PRESETS["rnnt_google_2019"], chunk=1, step_s=0.03)

CURVES = tuple(
    Design(f"8 x {width} LSTM", Transducer(width=width), chunk, buffer)
    for chunk, buffer, widths in (
        (1, MIB, (320, 480, 640)),
        (8, HALF, (320, 352, 384, 640)),
        (8, MIB, (320, 480, 512, 640)),
    )
    for width in widths
)
"""Plain recognisers under each schedule, of widths around that from which they no longer fit."""
