"""Where the values that conditions give jump: at corners, from one side to the other."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from dtpinn.arrays import Floats
from dtpinn.geometry import Sides
from dtpinn.nodes import Nodes
from dtpinn.pde.value_jumps import ValueJump
from dtpinn.problem.probing import given_values
from dtpinn.problem.regions import Region

# Beside the largest of the values that are given of a field: rounding of equal ones.
_EQUAL = 1e-6
# Sine of the angle up to which a node of the boundary lies along a side.
_ALONG = 0.25


def value_jumps(nodes: Nodes, sides: Sides, conditions: Sequence[Region]) -> tuple[ValueJump, ...]:
    """Return the corners at which the values that are given jump.

    In the plane, of steady problems, where two sides meet and the next node along each is a node of
    the boundary, so that it is clear which side lies where.

    Parameters
    ----------
    nodes : Nodes
    sides : Sides
        Those of :func:`~dtpinn.problem.arrangement.counted_sides`.
    conditions : sequence of Region
        On these sides; they have been through the dry run.
    """
    count = np.bincount(sides.point, minlength=nodes.boundary_count)
    if nodes.dimension != 2 or not (count == 2).any() or nodes.cell.periodic:
        return ()
    given = np.full((len(sides), conditions[0].fields), np.nan)
    for region in conditions:
        values = given_values(region)
        given[region.sides] = np.where(np.isnan(values), given[region.sides], values)
    known = np.where(np.isnan(given), 0.0, np.abs(given))
    first = np.flatnonzero((np.diff(sides.point, append=-1) == 0) & (count[sides.point] == 2))
    step = np.abs(given[first + 1] - given[first])  # NaN: not given on both
    jumps = (step > _EQUAL * known.max(axis=0)).any(axis=1)
    found = (_jump(nodes, sides, side, given) for side in first[jumps])
    return tuple(jump for jump in found if jump is not None)


def _jump(nodes: Nodes, sides: Sides, side: int, given: Floats) -> ValueJump | None:
    """The jump between a side and the next one; None where it cannot be told which lies where."""
    place = nodes.boundary[sides.point[side]]
    onwards = [_runs_onwards(nodes, sides, k) for k in (side, side + 1)]
    if onwards[0] + onwards[1] != 0:
        return None
    leaving, arriving = (side, side + 1) if onwards[0] > 0 else (side + 1, side)
    start = _angle(_tangent(sides.normals[leaving]))
    end = _angle(-_tangent(sides.normals[arriving]))
    turn = (end - start) % (2 * np.pi)
    values = given[[leaving, arriving]]
    return ValueJump(place, start, turn, values, _reach(nodes, place, start, turn))


def _runs_onwards(nodes: Nodes, sides: Sides, side: int) -> int:
    """1 if a side leaves its corner with the domain on its left, -1 if it arrives; 0: unknown."""
    normal, place = sides.normals[side], nodes.boundary[sides.point[side]]
    alike = (sides.part == sides.part[side]) & (sides.normals @ normal > 1.0 - _ALONG)
    to = nodes.boundary[sides.point[alike]] - place
    distance = np.linalg.norm(to, axis=1)
    beside = (distance > 0.0) & (np.abs(to @ normal) <= _ALONG * distance)
    if not beside.any():
        return 0
    nearest = to[beside][distance[beside].argmin()]
    return int(np.sign(nearest @ _tangent(normal)))


def _reach(nodes: Nodes, place: Floats, start: float, turn: float) -> float:
    """Half of the distance to the nearest node of the boundary that lies along neither side."""
    to = nodes.boundary - place
    distance = np.linalg.norm(to, axis=1)
    off = distance > 0.0
    for angle in (start, start + turn):
        ray = np.array([np.cos(angle), np.sin(angle)])
        across = np.abs(to[:, 0] * ray[1] - to[:, 1] * ray[0])
        off &= (to @ ray < 0.0) | (across > _ALONG * distance)
    return float(distance[off].min(initial=np.ptp(nodes.boundary, axis=0).max() * 2)) / 2


def _tangent(normal: Floats) -> Floats:
    """The direction along a boundary with the domain on its left."""
    return np.array([-normal[1], normal[0]])


def _angle(direction: Floats) -> float:
    return float(np.arctan2(direction[1], direction[0]))
