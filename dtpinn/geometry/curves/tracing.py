"""Boundary curves of a domain in the plane of which only the signed distance is known."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from dtpinn.arrays import Floats
from dtpinn.geometry.arc import Arc, Curve, unit
from dtpinn.geometry.curves.contour import contours
from dtpinn.geometry.domain import Domain

# Between two vertices of the contour, 1/512 of the size apart, a normal that turns by more than
# this many radians tells a corner; a curve does so if its radius is below 1/150 of the size.
CORNER = 0.35
# Shares of the size: of central differences, on an arc between corners and elsewhere, and within
# which a point lies on the boundary.
FINE_STEP, STEP, ON = 1e-7, 1e-6, 1e-10
# Steps of the secant method at most, and a step after which it has arrived.
SECANT_STEPS, MET = 12, 1e-15


def trace(domain: Domain) -> list[Curve]:
    """Trace the zero level of the signed distance.

    A contour on a grid gives the vertices; between two of them a point is found on the chord and
    moved to the zero level along the normal. At corners the tangents of both sides are
    intersected, closer and closer to the corner.

    Parameters
    ----------
    domain
        In the plane, with a signed distance and bounds; its parts come from ``nearest_part``.

    Raises
    ------
    ValueError
        If there is no zero level within the bounds, or it leaves them.

    Examples
    --------
    >>> from dtpinn.geometry import Rectangle
    >>> [len(curve) for curve in trace(Rectangle())]
    [4]
    """
    level = Level(domain)
    return [_curve(level, vertices) for vertices in contours(domain.signed_distance, domain.bounds)]


@dataclass(frozen=True)
class Level:
    """The zero level of a domain's signed distance."""

    domain: Domain

    @property
    def size(self) -> float:
        """Longest side of the domain's bounds."""
        return float(np.max(np.ptp(self.domain.bounds, axis=0)))

    def normal(self, points: Floats, step: float) -> Floats:
        """Direction in which the distance grows at ``points`` (n, 2), by central differences."""
        distance = self.domain.signed_distance
        shifts = step * np.eye(2)
        return unit(np.column_stack([distance(points + s) - distance(points - s) for s in shifts]))

    def meet(self, points: Floats, directions: Floats) -> Floats:
        """Move ``points`` (n, 2), close to the zero level, along ``directions`` onto it."""
        before, here = np.zeros(len(points)), -self.domain.signed_distance(points)
        height_before = -here
        for _ in range(SECANT_STEPS):
            height = self.domain.signed_distance(points + here[:, None] * directions)
            fall = height - height_before
            step = np.divide(
                height * (here - before), fall, out=np.zeros_like(fall), where=fall != 0.0
            )
            before, height_before = here, height
            here = here - step
            if (np.abs(step) <= MET * self.size).all():
                break
        return points + here[:, None] * directions


def _curve(level: Level, vertices: Floats) -> Curve:
    """Arcs between the corners of a closed polyline on the zero level."""
    normals = level.normal(vertices, STEP * level.size)
    after = np.roll(normals, -1, axis=0)
    turns = _turns(normals, after)
    twice = turns & np.roll(turns, 1)
    lone = twice & ~np.roll(twice, 1) & ~np.roll(twice, -1)
    if lone.any():  # a vertex so close to a corner that its differences reach over
        return _curve(level, vertices[~lone])
    rows = np.flatnonzero(turns)
    corners, arriving, leaving = _corners(
        level, vertices[rows], np.roll(vertices, -1, axis=0)[rows], normals[rows], after[rows]
    )
    # Of a small circle the tangents meet outside, or the normal does not jump any more.
    sharp = np.abs(level.domain.signed_distance(corners)) <= ON * level.size
    sharp &= _turns(arriving, leaving)
    rows, corners = rows[sharp], corners[sharp]
    arriving, leaving = arriving[sharp], leaving[sharp]
    if not rows.size:
        close = np.append(np.arange(len(vertices)), 0)
        return (_arc(level, vertices[close], normals[close], smooth=True),)
    arcs = []
    for number, row in enumerate(rows):
        following = (number + 1) % len(rows)
        count = (rows[following] - row - 1) % len(vertices) + 1
        between = (row + 1 + np.arange(count)) % len(vertices)
        knots = [corners[number][None], vertices[between], corners[following][None]]
        along = [leaving[number][None], normals[between], arriving[following][None]]
        arcs.append(_arc(level, np.concatenate(knots), np.concatenate(along), smooth=False))
    return tuple(arcs)


def _turns(before: Floats, after: Floats) -> npt.NDArray[np.bool_]:
    return np.asarray(np.einsum("ij,ij->i", before, after) < np.cos(CORNER))


def _corners(
    level: Level, before: Floats, after: Floats, arriving: Floats, leaving: Floats
) -> tuple[Floats, Floats, Floats]:
    """Corners between pairs of points on the zero level, and the normals on both sides."""
    corners = 0.5 * (before + after)
    if not len(corners):
        return corners, arriving, leaving
    for reach in level.size * np.array([1e-4, 1e-5, 1e-6, 1e-6]):
        sides = np.stack([arriving, leaving], axis=1)
        heights = np.stack(
            [np.einsum("ij,ij->i", arriving, before), np.einsum("ij,ij->i", leaving, after)], axis=1
        )
        corners = np.linalg.solve(sides, heights[..., None])[..., 0]
        back, forth = arriving[:, ::-1] * [1.0, -1.0], leaving[:, ::-1] * [-1.0, 1.0]
        before = level.meet(corners + reach * back, arriving)
        after = level.meet(corners + reach * forth, leaving)
        arriving, leaving = level.normal(before, 0.1 * reach), level.normal(after, 0.1 * reach)
    return corners, arriving, leaving


def _arc(level: Level, knots: Floats, normals: Floats, *, smooth: bool) -> Arc:
    """Return the arc through ``knots`` (m, 2), parametrised by the length of their polyline."""
    at = np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(knots, axis=0), axis=1))])
    step = (STEP if smooth else FINE_STEP) * level.size
    # So far from a corner that, if it is blunter than 6 degrees, the differences do not reach over.
    low, high = (0.0, at[-1]) if smooth else (20.0 * step, at[-1] - 20.0 * step)

    def along(t: Floats, columns: Floats) -> Floats:
        return np.column_stack([np.interp(t, at, column) for column in columns.T])

    def point(t: Floats) -> Floats:
        return level.meet(along(t, knots), unit(along(t, normals)))

    def normal(t: Floats) -> Floats:
        inside = np.clip(t, low, high)
        normals = level.normal(point(inside), step)
        rows = np.flatnonzero(t != inside)
        # Towards the corner, on from there and from a place as far behind.
        behind = level.normal(point(2.0 * inside[rows] - t[rows]), step)
        normals[rows] = unit(2.0 * normals[rows] - behind)
        return normals

    middle = point(0.5 * (at[:1] + at[1:2]))
    return Arc(point, normal, int(level.domain.nearest_part(middle)[0]), 0.0, float(at[-1]))
