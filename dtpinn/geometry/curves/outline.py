"""The boundary of a domain in the plane as one table: exact distance, normals and parts."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import shapely
from scipy.spatial import cKDTree

from dtpinn.arrays import Floats, Integers
from dtpinn.checks import as_points
from dtpinn.geometry.arc import Arc, Curve, corner_normal, normals_on, points_on, unit
from dtpinn.geometry.cell import Cell

# The table is as near to the curves as this share of their size, which is close to round-off.
ACCURACY = 1e-12
# Where two elements meet at less than this angle in radians the curve goes on smoothly.
SMOOTH = 1e-3
# Elements of an arc to begin with, and how often they are halved at most, at a jump of curvature.
FEWEST, HALVINGS = 32, 20
# Rounds in which a cubic is made to pass through the middle of the arc.
FITS = 3
NEWTON_STEPS = 8


class Outline:
    """Closed curves, made quick to ask.

    Every arc is cut into elements, cubics that agree with it in the end points and in the normals
    there; a straight arc is one element. Those that may be nearest are found by their chords, in a
    tree of rectangles, and the nearest point on each by Newton's method. So a distance is exact to
    round-off, 1-Lipschitz, and costs about the same whatever the shape.

    Parameters
    ----------
    curves
        Loops of arcs with the domain on their left.
    cell
        Of a periodic domain: the loops may be closed by way of the seam, and come again in every
        cell.

    Examples
    --------
    >>> from dtpinn.geometry.arc import ellipse
    >>> circle = Outline([(ellipse((0.0, 0.0), (2.0, 2.0)),)])
    >>> circle.signed_distance(np.array([[0.0, 0.5], [5.0, 0.0]])).round(9)
    array([-1.5,  3. ])
    """

    def __init__(self, curves: Sequence[Curve], cell: Cell | None = None) -> None:
        self._cell = Cell.open(2) if cell is None else cell
        arcs = [arc for curve in curves for arc in curve]
        which, begin, end = elements(arcs)
        self._start, self._stop, middle = (
            points_on(arcs, which, share) for share in (begin, end, 0.5 * (begin + end))
        )
        normal_start, normal_stop = normals_on(arcs, which, begin), normals_on(arcs, which, end)
        self._ways = _ways(self._start, self._stop, normal_start, normal_stop, middle)
        self._part = np.array([arc.part for arc in arcs], dtype=np.int64)[which]
        self._next = _successors(curves, which)
        if self._cell.periodic:
            normal_start, normal_stop = self._add_images(normal_start, normal_stop)
        following = normal_start[self._next]
        bend = np.abs(normal_stop[:, 0] * following[:, 1] - normal_stop[:, 1] * following[:, 0])
        straight_on = np.einsum("ij,ij->i", normal_stop, following) > 0.0
        self._corner = (bend > SMOOTH) | ~straight_on  # at the end of each element
        self._ends_part = self._part != self._part[self._next]
        self._corner_normal = corner_normal(normal_stop, following)
        self._near = 1e2 * ACCURACY * float(np.ptp(self._stop, axis=0).max())
        self._unite_touching_corners(normal_stop + following)
        self._previous = np.argsort(self._next)
        self._tree = shapely.STRtree(shapely.linestrings(np.stack([self._start, self._stop], 1)))
        # A cubic lies within its Bezier control points.
        first, second = self._start + self._ways[:, 0] / 3, self._stop - self._ways[:, 1] / 3
        hull = np.concatenate([self._start, first, second])
        sag = max(_height(point, self._start, self._stop) for point in (first, second))
        self.bounds = np.array([hull.min(axis=0), hull.max(axis=0)])
        size = float(np.ptp(hull, axis=0).max())
        self._sag = sag if sag > 0.1 * ACCURACY * size else 0.0

    def signed_distance(self, points: npt.ArrayLike) -> Floats:
        """Distance of ``points`` (n, 2) to the curves, negative on their left; (n,)."""
        asked = self._cell.wrap(as_points(points, 2))
        result = np.full(len(asked), np.nan)
        rows = np.flatnonzero(np.isfinite(asked).all(axis=1))
        foot, normal, _ = self._nearest(asked[rows])
        offset = asked[rows] - foot
        side = np.where(np.einsum("ij,ij->i", offset, normal) < 0.0, -1.0, 1.0)
        result[rows] = side * np.hypot(offset[:, 0], offset[:, 1])
        return result

    def normal(self, points: npt.ArrayLike) -> Floats:
        """Outward unit normals at the points of the curves nearest to ``points``; (n, 2)."""
        return self._nearest(self._cell.wrap(as_points(points, 2)))[1]

    def part(self, points: npt.ArrayLike) -> Integers:
        """Part of the point of the curves nearest to each of ``points``; (n,)."""
        return self._part[self._nearest(self._cell.wrap(as_points(points, 2)))[2]]

    def _add_images(self, *normals: Floats) -> list[Floats]:
        """Let the elements come again in the cells around; return the ``normals`` as often."""
        shifts, count = self._cell.shifts(), len(self._start)
        self._start, self._stop = (
            (shifts[:, None] + ends).reshape(-1, 2) for ends in (self._start, self._stop)
        )
        self._ways = np.tile(self._ways, (len(shifts), 1, 1))
        self._part = np.tile(self._part, len(shifts))
        self._next = (count * np.arange(len(shifts))[:, None] + self._next).ravel()
        return [np.tile(each, (len(shifts), 1)) for each in normals]

    def _unite_touching_corners(self, normals: Floats) -> None:
        """Give corners that touch one normal, from the sum of ``normals`` (m, 2) at each.

        What is nearest to such a point is as near to one corner as to the other, and the normal of
        one may tell a different side: both tips of a V see what lies below it, the notch between
        them does not. The sum is right whichever arc follows which there. Where the normals cancel,
        nothing is nearest to the point but itself.
        """
        rows = np.flatnonzero(self._corner)
        pairs = cKDTree(self._stop[rows]).query_pairs(self._near, output_type="ndarray")
        first, second = rows[pairs].T
        total = normals.copy()
        np.add.at(total, first, normals[second])
        np.add.at(total, second, normals[first])
        touching = np.unique(rows[pairs])
        touching = touching[np.linalg.norm(total[touching], axis=1) > SMOOTH]
        self._corner_normal[touching] = unit(total[touching])

    def _nearest(self, points: Floats) -> tuple[Floats, Floats, Integers]:
        """Nearest points of the curves, their normals, and the elements that they lie on.

        At a corner, and at the end of a part, it is the element that follows. A corner's normal is
        its own, which tells the inside from the outside of everything nearest to the corner.
        """
        row, element = self._candidates(points)
        share = _project(points[row], *self._cubics(element))
        foot, _, _ = _cubic(share, *self._cubics(element))
        order = np.lexsort((element, np.linalg.norm(foot - points[row], axis=1), row))
        best = order[np.flatnonzero(np.diff(row[order], prepend=-1))]
        element, share = element[best], share[best]
        foot, tangent, _ = _cubic(share, *self._cubics(element))
        normal = unit(np.column_stack([tangent[:, 1], -tangent[:, 0]]))
        ends = np.linalg.norm(foot - self._stop[element], axis=1) <= self._near
        starts = np.linalg.norm(foot - self._start[element], axis=1) <= self._near
        before = np.where(ends, element, self._previous[element])
        corner = (ends | starts) & self._corner[before]
        normal[corner] = self._corner_normal[before[corner]]
        enters = corner | ((ends | starts) & self._ends_part[before])
        element[enters] = self._next[before[enters]]
        return foot, normal, element

    def _candidates(self, points: Floats) -> tuple[Integers, Integers]:
        """Pairs of a point and an element that may be its nearest one, at least one for each point.

        A cubic is no farther from its chord than the sag, so the nearest element's chord is no
        farther away than the nearest chord and twice the sag.
        """
        geometry = shapely.points(points)
        nearest = np.asarray(self._tree.nearest(geometry), dtype=np.int64)
        if self._sag == 0.0:
            return np.arange(len(points)), nearest
        chord = shapely.distance(geometry, self._tree.geometries[nearest])
        within = (1.0 + 1e-12) * chord + 2.0 * self._sag
        row, element = self._tree.query(geometry, predicate="dwithin", distance=within)
        return np.asarray(row, dtype=np.int64), np.asarray(element, dtype=np.int64)

    def _cubics(self, element: Integers) -> tuple[Floats, Floats, Floats]:
        return self._start[element], self._stop[element], self._ways[element]


def elements(arcs: Sequence[Arc]) -> tuple[Integers, Floats, Floats]:
    """Arc of each element, and the shares of the arc's way at which it starts and stops."""
    ends = np.concatenate([arc.at(np.array([0.0, 0.5])) for arc in arcs])
    # Far from the origin the coordinates' own round-off is larger, and halving does not help.
    round_off = 4.0 * np.finfo(np.float64).eps * float(np.abs(ends).max())
    tolerance = max(ACCURACY * float(np.ptp(ends, axis=0).max()), round_off)
    cuts = [_cuts(arc, tolerance) for arc in arcs]
    which = np.repeat(np.arange(len(arcs)), [len(cut) - 1 for cut in cuts])
    first, last = np.concatenate([x[:-1] for x in cuts]), np.concatenate([x[1:] for x in cuts])
    return which, first, last


