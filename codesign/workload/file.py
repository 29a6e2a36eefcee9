"""Trace files: versioned JSON, optionally compressed, safe to read from anyone.

``traces/FORMAT.md`` documents every key. The bytes depend on nothing but the trace.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import zlib
from pathlib import Path
from typing import Any

from codesign.errors import TraceError, no_file
from codesign.whole_file import write_whole
from codesign.workload.check import check_trace
from codesign.workload.decode import decode_trace
from codesign.workload.encode import canonical_bytes, encode_trace, layout
from codesign.workload.limits import MAX_BYTES, parse_json
from codesign.workload.record import Trace

FORMAT = "codesign-trace"
VERSION = 1
_PIECE = 2**20
"""Bytes that are read at once."""


def content_digest(trace: Trace) -> str:
    """SHA-256 of the canonical JSON of a trace, as 64 hexadecimal digits."""
    return hashlib.sha256(canonical_bytes(encode_trace(trace))).hexdigest()


def save_trace(trace: Trace, path: str | Path) -> None:
    """Writes a trace file; a name ending in ``.gz`` is compressed.

    The file appears whole or not at all, and only if ``load_trace`` gives back an equal trace.

    Raises:
        TraceError: the trace breaks a rule of the format, or the file cannot be written.
    """
    target = _path(path)
    if not isinstance(trace, Trace):
        raise TraceError(f"{path}: a trace must be saved, got {type(trace).__name__}; capture one")
    document = encode_trace(trace)
    data = layout({"format": FORMAT, "version": VERSION} | document)
    try:
        if _read(data) != trace:
            raise TraceError("its tensors differ from the table, or its attributes are not sorted")
    except TraceError as error:
        raise TraceError(f"{target}: trace {trace.name!r} was not written: {error}") from error
    _write(target, _compress(data) if target.suffix == ".gz" else data)


def load_trace(path: str | Path) -> Trace:
    """Reads a trace file of any version so far; a name ending in ``.gz`` is decompressed.

    Raises:
        TraceError: no such file, or one that breaks a rule or limit of the format; one line with
            the file, the place in it and the remedy.
    """
    source = _path(path)
    try:
        return _read(_bytes(source))
    except TraceError as error:
        raise TraceError(f"{source}: {error}") from error


def _path(path: object) -> Path:
    if not isinstance(path, (str, Path)) or not Path(path).name:
        raise TraceError(
            f"the path of a trace file must be a str or a Path, got {path!r:.60}; name a file"
        )
    return Path(path)


def _read(data: bytes) -> Trace:
    trace = decode_trace(_body(parse_json(data)))
    check_trace(trace)
    return trace


def _body(document: Any) -> dict[str, Any]:
    if not isinstance(document, dict) or document.get("format") != FORMAT:
        raise TraceError(f'not a trace file: it must be an object with "format": "{FORMAT}"')
    version = document.get("version")
    if type(version) is not int or version != VERSION:
        raise TraceError(
            f"version must be {VERSION}, got {str(version)[:20]}; "
            "write it again, or install a newer codesign"
        )
    return {key: value for key, value in document.items() if key not in ("format", "version")}


def _bytes(path: Path) -> bytes:
    if not path.is_file():
        raise TraceError(f"{no_file(path)}; give a trace file, which codesign trace writes")
    try:
        with path.open("rb") as stream:
            data = _at_most(stream)
        if path.suffix == ".gz":
            # never inflate more than the limit: a small file may hold petabytes of zeros
            with gzip.GzipFile(fileobj=io.BytesIO(data)) as inflated:
                data = _at_most(inflated)
    except (OSError, EOFError, zlib.error) as error:
        raise TraceError(f"cannot be read: {error}; write the trace again") from error
    return data


def _at_most(stream: io.BufferedIOBase) -> bytes:
    data = bytearray()
    while len(data) <= MAX_BYTES and (more := stream.read(_PIECE)):
        data += more  # a read of the whole limit would take that much for the smallest file
    if len(data) > MAX_BYTES:
        raise TraceError(f"must be at most {MAX_BYTES:,} bytes; split the model into parts")
    return bytes(data)


def _compress(data: bytes) -> bytes:
    buffer = io.BytesIO()
    with gzip.GzipFile(filename="", mode="wb", fileobj=buffer, mtime=0) as stream:
        stream.write(data)
    return buffer.getvalue()


def _write(path: Path, data: bytes) -> None:
    try:
        write_whole(path, lambda draft: draft.write_bytes(data))
    except OSError as error:
        raise TraceError(f"{path}: cannot be written: {error.strerror}; choose another") from error
