"""Points and layers of zigzag-dse as references: closed form, cycles and energy of macros."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from codesign import Op
from codesign.validation import Case, TableRow, parse_table, read_table

from .designs import evaluate
from .figures import peak
from .sram_analog import AnalogSram
from .sram_digital import DigitalSram

FILES = ("cim/zigzag_imc_peak_sweep.csv", "cim/zigzag_imc_layers.csv")
_MACRO = ("kind", "act_bits", "weight_bits", "bit_serial", "adc_bits")
PEAK_COLUMNS = (
    *("case", *_MACRO, "outputs", "inputs", "banks"),
    *("tclk_ns", "fj_per_mac", "area_mm2_ex_cells"),
)
LAYER_COLUMNS = ("case", *_MACRO, "rows", "cols_weights", "compute_cycles", "macro_energy_pj")
PEAKS = """\
case,kind,act_bits,weight_bits,bit_serial,adc_bits,outputs,inputs,banks,tclk_ns,fj_per_mac,area_mm2_ex_cells
peak728,DIMC,8,8,1,0,128,128,1,3.75708,267.0216,0.801811
peak729,DIMC,8,8,2,0,128,128,1,3.8718,265.0548,1.588486
peak099,AIMC,4,4,2,8,16,128,1,13.0782,61.3492,0.142918
peak569,AIMC,8,8,2,8,128,512,1,34.1326,67.4698,2.529247
peak056,AIMC,2,2,1,4,16,32,1,4.05548,46.4085,0.007953
"""
LAYERS = """\
case,kind,act_bits,weight_bits,bit_serial,adc_bits,rows,cols_weights,compute_cycles,macro_energy_pj
conv3x3_64_64_56,dimc,8,8,1,0,128,128,150528.0,34762459.44729599
conv3x3_256_256_14,dimc,8,8,1,0,128,128,56448.0,30869162.311679993
pw_1x1_64_384_14,dimc,8,8,1,0,128,128,4704.0,1408947.4990079997
dw3x3_g384_14,dimc,8,8,1,0,128,128,602112.0,22657528.147968
conv3x3_64_64_56,aimc,8,8,2,8,128,128,75264.0,32932912.17420288
"""
"""Some of the points and layers, for those who do not have the files."""
_CONVOLUTIONS: Mapping[str, tuple[int, int, int, int, int, int, int]] = {
    "conv3x3_64_64_56": (64, 64, 56, 3, 1, 1, 1),
    "conv3x3_256_256_14": (256, 256, 14, 3, 1, 1, 1),
    "pw_1x1_64_384_14": (64, 384, 14, 1, 1, 0, 1),
    "dw3x3_g384_14": (384, 384, 14, 3, 1, 1, 384),
    "stem7x7_3_64_112": (3, 64, 224, 7, 2, 3, 1),
}
"""Channels, filters, size of the image, kernel, stride, padding and groups."""
_MATMULS: Mapping[str, tuple[int, int, int]] = {
    "fc_512_1000_b1": (1, 512, 1000),
    "fc_512_1000_b32": (32, 512, 1000),
    "lstm_gates_h256_b1": (1, 512, 1024),
    "fc_128_128_b64": (64, 128, 128),
    "vit_qkv_192_576_t197": (197, 192, 576),
}
_FEWER = "vit_qkv_192_576_t197"


@dataclass(frozen=True, kw_only=True)
class Point:
    """A macro of the sweep.

    Attributes:
        name: of the point.
        physics: of one macro.
        macros: side by side.
        clock_s: of the tool.
        joules_per_mac: of the tool.
        area_m2: of the tool, without cells.
    """

    name: str
    physics: AnalogSram | DigitalSram
    macros: int
    clock_s: float
    joules_per_mac: float
    area_m2: float

    def outcomes(self) -> Iterator[Case]:
        """Clock, energy at full use, and area."""
        macro = self.physics
        area = macro.area()
        energy = peak(macro, macro.activation_bits, macro.weight_bits).joules_per_mac  # type: ignore[arg-type]  # they are not arrays here
        gates_m2 = self.macros * sum(m2 for part, m2 in area.items() if part != "cell")
        for quantity, unit, ours, theirs in (
            ("clock", "s", macro.clock_s, self.clock_s),
            ("energy per MAC", "J", energy, self.joules_per_mac),
            ("area without cells", "m2", gates_m2, self.area_m2),
        ):
            yield Case(
                name=self.name, quantity=quantity, unit=unit, ours=float(ours), theirs=theirs
            )


@dataclass(frozen=True, kw_only=True)
class Layer:
    """A layer on a macro.

    Attributes:
        name: the layer, the macro and its size.
        layer: one of those with a shape here.
        physics: of the macro.
        cycles: macro cycles of the tool, without memories.
        joules: of the macro.
    """

    name: str
    layer: str
    physics: AnalogSram | DigitalSram
    cycles: int
    joules: float

    def outcomes(self) -> Iterator[Case]:
        """Macro cycles and energy of the macro, rows cut as the tool does."""
        ours = evaluate(operator(self.layer), self.physics, row_split="loop_factors", pack="none")
        is_fewer = self.layer == _FEWER
        yield Case(name=self.name, quantity="cycles", ours=int(ours.cycles), theirs=self.cycles)
        yield Case(
            name=self.name,
            quantity="macro energy",
            unit="J",
            ours=float(ours.joules),
            theirs=self.joules,
            note="the tool counts cycles of 10 tiles but energy of 6.75 full ones" * is_fewer,
        )


def operator(layer: str) -> Op:
    """A layer of the tool by its name."""
    # every command loads every plugin, and the kit is large
    from codesign.testing import convolution, matmul

    if layer in _CONVOLUTIONS:
        return convolution(*_CONVOLUTIONS[layer])
    return matmul(*_MATMULS[layer])


def rows(data: Path | None) -> Sequence[Point | Layer]:
    """Points and layers of the files, or the typed ones."""
    if data is None:
        points = parse_table(PEAKS, PEAK_COLUMNS, "typed points")
        layers = parse_table(LAYERS, LAYER_COLUMNS, "typed layers")
    else:
        points = read_table(data / FILES[0], PEAK_COLUMNS)
        layers = read_table(data / FILES[1], LAYER_COLUMNS)
    return [*map(_point, points), *map(_layer, layers)]


def _macro(row: TableRow, rows: str, columns: str) -> AnalogSram | DigitalSram:
    kind = row.text("kind").lower()
    widths = {
        "rows": row.whole(rows),
        "columns": row.whole(columns),
        "weight_bits": row.whole("weight_bits"),
        "activation_bits": row.whole("act_bits"),
        "input_bits": row.whole("bit_serial"),
    }
    if kind == "dimc":
        return DigitalSram(**widths)
    if kind == "aimc":
        return AnalogSram(adc_bits=row.whole("adc_bits"), **widths)
    raise row.fault("kind", "AIMC or DIMC")


def _point(row: TableRow) -> Point:
    return Point(
        name=row.text("case"),
        physics=_macro(row, "inputs", "outputs"),
        macros=row.whole("banks"),
        clock_s=row.number("tclk_ns") * 1e-9,
        joules_per_mac=row.number("fj_per_mac") * 1e-15,
        area_m2=row.number("area_mm2_ex_cells") * 1e-6,
    )


def _layer(row: TableRow) -> Layer:
    name = row.text("case")
    if name not in _CONVOLUTIONS and name not in _MATMULS:
        raise row.fault("case", f"one of {', '.join((*_CONVOLUTIONS, *_MATMULS))}")
    macro = _macro(row, "rows", "cols_weights")
    size = f"{macro.rows} x {macro.columns}, {macro.input_bits} b"
    converter = f", ADC {macro.adc_bits} b" if isinstance(macro, AnalogSram) else ""
    return Layer(
        name=f"{name} on {row.text('kind')} {size}{converter}",
        layer=name,
        physics=macro,
        cycles=row.whole("compute_cycles"),
        joules=row.number("macro_energy_pj") * 1e-12,
    )
