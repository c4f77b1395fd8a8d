"""Rows of a file, one at a time: CSV, a JSON array of objects, or an object a line. Memory does not grow with the file."""

from __future__ import annotations

import csv
import hashlib
import json
from collections.abc import Collection, Generator, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

LINE_BYTES = 1_000_000
"""The longest line that is read: a file without line ends must not be held in memory as a whole."""
_CHUNK = 1 << 16
_BLANKS = " \t\r\n"
_DELIMITERS = ",;\t"

Form = Literal["csv", "array", "lines"]


class FileError(Exception):
    """Why a file as a whole cannot be read; the message does not name it."""


@dataclass(frozen=True, slots=True)
class Source:
    """A file and how it is to be read. `header` is that of a CSV file, in the file's own spelling; None: it is JSON."""

    path: Path
    form: Form
    delimiter: str = ","
    header: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True)
class Row:
    """One row. `line` is where it begins, from 1 (in a JSON array: its number).

    `cells` has the texts by column name in lower case; `original` is the row as it was. With `problem` set the cells
    could not be told apart.
    """

    line: int
    cells: Mapping[str, str]
    original: tuple[str, ...]
    problem: str | None = None


def column_key(name: str) -> str:
    """How a column is looked up, whatever its case and the blanks around it."""
    return name.strip().casefold()


def file_hash(path: Path) -> str:
    """Of the content alone. Raises FileError."""
    digest = hashlib.sha256()
    try:
        with path.open("rb") as file:
            while chunk := file.read(1 << 20):
                digest.update(chunk)
    except OSError as error:
        raise FileError(f"it cannot be read ({error.strerror or type(error).__name__})") from error
    return digest.hexdigest()


def open_source(path: Path, wanted: Collection[str]) -> Source:
    """Find out how a file is to be read. `wanted`: column names that tell the right delimiter. Raises FileError."""
    if path.is_dir():
        raise FileError("it is a folder")
    try:
        with path.open("rb") as file:
            start = file.read(_CHUNK)
    except OSError as error:
        raise FileError(f"it cannot be read ({error.strerror or type(error).__name__})") from error
    if start.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise FileError("it is UTF-16 text; save it as UTF-8")
    first = start.removeprefix(b"\xef\xbb\xbf").lstrip()[:1]
    if not first:
        raise FileError("it is empty")
    if first == b"[":
        return Source(path, "array")
    if first == b"{":
        return Source(path, "lines")
    headers = {delimiter: _header(path, delimiter) for delimiter in _DELIMITERS}
    known = {column_key(name) for name in wanted}
    best = max(headers, key=lambda d: (len(known & set(map(column_key, headers[d]))), len(headers[d])))
    keys = [column_key(name) for name in headers[best]]
    twice = sorted({key for key in keys if key in known and keys.count(key) > 1})
    if twice:
        raise FileError(f"it has the column {twice[0]!r} twice")
    return Source(path, "csv", best, tuple(headers[best]))


def read_rows(source: Source) -> Iterator[Row]:
    """Every row of the file, in order, from its beginning. Raises FileError."""
    if source.form == "csv":
        return _csv_rows(source)
    return _array_rows(source.path) if source.form == "array" else _line_rows(source.path)


class _Lines:
    """The lines of a file as text, and which of them have been read since `begin`."""

    def __init__(self, path: Path) -> None:
        self._lines = _read_lines(path)
        self.read = 0
        self._since: list[str] = []

    def __iter__(self) -> _Lines:
        return self

    def __next__(self) -> str:
        line = next(self._lines)
        self.read += 1
        self._since.append(line)
        return line

    def begin(self) -> int:
        """The number of the line that comes next."""
        self._since.clear()
        return self.read + 1

    def since(self) -> str:
        return "".join(self._since)


def _read_lines(path: Path) -> Generator[str, None, None]:
    try:
        with path.open("rb") as file:
            number = 0
            while line := file.readline(LINE_BYTES + 1):
                number += 1
                if len(line) > LINE_BYTES:
                    raise FileError(f"line {number} is longer than {LINE_BYTES:,} bytes")
                try:
                    yield line.decode("utf-8-sig" if number == 1 else "utf-8")
                except UnicodeDecodeError:
                    raise FileError(f"line {number} is not UTF-8 text; save the file as UTF-8") from None
    except OSError as error:
        raise FileError(f"it cannot be read ({error.strerror or type(error).__name__})") from error


