"""Nodes in a table of text (.csv), one a line, to read and to write by hand.

The columns are ``kind`` (interior, boundary or ghost); the coordinates ``x``, ``y``, ``z``; for
boundary nodes their ``normal_x``, ``normal_y``, ``normal_z`` and the name of their ``part``; for
ghosts ``ghost_of``, the number of their node among the boundary nodes, from 0; for all others their
``spacing``. Numbers have all their digits. Parts come in the order in which their names first occur
and those without a node are lost.
"""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from dtpinn.nodes.checks import part_index
from dtpinn.output import write_csv

if TYPE_CHECKING:
    from dtpinn.nodes.nodes import Nodes

AXES = ("x", "y", "z")
KINDS = ("interior", "boundary", "ghost")

Line = tuple[int, dict[str, str]]


def write_table(path: Path, nodes: Nodes) -> None:
    """Write ``nodes`` as text."""
    write_csv(path, _header(nodes.dimension), _rows(nodes))


def _text(path: Path) -> str:
    """The file's text, with its line ends."""
    content = path.read_bytes()
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ValueError(
            f"{str(path)!r} must be text in UTF-8; byte {error.start} is "
            f"{content[error.start]:#04x}. Save it as UTF-8"
        ) from None


def read_table(path: Path) -> dict[str, Any]:
    """Arguments for :class:`Nodes` from text; the kinds may come in any order.

    Raises
    ------
    ValueError
        If it is not text, a column is missing, or a cell is not what it should be, naming the line.
    """
    with io.StringIO(_text(path), newline="") as file:
        reader = csv.DictReader(file)
        header = list(reader.fieldnames or ())
        lines: dict[str, list[Line]] = {kind: [] for kind in KINDS}
        dimension = max(sum(axis in header for axis in AXES), 1)
        missing = [name for name in _header(dimension) if name not in header]
        if missing:
            raise ValueError(
                f"{str(path)!r} has no column {', '.join(missing)}; nodes in {dimension}-D take "
                f"the columns {', '.join(_header(dimension))}"
            )
        for row in reader:
            if row["kind"] not in lines:
                raise ValueError(
                    f"{str(path)!r}, line {reader.line_num}: kind must be interior, boundary or "
                    f"ghost; got {row['kind']!r}"
                )
            lines[row["kind"]].append((reader.line_num, row))
    interior, boundary, ghost = (lines[kind] for kind in KINDS)
    part, parts = part_index([row["part"] for _, row in boundary], len(boundary))
    axes = AXES[:dimension]
    return {
        "interior": _numbers(path, interior, axes),
        "boundary": _numbers(path, boundary, axes),
        "ghost": _numbers(path, ghost, axes),
        "normals": _numbers(path, boundary, [f"normal_{axis}" for axis in axes]),
        "part": part,
        "parts": parts,
        "ghost_of": _whole(path, ghost, "ghost_of"),
        "spacing": _numbers(path, interior + boundary, ["spacing"])[:, 0],
    }


def _header(dimension: int) -> list[str]:
    axes = AXES[:dimension]
    return ["kind", *axes, *(f"normal_{axis}" for axis in axes), "part", "ghost_of", "spacing"]


def _rows(nodes: Nodes) -> Iterator[list[Any]]:
    """Cells of the table, None for an empty one."""
    none = [None] * nodes.dimension
    spacing = nodes.local_spacing.tolist()
    for point, h in zip(nodes.interior.tolist(), spacing, strict=False):
        yield ["interior", *point, *none, None, None, h]
    edge = (nodes.boundary, nodes.normals, nodes.part, spacing[nodes.interior_count :])
    for point, normal, part, h in zip(*map(list, edge), strict=True):
        yield ["boundary", *point, *normal, nodes.parts[part], None, h]
    for point, row in zip(nodes.ghost.tolist(), nodes.ghost_of.tolist(), strict=True):
        yield ["ghost", *point, *none, None, row, None]


def _numbers(path: Path, lines: list[Line], columns: Sequence[str]) -> npt.NDArray[np.float64]:
    """Cells of ``columns`` as numbers, (len(lines), len(columns))."""
    values = np.empty((len(lines), len(columns)))
    for index, (number, row) in enumerate(lines):
        for column, name in enumerate(columns):
            try:
                values[index, column] = float(row[name])
            except (TypeError, ValueError):  # a short line gives None
                values[index, column] = math.nan
            if not math.isfinite(values[index, column]):
                raise ValueError(
                    f"{str(path)!r}, line {number}: {name} must be a finite number; "
                    f"got {row[name]!r}"
                )
    return values


def _whole(path: Path, lines: list[Line], name: str) -> npt.NDArray[np.int64]:
    """Cells of the column ``name`` as integers."""
    values = np.empty(len(lines), dtype=np.int64)
    for index, (number, row) in enumerate(lines):
        try:
            values[index] = int(row[name])
        except (TypeError, ValueError, OverflowError):
            raise ValueError(
                f"{str(path)!r}, line {number}: {name} must be an integer; got {row[name]!r}"
            ) from None
    return values