def _cuts(arc: Arc, tolerance: float) -> Floats:
    """Shares at which an arc is cut: elements that miss it are halved, until none does."""
    if arc.straight:
        return np.array([0.0, 1.0])
    cuts = np.linspace(0.0, 1.0, FEWEST + 1)
    first, last = cuts[:-1], cuts[1:]
    for _ in range(HALVINGS):
        missed = _miss(arc, first, last) > tolerance
        if not missed.any():
            break
        middle = 0.5 * (first[missed] + last[missed])
        cuts = np.append(cuts, middle)
        first, last = np.append(first[missed], middle), np.append(middle, last[missed])
    return np.sort(cuts)


def _miss(arc: Arc, first: Floats, last: Floats) -> Floats:
    """Distance of the cubics from an arc, a quarter of the way along each; (m,)."""
    start, stop, middle = arc.at(first), arc.at(last), arc.at(0.5 * (first + last))
    ways = _ways(start, stop, arc.normal_at(first), arc.normal_at(last), middle)
    points = arc.at(0.75 * first + 0.25 * last)
    foot, _, _ = _cubic(_project(points, start, stop, ways), start, stop, ways)
    return np.asarray(np.linalg.norm(foot - points, axis=1))


def _ways(
    start: Floats, stop: Floats, normal_start: Floats, normal_stop: Floats, middle: Floats
) -> Floats:
    """Derivatives of the cubics at both ends, (m, 2, 2), along the tangents and equally long.

    Their length is first the one with which a cubic is nearest to a circle: the chord times
    ``2 tan(a / 4) / sin(a / 2)``, where the normal turns by the angle a. Then it is changed until
    the cubic meets the ``middle`` of the arc, which leaves an error of fifth order. (Two lengths
    for two points are nearly the same equation twice.) Where the piece bends both ways, or
    hardly, it stays.
    """
    cosine = np.clip(np.einsum("ij,ij->i", normal_start, normal_stop), -1.0, 1.0)
    # With q = a / 4 it is 2 tan(q) / sin(2 q) = 1 / cos(q)^2.
    length = np.linalg.norm(stop - start, axis=1) / np.cos(0.25 * np.arccos(cosine)) ** 2
    normals = np.stack([normal_start, normal_stop], axis=1)
    tangents = np.stack([-normals[..., 1], normals[..., 0]], axis=2)
    for _ in range(FITS):
        ways = length[:, None, None] * tangents
        share = _project(middle, start, stop, ways)
        foot, slope, _ = _cubic(share, start, stop, ways)
        across = unit(np.column_stack([slope[:, 1], -slope[:, 0]]))
        first, last = np.einsum("nki,ni->kn", tangents, across)
        # How far a length more moves the foot to the right, and how far it is to go.
        effect = share * (1.0 - share) * ((1.0 - share) * first - share * last)
        miss = np.einsum("ij,ij->i", middle - foot, across)
        good = np.abs(miss) < 0.1 * length * np.abs(effect)
        length = length + np.divide(miss, effect, out=np.zeros_like(miss), where=good)
    return np.asarray(length[:, None, None] * tangents)


