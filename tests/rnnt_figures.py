"""Expected figures of the recurrent-transducer memory study, typed in once for all its tests.

All are derived: they follow from our own stated model (see ``rnnt_closed_form``) for models of our
own, to the byte. None is a measurement, and none is taken from a paper.
"""

from __future__ import annotations

COMPONENTS = {
    # name: (A frame by frame, A 80 ms, C 80 ms 0.5 MiB, D 80 ms 1 MiB), bytes per second of audio
    "encoder 0": (185_088_000, 167_168_000, 5_832_000, 8_823_600),
    "encoder 1": (246_144_000, 123_264_000, 34_632_000, 34_724_400),
    "encoder 2": (123_072_000, 82_112_000, 34_632_000, 34_724_400),
    "encoder 3": (82_112_000, 61_632_000, 19_272_000, 20_862_000),
    "encoder 4": (82_112_000, 61_632_000, 19_272_000, 20_862_000),
    "encoder 5": (82_112_000, 61_632_000, 19_272_000, 20_862_000),
    "encoder 6": (82_112_000, 61_632_000, 19_272_000, 20_862_000),
    "encoder 7": (82_112_000, 61_632_000, 19_272_000, 20_862_000),
    "prediction": (4_218_880, 4_218_880, 1_582_080, 1_582_080),
    "embedding": (1_024, 1_024, 1_024, 1_024),
    "join_enc": (16_409_600, 8_204_800, 8_204_800, 7_795_200),
    "join_pred": (1_048_576, 1_048_576, 1_048_576, 1_048_576),
    "join_out": (29_754_725, 29_754_725, 29_754_725, 29_754_725),
}
TOTAL_BATCHED = (1_016_296_805, 723_932_005, 212_047_205, 222_764_005)
"""Joiner's encoder matrix once per chunk."""
TOTAL_PER_FRAME = (1_016_296_805, 732_136_805, 220_252_005, 230_559_205)
"""Joiner's encoder matrix once per frame."""
PARAMETERS = (31_374_569, 31_374_569, 16_312_809, 17_170_153)
MACS_PER_S = (1_013_912_576, 1_013_912_576, 494_171_136, 533_825_536)

PER_STEP = {
    # A by step or frame, A by chunk, C by chunk
    "encoder 0": (1_850_880, 13_373_440, 466_560),
    "encoder 1": (4_922_880, 9_861_120, 2_770_560),
    "encoder 2": (4_922_880, 6_568_960, 2_770_560),
    "encoder 3": (3_284_480, 4_930_560, 1_541_760),
    "join_enc": (656_384, 656_384, 656_384),
    "join_out": (1_026_025, 2_052_050, 2_052_050),
}
JOIN_ENCODER_PER_FRAME = 1_312_768
"""Bytes of the joiner's encoder matrix per chunk where it is read at both frames."""
PER_FRAME_OR_CHUNK = (40_276_969, 57_164_754, 16_424_914)
PER_TOKEN = (2_343_145, 2_343_145, 1_683_945)
STEPS_OF_A_FRAME = (1_850_880, 6_773_760, 1_850_880, 29_801_449)
"""Bytes of the four 10 ms steps of one frame of A."""
RECURRENT_SETS = (1_646_080, 312_960, 559_968)
"""Of A, C and D."""

LADDER = {
    # step: (parameters, bytes per second, cut of accesses)
    "A": (31_374_569, 1_016_296_805, 1.000),
    "chunk": (31_374_569, 723_932_005, 1.404),
    "CIFG": (24_081_129, 552_701_285, 1.839),
    "blocks": (19_165_929, 244_349_285, 4.159),
    "width": (16_045_289, 205_341_285, 4.949),
    "joint": (15_341_033, 191_031_333, 5.320),
    "join_out": (15_341_033, 172_423_744, 5.894),
    "joiner": (15_341_033, 167_152_384, 6.080),
    "beside": (15_341_033, 175_205_221, 5.801),
    "control 1": (16_238_057, 508_234_853, 2.000),
    "control 2": (16_893_161, 524_085_605, 1.939),
    "control 3": (16_238_057, 200_002_853, 5.081),
    "control 4": (16_238_057, 361_641_253, 2.810),
    "control 5": (16_887_017, 208_114_853, 4.883),
    "control 6": (16_312_809, 495_964_005, 2.049),
}

POLICIES = {
    # model: by buffer of 0.5, 1, 2 MiB (all or nothing, part kept, part kept with half the buffer)
    "LSTM": ((1.404, 1.642, 1.513), (1.404, 1.976, 1.642), (2.575, 2.575, 1.976)),
    "CIFG": ((1.839, 2.269, 2.031), (1.839, 2.963, 2.269), (3.324, 3.324, 2.963)),
    "CIFG, 2 blocks": ((2.759, 3.857, 3.217), (4.159, 4.159, 3.857), (4.159, 4.159, 4.159)),
    "C": ((4.793, 4.793, 4.574), (4.793, 4.793, 4.793), (4.793, 4.793, 4.793)),
}

STATIC_PINNING = (963_868_005, 205_918_693)
"""A frame by frame with 524,288 B of layer 0 pinned, C with 211,328 B of join_out beside R."""

POWER_MW = {
    # (pJ per DRAM byte, pJ per buffer byte): of A frame by frame and of C, DRAM, buffer, MACs
    (160.0, 12.5): ((162.607, 12.674, 0.233), (33.928, 6.177, 0.114)),
}
TOTAL_MW = {(160.0, 12.5): (175.515, 40.218), (64.0, 1.83): (67.13, 14.59)}
ENERGY_CUT = {(160.0, 12.5): 4.36, (64.0, 1.83): 4.60}

GRID = {
    # chunks of base steps: (models, lowest, highest, spread); strides of all, or (0, 1) only
    ("all", (1,)): (76, 417_352_933, 832_941_733, 2.00),
    ("(0, 1)", (1,)): (21, 417_352_933, 609_439_333, 1.46),
    ("all", (8,)): (76, 189_813_733, 533_733_733, 2.81),
    ("(0, 1)", (8,)): (21, 189_813_733, 421_744_933, 2.22),
    ("all", (1, 4, 8, 16)): (304, 106_120_933, 832_941_733, 7.85),
}

GOOGLE_PARAMETERS = 119_788_160
GOOGLE_IN_3_S = {
    "encoder 0": 852_787_200,
    "encoder 1": 1_180_467_200,
    "encoder 2": 852_377_600,
    "encoder 3": 590_233_600,
    "encoder 4": 590_233_600,
    "encoder 5": 590_233_600,
    "encoder 6": 590_233_600,
    "encoder 7": 590_233_600,
    "prediction": 91_324_416 + 141_656_064,
    "embedding": 1_536,
    "join_enc": 20_512_000,
    "join_pred": 4_915_200,
    "join_out": 162_783_232,
}
"""Frame by frame with any buffer: 100 steps, 50 frames and 12 tokens."""
GOOGLE_TOTAL_IN_3_S = 6_257_992_448
GOOGLE_240_MS = {1: 1411.856, 4: 1411.856, 8: 536.951, 16: 536.951}
"""Million bytes per second in chunks of 240 ms, by MiB of buffer."""
GOOGLE_RECURRENT_SET = 6_561_792
