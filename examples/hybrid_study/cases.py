"""Machines and placements of the hybrid study."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

from codesign import Engines, Hardware, Op, Residency, load_hardware
from codesign.mapping.assign.ask import Choosing

MODEL, PRESET = "hybrid_cnn_vit", "h4h-edge"
SETTINGS: Mapping[str, object] = {
    "sram.size": "4 MiB",
    # CACTI 7 at 22 nm, 2 MiB, and the root of the size beyond it: `codesign energy show sram`
    "sram.read_energy": "3.583 pJ/B",
    "sram.write_energy": "3.18 pJ/B",
    "cim.double_buffer": True,
    "cim.rewrite_operand": True,
}
"""The preset with room for every activation, weights that load while macros compute, and macros
that may write a computed factor into their cells."""

STEM, EARLY, LATE, DEPTHWISE, PROJECTION, ATTENTION = SORTS = (
    "3x3 stem",
    "1x1, 28x28 and more",
    "1x1, 14x14",
    "3x3 depthwise",
    "projections",
    "attention products",
)
"""Sorts of contractions."""

ON_NPU, ON_CIM = (("kind:contraction", "npu"),), (("kind:contraction", "cim"),)
PRODUCTS_ON_NPU = (("*.qk", "npu"), ("*.pv", "npu"))


@dataclass(frozen=True)
class Case:
    """One placement on one machine.

    Attributes:
        name: what the placement is called.
        macros: macros of the machine; 0 for none in use.
        rules: engine by pattern, as pairs.
        policy: who decides where no rule does.
        sets: weight tiles of a macro.
        pack: how small groups lie on a macro.
    """

    name: str
    macros: int
    rules: tuple[tuple[str, str], ...] = ()
    policy: Choosing = "alone"
    sets: int = 4
    pack: str = "group"

    @property
    def engines(self) -> Engines:
        """Which engine runs what."""
        return Engines(self.policy, dict(self.rules))

    @property
    def machine(self) -> Hardware:
        """The hardware."""
        fields = {"macros": max(1, self.macros), "sets": self.sets, "pack": self.pack}
        return _base().with_all({f"cim.{name}": value for name, value in fields.items()})


NPU_ONLY = Case("NPU only", 0, ON_NPU)
CIM_ONLY = tuple(Case("CIM only", count, ON_CIM) for count in (1, 8))
PRODUCTS_APART = Case("CIM, products on NPU", 8, PRODUCTS_ON_NPU + ON_CIM)
ALONE = tuple(Case("both", count, PRODUCTS_ON_NPU) for count in (1, 2, 4, 8, 16, 32))
EARLIEST = Case("both, earliest", 2, PRODUCTS_ON_NPU, "earliest")
FREE = Case("both, products free", 8)
UNPACKED = Case("both, not packed", 8, PRODUCTS_ON_NPU, pack="none")
LARGE = Case("both, 64 sets", 8, PRODUCTS_ON_NPU, sets=64)
CASES = (NPU_ONLY, *CIM_ONLY, PRODUCTS_APART, *ALONE, EARLIEST, FREE, UNPACKED, LARGE)
"""Every placement."""
COUNTS = tuple(case.macros for case in ALONE)
STAYS = Residency("greedy")
FOR_EVER = Residency("greedy", across_runs=True)


def sort_of(op: Op) -> str:
    """The sort of a contraction of the network, by its name and the side of its image."""
    if op.name.endswith((".qk", ".pv")):
        return ATTENTION
    if op.name.startswith("transformer."):
        return PROJECTION
    if op.name.startswith("stem."):
        return STEM
    if ".convolve." in op.name:
        return DEPTHWISE
    return EARLY if op.outputs[0].shape[-1] >= 28 else LATE


@lru_cache(maxsize=1)
def _base() -> Hardware:
    return load_hardware(PRESET).with_all(SETTINGS)