def _cubic(share: Floats, start: Floats, stop: Floats, ways: Floats) -> tuple[Floats, ...]:
    """Points of Hermite's cubics and their first two derivatives, (m, 2) each."""
    t = share[:, None]
    chord, first, last = stop - start, ways[:, 0], ways[:, 1]
    square, cube = 3.0 * chord - 2.0 * first - last, first + last - 2.0 * chord
    point = start + t * (first + t * (square + t * cube))
    return point, first + t * (2.0 * square + 3.0 * t * cube), 2.0 * square + 6.0 * t * cube


def _height(points: Floats, start: Floats, stop: Floats) -> float:
    """Largest distance of ``points`` (m, 2) to the chords through ``start`` and ``stop``."""
    chord, offset = stop - start, points - start
    area = chord[:, 0] * offset[:, 1] - chord[:, 1] * offset[:, 0]
    return float(np.max(np.abs(area) / np.linalg.norm(chord, axis=1)))


def _project(points: Floats, start: Floats, stop: Floats, ways: Floats) -> Floats:
    """Shares at which the cubics are nearest to ``points``; (m,)."""
    chord = stop - start
    along = np.einsum("ij,ij->i", points - start, chord) / np.einsum("ij,ij->i", chord, chord)
    share = np.clip(along, 0.0, 1.0)
    for _ in range(NEWTON_STEPS):
        point, slope, bend = _cubic(share, start, stop, ways)
        offset = point - points
        gradient = np.einsum("ij,ij->i", offset, slope)
        square = np.einsum("ij,ij->i", slope, slope)
        # Beyond the centre of curvature the distance is concave, and Newton's step would climb.
        curvature = np.maximum(square + np.einsum("ij,ij->i", offset, bend), 1e-3 * square)
        share = np.clip(share - gradient / curvature, 0.0, 1.0)
    return np.asarray(share)


def _successors(curves: Sequence[Curve], which: Integers) -> Integers:
    """For each element the one that follows it on its loop."""
    following = np.arange(1, len(which) + 1)
    loop = np.repeat(np.arange(len(curves)), [len(curve) for curve in curves])[which]
    last = np.flatnonzero(np.diff(loop, append=-1))
    following[last] = np.concatenate([[0], last[:-1] + 1])
    return following
