"""Values that somebody might write where another value belongs."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Raw:
    """Text that goes into a document as it is."""

    text: str


@dataclass(frozen=True)
class Pairs:
    """A map that may have a key twice."""

    entries: tuple[tuple[str, object], ...]


CANARY = "touch canary"
NUMBERS: tuple[object, ...] = (
    0, -1, 1, 2, 3, 7, 63, 64, 65, 1000, 2**31, 2**53 + 1, 2**63 - 1, -(2**63), 2**64, 10**12,
    999_999_999_999, 10**17, 10**18, 0.5, -0.0, 1e-320, 1e-300, 1e18, 1e300, 1e308, -1e308,
)  # fmt: skip
QUANTITIES: tuple[object, ...] = (
    "1e999 GB/s", "1e308 GB/s", "-1 GB/s", "0 B/s", "1e-300 B/s", "999999999999", "1 EiB", "1 PiB",
    "1e18 B", "1 B", "1 Hz", "10 THz", "1e-30 Hz", "1 s", "1e3 s", "1e-30 s", "1 fs", "nan", "inf",
    "-inf", "nan GB/s", "1e400", "1_0_0", "0x10", "1/0", "1 MiB MiB", "64", "5/2", "9" * 12,
    "999999999999/1", "1/999999999999", "1 GHz", "256 KiB", "1 nCK", "999999999 nCK", "1 A", "1 MV",
)  # fmt: skip
TEXTS: tuple[object, ...] = (
    "", " ", "x", "no", "null", "int8", "fp4", "int99999999", "fp4[1x1]", "h" * 5000, "é" * 300,
    "\ud800", "\x00", "a\nb", "\x1b[31mred", "[red]x[/red]", "[/]", "[bold", "<script>1</script>",
    "\u202eabc", "\ufeff", "\u2028", "{0.__class__}", "{x!r}", "%s%n", "${HOME}", "`id`",
    f"$({CANARY})", f"__import__('os').system('{CANARY}')", "../../../../etc/passwd",
    "/dev/zero", "/dev/stdin", "/", ".", "..", "~", "a/" * 600, "case", "os:abort",
    "subprocess:getoutput", "hf:GPT2Config", "x.pt2", "missing.json", "a.b.c.d", "*", "[", "[!",
    "kind:*", "layer-major:999999999999", "layer-major:0", "2:4", "0:0", "1000000:1", "csr",
    "latency^99999", "latency^-1*energy", "role:weight", "m", "weight",
)  # fmt: skip
SHAPES: tuple[object, ...] = (
    None, True, False, [], {}, [[]], [{}], {"": 1}, {"a": {"b": {"c": []}}}, [0] * 200,
    [1, "a", None, 2.5], {"value": 1}, {"value": 1, "source": "s", "status": "assumed"},
    {"from": 0, "to": 10**17, "step": 1}, {"from": 5, "to": 1, "step": 1}, ["a", "a"],
    [2**62] * 3, [-1], {str(n): n for n in range(100)}, {"k" * 3000: 1}, ["x" * 3000],
)  # fmt: skip
DEEP = "[" * 90 + "]" * 90
RAW: tuple[object, ...] = tuple(
    map(
        Raw,
        (
            DEEP, '{"a":' * 90 + "1" + "}" * 90, "9" * 400, "9" * 5000, "-0", "1e999", "NaN",
            "Infinity", "-Infinity", ".nan", ".inf", f"!!python/object/apply:os.system [{CANARY}]",
            "!!python/name:os.system", "!!binary aGVsbG8=", "!x y", "&a [*a]", "*a", "<<: *a",
            "&a x", "? [a, b]", "'", '"', "[", "{", "]", "- - -", "|\n  a\n", "\t", "#", "%YAML 9",
            "---", "0o17", "1:30", "2001-01-01", '"\\ud800"', '"\\u0000"', "\ufeff1", "\x85",
        ),
    )
)  # fmt: skip
VALUES = (*NUMBERS, *QUANTITIES, *TEXTS, *SHAPES, *RAW)
KEYS = (
    "", "x", "kind", "name", "value", "__class__", "a.b", "k" * 200, "k" * 20_000, "\x00", "a\nb",
    "\x1b[31m", "[red]", "é", "\u202e", "<<", "version", "format", "self", "source", "0", "-",
)  # fmt: skip
PIECES = (
    b"", b"\x00", b"\xff", b"\xff\xfe", b"\xef\xbb\xbf", b"\r\n", b"\n", b"\t", b"[", b"]", b"{",
    b"}", b'"', b"'", b":", b",", b"-", b"*", b"&", b"!", b"#", b"|", b">", b"?", b"%", b"@", b"\\",
    b"0", b"9" * 30, b"e999", b"\\ud800", "\u202e".encode(), b"null", b"true", b"- " * 50,
)  # fmt: skip
