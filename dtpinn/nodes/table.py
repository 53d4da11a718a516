"""Nodes in a table of text (.csv), one a line, to read and to write by hand.

The columns are ``kind`` (part, interior, boundary, ghost, side or cell); the coordinates ``x``,
``y``, ``z``; for boundary nodes their ``normal_x``, ``normal_y``, ``normal_z`` and the name of
their ``part``; for ghosts ``ghost_of``, the number of their node among the boundary nodes, from 0;
for interior and boundary nodes their ``spacing``. Numbers have all their digits.

A node at a corner has several sides. Then each of its sides has a line of the kind ``side``, with
the number of the node in one more column, ``side_of``, and the side's normal and part. A boundary
node without such lines has one side, its own; a table of no others can do without the column.
Periodic nodes have two lines of the kind ``cell``, the lower and the upper corner of the cell, in
which the coordinates of directions without a period are empty.

Parts come in the order of the lines of the kind ``part``, one for each, which holds the name alone.
A table can do without them: names that have none follow in the order in which they first occur, in
the lines of boundary nodes and then in those of sides.
"""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Iterator, Sequence
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from dtpinn.arrays import Floats, Integers
from dtpinn.checks import as_indices
from dtpinn.geometry import Cell, Sides
from dtpinn.nodes.checks import part_index
from dtpinn.nodes.node_set import NodeSet
from dtpinn.output import write_csv

AXES = ("x", "y", "z")
KINDS = ("part", "interior", "boundary", "ghost", "side", "cell")
SIDE = "side_of"

Line = tuple[int, dict[str, str]]


def write_table(path: Path, nodes: NodeSet) -> None:
    """Write ``nodes`` as text."""
    several = nodes.sides.several(nodes.boundary_count)
    header = _header(nodes.dimension)
    if not several.any():
        write_csv(path, header, chain(_cell_rows(nodes), _rows(nodes)))
        return
    # The spacing stays last.
    plain = chain(_cell_rows(nodes), _rows(nodes))
    rows = chain(([*row[:-1], None, row[-1]] for row in plain), _side_rows(nodes, several))
    write_csv(path, [*header[:-1], SIDE, header[-1]], rows)


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
                    f"{str(path)!r}, line {reader.line_num}: kind must be part, interior, "
                    f"boundary, ghost, side or cell; got {row['kind']!r}"
                )
            lines[row["kind"]].append((reader.line_num, row))
    named, interior, boundary, ghost, side, corners = (lines[kind] for kind in KINDS)
    if side and SIDE not in header:
        raise ValueError(f"{str(path)!r} has lines of the kind side, and no column {SIDE}")
    faces = boundary + side
    part, parts = part_index([row["part"] for _, row in named + faces], len(named + faces))
    part = part[len(named) :]
    cell = _cell(path, corners, AXES[:dimension])
    axes = AXES[:dimension]
    normals = _numbers(path, faces, [f"normal_{axis}" for axis in axes])
    count = len(boundary)
    return {
        "interior": _numbers(path, interior, axes),
        "boundary": _numbers(path, boundary, axes),
        "ghost": _numbers(path, ghost, axes),
        "normals": normals[:count],
        "part": part[:count],
        "parts": parts,
        "ghost_of": _whole(path, ghost, "ghost_of"),
        "spacing": _numbers(path, interior + boundary, ["spacing"])[:, 0],
        "sides": _sides(_whole(path, side, SIDE), normals, part, count),
        "cell": cell,
    }


def _cell(path: Path, corners: list[Line], axes: Sequence[str]) -> Cell:
    """The period, from the lines of the lower and the upper corner of the cell."""
    if not corners:
        return Cell.open(len(axes))
    if len(corners) != 2:
        raise ValueError(
            f"{str(path)!r} has {len(corners)} line(s) of the kind cell; periodic nodes have two, "
            "the lower and the upper corner"
        )
    which = [bool(corners[0][1][axis]) for axis in axes]
    given = [axis for axis, periodic in zip(axes, which, strict=True) if periodic]
    lower, upper = np.zeros((2, len(axes)))
    lower[which], upper[which] = _numbers(path, corners, given)
    if not all(upper[which] > lower[which]):
        raise ValueError(
            f"{str(path)!r}, line {corners[1][0]}: the upper corner of the cell must be above the "
            f"lower one; got {upper[which].tolist()} and {lower[which].tolist()}"
        )
    return Cell.of_box(lower.tolist(), upper.tolist(), which)


def _sides(
    point: Integers,
    normals: Floats,
    part: Integers,
    count: int,
) -> Sides:
    """Sides from lines: of ``count`` nodes, then of sides, (count + m,), of the nodes ``point``."""
    point = as_indices(point, SIDE, count)
    alone = np.setdiff1d(np.arange(count), point)
    of, line = np.concatenate([alone, point]), np.append(alone, count + np.arange(len(point)))
    order = np.argsort(of, kind="stable")
    return Sides(of[order], normals[line[order]], part[line[order]])


def _header(dimension: int) -> list[str]:
    axes = AXES[:dimension]
    return ["kind", *axes, *(f"normal_{axis}" for axis in axes), "part", "ghost_of", "spacing"]


def _cell_rows(nodes: NodeSet) -> Iterator[list[Any]]:
    """Cells of the lines of a cell's two corners, if there is one."""
    if nodes.cell.periodic:
        cell, none = nodes.cell, [None] * (nodes.dimension + 3)
        for share in (0.0, 1.0):
            corner = [
                low + share * period if k in cell.axes else None
                for k, (low, period) in enumerate(zip(cell.lower, cell.periods, strict=True))
            ]
            yield ["cell", *corner, *none]


def _rows(nodes: NodeSet) -> Iterator[list[Any]]:
    """Cells of the table, None for an empty one."""
    none = [None] * nodes.dimension
    for name in nodes.parts:
        yield ["part", *none, *none, name, None, None]
    spacing = nodes.local_spacing.tolist()
    for point, h in zip(nodes.interior.tolist(), spacing, strict=False):
        yield ["interior", *point, *none, None, None, h]
    edge = (nodes.boundary, nodes.normals, nodes.part, spacing[nodes.interior_count :])
    for point, normal, part, h in zip(*map(list, edge), strict=True):
        yield ["boundary", *point, *normal, nodes.parts[part], None, h]
    for point, row in zip(nodes.ghost.tolist(), nodes.ghost_of.tolist(), strict=True):
        yield ["ghost", *point, *none, None, row, None]


def _side_rows(nodes: NodeSet, several: npt.NDArray[np.bool_]) -> Iterator[list[Any]]:
    """Cells of a line for each side of the nodes that have ``several``."""
    sides = nodes.sides
    rows = np.flatnonzero(several[sides.point])
    columns = (nodes.boundary[sides.point], sides.normals, sides.part, sides.point)
    for point, normal, part, node in zip(*(x[rows].tolist() for x in columns), strict=True):
        yield ["side", *point, *normal, nodes.parts[part], None, node, None]


def _numbers(path: Path, lines: list[Line], columns: Sequence[str]) -> Floats:
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


def _whole(path: Path, lines: list[Line], name: str) -> Integers:
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