def _header(path: Path, delimiter: str) -> list[str]:
    with closing(_read_lines(path)) as lines:
        try:
            return next((row for row in csv.reader(lines, delimiter=delimiter, strict=True) if row), [])
        except csv.Error:
            return []


def _csv_rows(source: Source) -> Iterator[Row]:
    header = [column_key(name) for name in source.header or ()]
    lines = _Lines(source.path)
    reader = csv.reader(lines, delimiter=source.delimiter, strict=True)
    at_header = True
    while True:
        start = lines.begin()
        try:
            fields = next(reader)
        except StopIteration:
            return
        except csv.Error:
            yield Row(start, {}, (lines.since(),), "the quotes or line ends cannot be read")
            continue
        if at_header:
            at_header = not fields
            continue
        if not any(field.strip() for field in fields):
            continue
        if len(fields) != len(header):
            yield Row(start, {}, tuple(fields), "has not as many fields as the header")
            continue
        yield Row(start, dict(zip(header, fields, strict=True)), tuple(fields))


def _line_rows(path: Path) -> Iterator[Row]:
    for number, line in enumerate(_read_lines(path), 1):
        if line.strip():
            try:
                value = _DECODER.decode(line)
            except (ValueError, RecursionError):
                yield Row(number, {}, (line.rstrip("\r\n"),), "is not JSON")
                continue
            yield _object_row(number, value, line.rstrip("\r\n"))


def _array_rows(path: Path) -> Iterator[Row]:
    text, at, number, ended = "", 0, 0, False
    chunks = _read_chunks(path)

    def more() -> None:
        nonlocal text, at, ended
        chunk = next(chunks, None)
        ended = chunk is None
        text, at = text[at:] + (chunk or ""), 0

    def upcoming() -> str:
        """The next character that is no blank; empty at the end of the file."""
        nonlocal at
        while True:
            while at < len(text) and text[at] in _BLANKS:
                at += 1
            if at < len(text) or ended:
                return text[at : at + 1]
            more()

    upcoming()
    at += 1
    if upcoming() == "]":
        return
    while True:
        number += 1
        if upcoming() != "{":
            raise FileError(f"number {number} of the array is no object")
        while True:
            try:
                value, end = _DECODER.raw_decode(text, at)
                break
            except RecursionError:
                raise FileError(f"number {number} of the array is nested too deep") from None
            except ValueError:
                if ended or len(text) - at > LINE_BYTES:
                    raise FileError(f"number {number} of the array is not JSON") from None
                more()
        original, at = text[at:end], end
        yield _object_row(number, value, original)
        separator = upcoming()
        at += 1
        if separator == "]":
            return
        if separator != ",":
            raise FileError(f"after number {number} the array is not JSON")


def _read_chunks(path: Path) -> Iterator[str]:
    try:
        with path.open(encoding="utf-8-sig") as file:
            while chunk := file.read(_CHUNK):
                yield chunk
    except UnicodeDecodeError:
        raise FileError("it is not UTF-8 text; save it as UTF-8") from None
    except OSError as error:
        raise FileError(f"it cannot be read ({error.strerror or type(error).__name__})") from error


def _no_number(text: str) -> Any:
    raise ValueError(text)


_DECODER = json.JSONDecoder(parse_float=str, parse_int=str, parse_constant=_no_number)
"""Numbers stay the texts they are, so that money is read exactly."""


def _object_row(number: int, value: Any, original: str) -> Row:
    if not isinstance(value, dict):
        return Row(number, {}, (original,), "is no JSON object")
    cells: dict[str, str] = {}
    for name, content in value.items():
        if content is None:
            continue
        if isinstance(content, bool):
            content = "true" if content else "false"
        # What is nested is no value of ours, and a column of ours that holds such a thing is refused by its text.
        cells[column_key(name)] = content if isinstance(content, str) else json.dumps(content)
    return Row(number, cells, (original,))
