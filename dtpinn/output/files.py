"""Files that are either the old one or the new one, never half of it.

What is written goes to a temporary file in the same directory, is forced to the disk, and takes the
place of the old file in one step (`os.replace` is atomic within a file system). A run that is
killed while it saves a checkpoint still has the previous checkpoint.
"""

from __future__ import annotations

import contextlib
import csv
import json
import math
import os
import secrets
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import IO, Any

import numpy as np
import torch

StrPath = str | os.PathLike[str]


@contextlib.contextmanager
def replacing(path: StrPath, mode: str = "wb") -> Iterator[IO[Any]]:
    """Open a file that takes the place of `path` when the block ends without an exception.

    Parameters
    ----------
    path : path
        A symbolic link is followed: the file behind it is replaced.
    mode : {"wb", "w"}
        Bytes, or text (UTF-8, newlines as they are written, on every platform).

    Yields
    ------
    file object

    Raises
    ------
    FileNotFoundError
        If the directory does not exist.
    IsADirectoryError
        If `path` is a directory.
    ValueError
        For another mode.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     with replacing(Path(folder) / "note.txt", "w") as file:
    ...         _ = file.write("done")
    ...     (Path(folder) / "note.txt").read_text()
    'done'
    """
    if mode not in ("wb", "w"):
        raise ValueError(f"replacing: expected the mode 'wb' or 'w', got {mode!r}")
    target = _target(path)
    # Not tempfile.mkstemp: its files are readable by their owner alone, and would stay so.
    temporary = target.with_name(f".{target.name[:200]}.{secrets.token_hex(4)}.tmp")
    text = {"encoding": "utf-8", "newline": ""} if mode == "w" else {}
    try:
        with open(temporary, mode.replace("w", "x"), **text) as file:  # type: ignore[call-overload]
            yield file
            file.flush()
            os.fsync(file.fileno())
        if target.exists():
            temporary.chmod(target.stat().st_mode & 0o7777)
        os.replace(temporary, target)
    except BaseException:  # KeyboardInterrupt too: no litter
        temporary.unlink(missing_ok=True)
        raise
    _sync_directory(target.parent)


def write_json(path: StrPath, data: Any) -> None:
    """Write data as JSON that every reader accepts.

    Parameters
    ----------
    path : path
    data : mapping, sequence, array, tensor, number, string, path, dtype, device, None; nested
        Order is kept. NaN and infinities have no JSON and become null; arrays become lists.

    Raises
    ------
    TypeError
        For anything else, saying where in `data` it is.
    """
    text = to_json(data)
    with replacing(path, "w") as file:
        file.write(text + "\n")


def to_json(data: Any) -> str:
    """Return data as the text that `write_json` writes, without the last newline."""
    return json.dumps(_plain(data, "data"), indent=2, ensure_ascii=False, allow_nan=False)


def write_csv(path: StrPath, header: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """Write a table with a header line; floats keep all their digits, None is an empty cell.

    Raises
    ------
    ValueError
        If a row has another number of cells than the header.
    """
    with replacing(path, "w") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(header)
        for number, row in enumerate(rows):
            if len(row) != len(header):
                raise ValueError(
                    f"write_csv: row {number} has {len(row)} cells, expected {len(header)} "
                    f"({', '.join(header)})"
                )
            writer.writerow([_scalar(cell) for cell in row])


def write_torch(path: StrPath, data: Any) -> None:
    """`torch.save`, safely."""
    with replacing(path) as file:
        torch.save(data, file)


def _target(path: StrPath) -> Path:
    target = Path(os.path.realpath(path))
    if target.is_dir():
        raise IsADirectoryError(
            f"cannot write {os.fspath(path)!r}: it is a directory; add a file name"
        )
    if not target.parent.is_dir():
        raise FileNotFoundError(
            f"cannot write {os.fspath(path)!r}: the directory {str(target.parent)!r} does not "
            "exist; create it first"
        )
    return target


def _sync_directory(directory: Path) -> None:
    """Force the new name to the disk as well, where directories can be opened (not on Windows)."""
    with contextlib.suppress(OSError):
        descriptor = os.open(directory, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _scalar(value: Any) -> Any:
    """A NumPy or torch scalar as Python's number; anything else unchanged."""
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, (np.ndarray, torch.Tensor)) and value.ndim == 0:
        return value.item()
    return value


def _plain(value: Any, where: str) -> Any:
    """`value` in JSON's vocabulary."""
    value = _scalar(value)
    if value is None or isinstance(value, (str, bool, int)):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, (np.ndarray, torch.Tensor)):
        value = value.tolist()
    if isinstance(value, Mapping):
        return {str(key): _plain(item, f"{where}[{key!r}]") for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item, f"{where}[{number}]") for number, item in enumerate(value)]
    if isinstance(value, torch.dtype):
        return str(value).removeprefix("torch.")
    if isinstance(value, (os.PathLike, torch.device)):
        return str(value)
    raise TypeError(
        f"write_json: {where} is a {type(value).__name__}: expected numbers, strings, arrays, and "
        "mappings and sequences of them"
    )
