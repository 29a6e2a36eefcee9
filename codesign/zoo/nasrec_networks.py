"""The six best networks of NASRec, as its authors published them.

Source: facebookresearch/NasRec (Apache-2.0): the choices of the files ``ea_*_best_1shot.json``
under ``nasrec/configs``, where ``autoctr`` is NASRec-Small and ``xlarge`` NASRec-Full, and the
table sizes for evaluation of ``nasrec/utils/config.py``.
"""

from __future__ import annotations

from codesign.zoo.nasrec_choice import Block, Dataset, Dense, Network, Sparse

CRITEO = Dataset(features=13, rows=(
    1461, 584, 10_131_227, 2_202_609, 306, 25, 12_518, 634, 4, 93_146, 5684, 8_351_593, 3195, 28,
    14_993, 5_461_307, 11, 5653, 2174, 5, 7_046_548, 19, 16, 286_182, 106, 142_573,
))  # fmt: skip
AVAZU = Dataset(features=1, rows=(
    10_000, 241, 8, 8, 4738, 7746, 27, 8553, 560, 37, 2_686_409, 6_729_487, 8252, 6, 5, 2627, 9,
    10, 436, 5, 69, 173, 61,
))  # fmt: skip
KDD = Dataset(
    features=3,
    rows=(26_274, 641_708, 14_848, 22_122_011, 1_188_090, 3_735_797, 2_934_102, 20_004_011, 4, 8),
)

CRITEO_SMALL = Network(
    CRITEO,
    (
        Block(Dense("linear", 256, (0,)), Sparse("linear", 48), (0,), to_sparse=True),
        Block(
            Dense("dot-product", 1024, (1,)),
            Sparse("linear", 48),
            (0, 1),
            to_sparse=True,
            to_dense=True,
        ),
        Block(Dense("linear", 128, (0, 2)), Sparse("linear", 16), (0, 1, 2), to_sparse=True),
        Block(Dense("linear", 16, (2,)), Sparse("linear", 48), (0, 2), to_dense=True),
        Block(Dense("dot-product", 128, (0, 2, 3, 4)), Sparse("linear", 32), (2, 4)),
        Block(Dense("linear", 16, (0, 1, 2, 5)), Sparse("linear", 64), (1, 2, 5), to_sparse=True),
        Block(Dense("linear", 1024, (0, 3, 5)), Sparse("linear", 64), (0, 1, 2, 5)),
    ),
)
AVAZU_SMALL = Network(
    AVAZU,
    (
        Block(Dense("dot-product", 512, (0,)), Sparse("linear", 64), (0,), to_sparse=True),
        Block(Dense("linear", 1024, (0, 1)), Sparse("linear", 48), (0,), to_sparse=True),
        Block(Dense("linear", 512, (0, 2)), Sparse("linear", 16), (0,), to_dense=True),
        Block(
            Dense("dot-product", 768, (3,)),
            Sparse("linear", 48),
            (0, 3),
            to_sparse=True,
            to_dense=True,
        ),
        Block(
            Dense("linear", 128, (0, 2, 3)),
            Sparse("linear", 16),
            (0, 1),
            to_sparse=True,
            to_dense=True,
        ),
        Block(Dense("linear", 128, (1, 3, 4)), Sparse("linear", 64), (0, 1, 3), to_sparse=True),
        Block(
            Dense("linear", 512, (5,)),
            Sparse("linear", 32),
            (1, 2, 6),
            to_sparse=True,
            to_dense=True,
        ),
    ),
)
KDD_SMALL = Network(
    KDD,
    (
        Block(
            Dense("linear", 768, (0,)), Sparse("linear", 48), (0,), to_sparse=True, to_dense=True
        ),
        Block(Dense("dot-product", 128, (0, 1)), Sparse("linear", 64), (0, 1), to_sparse=True),
        Block(
            Dense("dot-product", 32, (0, 1, 2)),
            Sparse("linear", 48),
            (0, 1),
            to_sparse=True,
            to_dense=True,
        ),
        Block(Dense("linear", 256, (0, 1, 2, 3)), Sparse("linear", 64), (0, 2, 3)),
        Block(Dense("linear", 1024, (3, 4)), Sparse("linear", 64), (0, 1, 2, 4)),
        Block(Dense("dot-product", 768, (1, 2, 5)), Sparse("linear", 64), (4, 5)),
        Block(
            Dense("dot-product", 1024, (2, 3, 4, 6)),
            Sparse("linear", 48),
            (0, 1, 2, 4),
            to_sparse=True,
        ),
    ),
)
CRITEO_FULL = Network(
    CRITEO,
    (
        Block(
            Dense("sigmoid-gating", 128, (0, 0)), Sparse("transformer", 64), (0,), to_sparse=True
        ),
        Block(Dense("dot-product", 32, (0,)), Sparse("linear", 64), (0,)),
        Block(Dense("dot-product", 768, (1, 2)), Sparse("linear", 32), (0, 1, 2), to_dense=True),
        Block(
            Dense("sigmoid-gating", 768, (2, 0)), Sparse("linear", 48), (0, 1, 2, 3), to_sparse=True
        ),
        Block(Dense("linear", 16, (0, 2, 3, 4)), Sparse("linear", 16), (0, 1, 2, 3), to_dense=True),
        Block(
            Dense("linear", 768, (0, 3, 4, 5)), Sparse("transformer", 16), (1, 4), to_sparse=True
        ),
        Block(Dense("linear", 128, (0, 2, 3)), Sparse("transformer", 48), (1, 3), to_dense=True),
    ),
)
AVAZU_FULL = Network(
    AVAZU,
    (
        Block(Dense("dot-product", 32, (0,)), Sparse("transformer", 48), (0,), to_sparse=True),
        Block(Dense("dot-product", 768, (0, 1)), Sparse("linear", 64), (0, 1), to_sparse=True),
        Block(Dense("linear", 512, (0,)), Sparse("linear", 48), (0,), to_sparse=True),
        Block(
            Dense("sum", 768, (1, 0)),
            Sparse("transformer", 16),
            (3,),
            to_sparse=True,
            to_dense=True,
        ),
        Block(Dense("dot-product", 768, (2, 3, 4)), Sparse("linear", 64), (2,)),
        Block(Dense("sigmoid-gating", 1024, (0, 3)), Sparse("linear", 64), (0, 4), to_sparse=True),
        Block(
            Dense("sigmoid-gating", 768, (0, 2)), Sparse("transformer", 16), (2, 3), to_sparse=True
        ),
    ),
)
KDD_FULL = Network(
    KDD,
    (
        Block(Dense("dot-product", 128, (0,)), Sparse("transformer", 48), (0,), to_sparse=True),
        Block(
            Dense("sigmoid-gating", 768, (0, 0)), Sparse("transformer", 64), (1,), to_sparse=True
        ),
        Block(Dense("sigmoid-gating", 16, (1, 0)), Sparse("linear", 48), (1, 2)),
        Block(Dense("sum", 64, (2, 2)), Sparse("transformer", 16), (1,), to_sparse=True),
        Block(Dense("sum", 64, (0, 2)), Sparse("linear", 48), (0, 2)),
        Block(Dense("linear", 128, (3, 4)), Sparse("linear", 32), (0, 1, 4, 5), to_dense=True),
        Block(
            Dense("sigmoid-gating", 768, (5, 5)), Sparse("linear", 16), (1, 3, 4, 5), to_sparse=True
        ),
    ),
)
