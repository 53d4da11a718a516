"""Nodes in a file for ParaView (.vtu), with fields beside them; by meshio."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

import numpy as np
import numpy.typing as npt
import torch

from dtpinn.arrays import Floats
from dtpinn.geometry import Cell, Sides
from dtpinn.nodes.node_set import NodeSet
from dtpinn.output import replacing

# One array of zeros and ones for each part, as the format has no place for their names.
PART = "part: "
DATA = ("kind", "part", "normal", "ghost_of", "spacing")
KINDS = 3
PERIOD, CELL = "period", "cell"
SIDE_NORMAL, SIDE_PART = "side {} normal", "side {} part"


def write_vtu(path: Path, nodes: NodeSet, fields: Mapping[str, Any]) -> None:
    """Write ``nodes`` as points, with arrays that say what they are, and ``fields``.

    The arrays are ``kind`` (0 interior, 1 boundary, 2 ghost), ``part`` (its number, or -1),
    ``normal`` (zero off the boundary), ``ghost_of`` (or -1), ``spacing``, and ``part: NAME`` (1 on
    that part) for each part. Where nodes have several sides there are ``side 0 normal`` (zero where
    a node has no such side) and ``side 0 part`` (or -1), and as many more as a node has at most.
    Periodic nodes have the ``period`` in each direction (or 0) and the ``cell`` that they are in,
    its lower corner, at every node.

    Raises
    ------
    ImportError
        If meshio is not installed.
    ValueError
        If a field has another length than X or X~, or the name of one of these arrays.
    """
    meshio = _meshio()
    data = _data(nodes)
    for name, values in fields.items():
        if name in data:
            raise ValueError(f"a field cannot be named {name!r}: that array describes the nodes")
        data[name] = _on_all(nodes, name, values)
    points = _in_space(nodes.extended)
    cells = [("vertex", np.arange(len(points))[:, None])]
    mesh = meshio.Mesh(points, cells, point_data={_escaped(key): data[key] for key in data})
    with replacing(path) as file:  # by its name, as meshio opens files itself
        meshio.vtu.write(file.name, mesh)


def read_vtu(path: Path) -> dict[str, Any]:
    """Arguments for :class:`Nodes` from a file that :func:`write_vtu` wrote.

    Raises
    ------
    ImportError
        If meshio is not installed.
    ValueError
        If it is another file.
    """
    meshio = _meshio()
    try:
        mesh = meshio.vtu.read(path)  # meshio.read would print, and end the program
    except Exception as error:  # whatever the XML parser, the decompressor and meshio raise
        raise ValueError(f"{str(path)!r} is not a .vtu file, or is damaged: {error}") from None
    data = mesh.point_data
    parts = tuple(name.removeprefix(PART) for name in data if name.startswith(PART))
    missing = [name for name in DATA if name not in data]
    if missing or not (parts or PERIOD in data):
        raise ValueError(
            f"{str(path)!r} does not hold nodes: no array {', '.join(missing) or PART.strip()}"
        )
    interior, boundary, ghost = (np.flatnonzero(data["kind"] == kind) for kind in range(KINDS))
    # Flat nodes were given heights of zero.
    used = np.flatnonzero(mesh.points.any(axis=0))
    axes = slice(int(used[-1]) + 1 if used.size else 1)
    return {
        "interior": mesh.points[interior, axes],
        "boundary": mesh.points[boundary, axes],
        "ghost": mesh.points[ghost, axes],
        "normals": data["normal"][boundary, axes],
        "part": data["part"][boundary],
        "parts": parts,
        "ghost_of": data["ghost_of"][ghost],
        "spacing": data["spacing"][np.concatenate([interior, boundary])],
        "sides": _sides(data, boundary, axes),
        "cell": _cell(data, axes),
    }


def _cell(data: Mapping[str, npt.NDArray[Any]], axes: slice) -> Cell | None:
    if PERIOD not in data:
        return None
    periods, lower = data[PERIOD][0, axes], data[CELL][0, axes]
    return Cell(tuple(lower.tolist()), tuple(np.where(periods > 0.0, periods, np.inf).tolist()))


def _sides(
    data: Mapping[str, npt.NDArray[Any]], boundary: npt.NDArray[np.intp], axes: slice
) -> Sides | None:
    """Sides of the nodes in rows ``boundary``; None if they have one each."""
    if SIDE_PART.format(0) not in data:
        return None
    numbers = itertools.takewhile(lambda k: SIDE_PART.format(k) in data, itertools.count())
    columns = [(data[SIDE_NORMAL.format(k)], data[SIDE_PART.format(k)]) for k in numbers]
    normals = np.stack([normal[boundary, axes] for normal, _ in columns], axis=1)
    part = np.stack([part[boundary] for _, part in columns], axis=1)
    point, place = np.nonzero(part >= 0)
    return Sides(point, normals[point, place], part[point, place])


def _data(nodes: NodeSet) -> dict[str, npt.NDArray[Any]]:
    """Arrays over X~ that describe the nodes."""
    counts = (nodes.interior_count, nodes.boundary_count, nodes.ghost_count)
    edge = slice(counts[0], nodes.count)
    kind = np.repeat(np.arange(KINDS, dtype=np.int32), counts)
    part, ghost_of = np.full((2, len(kind)), -1, dtype=np.int64)
    part[edge] = nodes.part
    ghost_of[nodes.count :] = nodes.ghost_of
    normal = np.zeros((len(kind), 3))
    normal[edge] = _in_space(nodes.normals)
    h = nodes.local_spacing
    spacing = np.concatenate([h, h[edge][nodes.ghost_of]])
    masks = {PART + name: np.zeros(len(kind), dtype=np.int32) for name in nodes.parts}
    for name, mask in zip(nodes.parts, masks.values(), strict=True):
        mask[counts[0] + nodes.part_rows(name)] = 1
    arrays: tuple[npt.NDArray[Any], ...] = (kind, part, normal, ghost_of, spacing)
    data = dict(zip(DATA, arrays, strict=True)) | masks | _side_data(nodes)
    if nodes.cell.periodic:
        periods = np.where(np.isfinite(nodes.cell.periods), nodes.cell.periods, 0.0)
        for name, vector in ((PERIOD, periods), (CELL, np.array(nodes.cell.lower))):
            data[name] = np.tile(_in_space(vector[None]), (len(kind), 1))
    return data


def _side_data(nodes: NodeSet) -> dict[str, npt.NDArray[Any]]:
    """Arrays over X~ of the first sides, the second ones and so on, if a node has several."""
    sides = nodes.sides
    count = np.bincount(sides.point, minlength=nodes.boundary_count)
    if count.max(initial=1) == 1:
        return {}
    place = np.arange(len(sides)) - (np.cumsum(count) - count)[sides.point]
    data: dict[str, npt.NDArray[Any]] = {}
    for k in range(count.max()):
        rows = place == k
        at = nodes.interior_count + sides.point[rows]
        normal = np.zeros((len(nodes.extended), 3))
        normal[at] = _in_space(sides.normals[rows])
        part = np.full(len(normal), -1, dtype=np.int64)
        part[at] = sides.part[rows]
        data |= {SIDE_NORMAL.format(k): normal, SIDE_PART.format(k): part}
    return data


def _on_all(nodes: NodeSet, name: str, values: Any) -> Floats:
    """Field on X~: of one on X the ghosts' values are NaN."""
    if isinstance(values, torch.Tensor):
        values = values.detach().cpu().numpy()
    field = np.asarray(values, dtype=np.float64)
    if field.ndim not in (1, 2) or len(field) not in (nodes.count, len(nodes.extended)):
        raise ValueError(
            f"the field {name!r} must have one row for each node, {nodes.count} without the ghosts "
            f"or {len(nodes.extended)} with them; got shape {field.shape}"
        )
    beyond = np.full((len(nodes.extended) - len(field), *field.shape[1:]), np.nan)
    return np.concatenate([field, beyond])


def _in_space(vectors: Floats) -> Floats:
    """``vectors`` (n, d) with zeros appended, (n, 3)."""
    return np.pad(vectors, [(0, 0), (0, 3 - vectors.shape[1])])


def _escaped(name: str) -> str:
    """``name`` as XML and ASCII have it: meshio writes it as it is, in the machine's encoding."""
    return escape(name, {'"': "&quot;"}).encode("ascii", "xmlcharrefreplace").decode()


def _meshio() -> Any:
    try:
        import meshio
    except ImportError:
        raise ImportError(
            ".vtu files are written and read by meshio, which is not installed; "
            "run: pip install 'dtpinn[files]'"
        ) from None
    return meshio
