"""Nodes in a NumPy archive (.npz): everything, bit for bit."""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import Any

import numpy as np

from dtpinn.geometry import Cell, Sides
from dtpinn.nodes.node_set import NodeSet
from dtpinn.output import replacing

ARRAYS = ("interior", "boundary", "ghost", "normals", "part", "ghost_of", "local_spacing")
# Of periodic nodes.
CELL = ("cell_lower", "cell_periods")
# Of the sides; an archive without them is of nodes that have one each.
SIDES = {"side_point": "point", "side_normals": "normals", "side_part": "part"}


def write_npz(path: Path, nodes: NodeSet) -> None:
    """Write ``nodes``, one array for each attribute; the names of the parts are ``parts``.

    The sides are ``side_point``, ``side_normals`` and ``side_part``; periodic nodes have
    ``cell_lower`` and ``cell_periods`` (d,), inf where there is no period.
    """
    arrays = {name: getattr(nodes, name) for name in ARRAYS}
    arrays |= {name: getattr(nodes.sides, attribute) for name, attribute in SIDES.items()}
    if nodes.cell.periodic:
        arrays |= dict(
            zip(CELL, map(np.array, (nodes.cell.lower, nodes.cell.periods)), strict=True)
        )
    with replacing(path) as file:
        np.savez(file, parts=np.array(nodes.parts), **arrays)


def read_npz(path: Path) -> dict[str, Any]:
    """Arguments for :class:`Nodes` from an archive.

    Raises
    ------
    ValueError
        If it is no archive, or an array is missing.
    """
    try:
        with np.load(path, allow_pickle=False) as archive:
            found = dict(archive)
    except (ValueError, TypeError, EOFError, AttributeError, zipfile.BadZipFile):
        raise ValueError(f"{str(path)!r} is not a NumPy archive, or is damaged") from None
    wanted = (*ARRAYS, "parts", *(SIDES if any(name in found for name in SIDES) else ()))
    missing = [name for name in wanted if name not in found]
    if missing:
        raise ValueError(
            f"{str(path)!r} does not hold nodes: {', '.join(missing)} missing; it holds "
            f"{', '.join(found) or 'nothing'}"
        )
    arguments: dict[str, Any] = {name: found[name] for name in ARRAYS}
    arguments["spacing"] = arguments.pop("local_spacing")
    arguments["parts"] = tuple(str(name) for name in found["parts"])
    if "side_point" in found:
        arguments["sides"] = Sides(**{SIDES[name]: found[name] for name in SIDES})
    if all(name in found for name in CELL):
        arguments["cell"] = Cell(*(tuple(found[name].tolist()) for name in CELL))
    return arguments
