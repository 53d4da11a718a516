"""A body of several materials: its pieces laid apart, as in an exploded view."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial, reduce
from itertools import permutations
from operator import or_

import numpy as np
import numpy.typing as npt

from dtpinn.arrays import Floats, Integers
from dtpinn.checks import as_points
from dtpinn.geometry.arc import Curve
from dtpinn.geometry.boundary import Boundary
from dtpinn.geometry.domain import Domain
from dtpinn.geometry.spacing import SpacingLike

# Of the body's size: so close to another piece's boundary a point lies on the interface.
ON_INTERFACE = 1e-7
# Points along the longest side at which pieces are asked whether they touch.
LOOKS = 60


class Subdomains(Domain):
    """Pieces that touch along interfaces, laid apart so that no stencil reaches across.

    Where a material ends, a solution has a kink, and no stencil may span it. So each piece is a
    domain by itself, moved along the first axis until it stands alone, with nodes of its own on its
    side of every interface. The first piece stays where it is; :meth:`place` tells where a point
    belongs. What ties the pieces together are conditions on the interfaces:
    :func:`~dtpinn.pde.joints`.

    Parts of the boundary are named "piece.part"; interfaces, on either side, "piece|other".

    Parameters
    ----------
    pieces : mapping of name to Domain
        Where they are in the body. They must not overlap.

    Raises
    ------
    ValueError
        If there are fewer than two, some overlap, or one touches no other.

    Examples
    --------
    >>> from dtpinn.geometry import Disk, Rectangle
    >>> fibre, plate = Disk(0.5), Rectangle((-1, -1), (1, 1))
    >>> body = Subdomains({"fibre": fibre, "matrix": plate - fibre})
    >>> body.parts
    ('fibre|matrix', 'matrix.left', 'matrix.right', 'matrix.bottom', 'matrix.top', 'matrix|fibre')
    >>> body.place([[0.1, 0.2], [4.0, 0.9]]), body.piece([[0.1, 0.2], [4.0, 0.9]])
    (array([[0.1, 0.2],
           [0. , 0.9]]), array([0, 1]))
    """

    def __init__(self, pieces: Mapping[str, Domain]) -> None:
        if len(pieces) < 2 or not all(isinstance(piece, Domain) for piece in pieces.values()):
            raise ValueError(f"Subdomains: expected two domains or more by name, got {pieces!r}")
        if any(piece.cell.periodic for piece in pieces.values()):
            raise ValueError("Subdomains: pieces of a body cannot be periodic")
        self.pieces = dict(pieces)
        self.names = tuple(pieces)
        boxes = np.stack([piece.bounds for piece in pieces.values()])
        low, high = boxes[:, 0].min(axis=0), boxes[:, 1].max(axis=0)
        self._size = float((high - low).max())
        # As far apart as the body is long: no stencil of a piece that has enough nodes is wider.
        self.offsets = np.zeros((len(pieces), boxes.shape[2]))
        self.offsets[:, 0] = 2.0 * (high - low)[0] * np.arange(len(pieces))
        ends = boxes[:, :, 0] + self.offsets[:, :1]
        self.cuts = 0.5 * (ends[:-1, 1] + ends[1:, 0])
        self._contacts = self._touching()
        self._apart = reduce(or_, map(self._laid_apart, range(len(pieces))))

    def __repr__(self) -> str:
        return f"Subdomains({', '.join(self.names)})"

    def piece(self, points: npt.ArrayLike) -> Integers:
        """Return which piece each of points (n, d) is in, as a number of `names`; (n,)."""
        at = as_points(points, self.dimension)
        return np.searchsorted(self.cuts, at[:, 0]).astype(np.int64)

    @property
    def interfaces(self) -> tuple[tuple[str, str], ...]:
        """Pairs of pieces that touch, each in the order of their names."""
        return tuple((a, b) for a, b in self._contacts if self.names.index(a) < self.names.index(b))

    def place(self, points: npt.ArrayLike) -> Floats:
        """Return where points (n, d) are in the body, the pieces put together; (n, d)."""
        at = as_points(points, self.dimension)
        return np.asarray(at - self.offsets[self.piece(at)])

    def apart(self, points: npt.ArrayLike) -> Floats:
        """Return where points (n, d) of the body are once its pieces are laid apart; (n, d).

        On an interface, on the side of the piece that is named first.
        """
        at = as_points(points, self.dimension)
        distance = np.stack([piece.signed_distance(at) for piece in self.pieces.values()])
        distance[np.abs(distance) < ON_INTERFACE * self._size] = 0.0
        return np.asarray(at + self.offsets[np.argmin(distance, axis=0)])

    def _touching(self) -> dict[tuple[str, str], tuple[Boundary, npt.NDArray[np.bool_]]]:
        """Of each piece and each other one: the piece's boundary, and which points are on both."""
        found = {}
        for name, other in permutations(self.names, 2):
            walk = self.pieces[name].walk_boundary(self._size / LOOKS)
            distance = self.pieces[other].signed_distance(walk.points)
            if distance.min() < -1e-3 * self._size / LOOKS:
                worst = walk.points[distance.argmin()]
                raise ValueError(
                    f"Subdomains: {name!r} and {other!r} overlap near {worst.tolist()}; cut one out"
                    " of the other, plate - fibre"
                )
            on_both = np.abs(distance) < ON_INTERFACE * self._size
            if on_both.any():
                found[name, other] = walk, on_both
        touching = {name for pair in found for name in pair}
        if alone := [name for name in self.names if name not in touching]:
            raise ValueError(f"Subdomains: {alone[0]!r} touches no other piece")
        return found

    def _laid_apart(self, number: int) -> Domain:
        """A piece at its new place, with its parts named."""
        name, offset = self.names[number], self.offsets[number]
        named: dict[str, str | Sequence[str] | Callable[..., npt.ArrayLike]] = {}
        parts = list(self.pieces[name].parts)
        for (one, other), (walk, on_both) in self._contacts.items():
            if one != name:
                continue
            sides = [(walk.names[part], walk.sides.point[walk.sides.part == part])
                     for part in np.unique(walk.sides.part)]  # fmt: skip
            whole = [part for part, rows in sides if on_both[rows].all()]
            covered = np.zeros_like(on_both)
            for part, rows in sides:
                covered[rows] |= part in whole
            if (on_both & ~covered).any():  # a part that goes on beyond the interface
                named[f"{name}|{other}"] = partial(self._touches, self.pieces[other], offset)
            else:
                named[f"{name}|{other}"] = whole
                parts = [part for part in parts if part not in whole]
        own = {f"{name}.{part}": part for part in parts}
        return self.pieces[name].translate(offset).with_parts({**own, **named})

    def _touches(self, other: Domain, offset: Floats, points: npt.ArrayLike) -> npt.ArrayLike:
        at = as_points(points, len(offset)) - offset
        return np.abs(other.signed_distance(at)) < ON_INTERFACE * self._size

    # What a domain answers: as the pieces laid apart

    @property
    def dimension(self) -> int:
        """Number of coordinates, d."""
        return self.offsets.shape[1]

    @property
    def bounds(self) -> Floats:
        """Lower and upper corner of a box that holds all pieces, (2, d)."""
        return self._apart.bounds

    @property
    def parts(self) -> tuple[str, ...]:
        """Of the pieces laid apart: those that are not wholly an interface, and the interfaces."""
        return self._apart.parts

    def signed_distance(self, points: npt.ArrayLike) -> Floats:
        """Distance of points (n, d) to the boundary of the pieces laid apart; (n,)."""
        return self._apart.signed_distance(points)

    def walk_boundary(self, spacing: SpacingLike) -> Boundary:
        """Points on both sides of every interface, and on the rest of the boundary."""
        return self._apart.walk_boundary(spacing)

    def normal(self, points: npt.ArrayLike) -> Floats:
        """Outward unit normals at points (n, d) of the boundary; (n, d)."""
        return self._apart.normal(points)

    def nearest_part(self, points: npt.ArrayLike) -> Integers:
        """Index in `parts` for each of points (n, d) of the boundary; (n,)."""
        return self._apart.nearest_part(points)

    def boundary_curves(self) -> Sequence[Curve]:
        """The pieces' own curves."""
        return self._apart.boundary_curves()
