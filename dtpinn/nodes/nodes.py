"""The nodes on which everything else is built."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from dtpinn.geometry import Domain
from dtpinn.geometry.spacing import SpacingLike
from dtpinn.nodes import checks, files
from dtpinn.nodes.ghosts import checked_share, place_ghosts
from dtpinn.nodes.merging import merge_faces
from dtpinn.nodes.node_set import NodeSet
from dtpinn.nodes.periods import boundary_of, cell_of, check_closed
from dtpinn.nodes.picture import draw_nodes
from dtpinn.nodes.quality import Quality, measure
from dtpinn.nodes.spacings import spacing_of, typical_spacing
from dtpinn.nodes.unfolding import walls_around

if TYPE_CHECKING:
    from matplotlib.axes import Axes


@dataclass(frozen=True, eq=False, repr=False, init=False)
class Nodes(NodeSet):
    """Nodes in the order interior | boundary | ghost, so that X is a prefix of X~.

    Made by :func:`place_nodes` in a domain, or by :meth:`from_points` from one's own points. The
    arrays are read-only copies of what is given, float64 and int64, C-contiguous.

    Attributes
    ----------
    interior
        (Ni, d), where the equation holds.
    boundary
        (Nb, d), where conditions hold, and the equation unless it gives way to them.
    ghost
        (Ng, d), just outside; Ng <= Nb, as ghosts that would collide are left out.
    normals
        (Nb, d), of unit length, outward, at the boundary nodes; at a corner the mean of its sides'.
    part
        (Nb,): ``parts[part[i]]`` is the part of the boundary that node i belongs to, at a corner
        one of those that meet there.
    parts
        Names of the parts, those of :attr:`empty_parts` too.
    ghost_of
        (Ng,): the row in ``boundary`` of the node that each ghost belongs to.
    local_spacing
        (Ni + Nb,): wanted distance between neighbours at each node of X.
    sides
        The parts that meet at each boundary node, each with its own normal: one for most nodes, at
        a corner one for each piece of the boundary that ends there. Conditions hold on sides.
    cell
        The period of periodic nodes, which all lie in it: neighbours, stencils and interpolation go
        on across its seam.

    Raises
    ------
    TypeError
        If ``part`` or ``ghost_of`` does not hold integers.
    ValueError
        If shapes disagree, a set is empty, a coordinate is not finite, a normal is not of unit
        length, a spacing is not positive, or an index is out of range.
    """

    @classmethod
    def from_points(
        cls,
        interior: npt.ArrayLike,
        boundary: npt.ArrayLike | None = None,
        normals: npt.ArrayLike | None = None,
        *,
        parts: Sequence[str] | None = None,
        spacing: SpacingLike | None = None,
        ghost_distance: float = 0.25,
        domain: Domain | None = None,
        periods: Sequence[float | None] | None = None,
    ) -> Nodes:
        """Nodes from somebody's own point cloud, in the order given.

        Boundary points that coincide, as a mesh or CAD gives a corner once for each face, are one
        node in the place of the first, with a side for each face: of each part, and of normals more
        than 15 degrees apart. Only where normals oppose each other, on the two faces of a slit,
        they stay two. A corner that is given once, with a mean normal, has one side.

        Parameters
        ----------
        interior
            (Ni, d)
        boundary
            (Nb, d)
        normals
            (Nb, d), of unit length, outward.
        parts
            The name of the boundary part of each row of ``boundary``; by default all belong to one
            part, ``"boundary"``.
        spacing
            Distance between neighbours, a number or a function of the place, points (n, d) ->
            (n,); by default the median distance of a node of X to its nearest neighbour, from
            which it must not be more than 10 times off. Where distances differ more than twofold
            it is the median around each node.
        ghost_distance
            From a boundary node to its ghost, in local spacings, 0.01 to 2. A ghost that another
            node or ghost is nearer to than half of that is left out (:func:`place_ghosts`).
        domain
            If it is known, the points are checked against it, and a ghost that falls into it at
            the end of a slit is left out. A periodic one says the periods as well.
        periods
            Of points that repeat themselves, the period in each direction, None where there is
            none: ``(1.0, None)``. Only one of two points that are images of each other is given.
            In all directions, there may be no boundary.

        Raises
        ------
        ValueError
            If points are missing, not finite or doubled (but on the two faces of a slit, whose
            normals are opposed), shapes disagree, or normals are not of
            unit length or point inwards, or a point is not where ``domain`` has it; the message
            names the rows. Or if the spacing is nothing like the distance between the points.

        Examples
        --------
        >>> boundary = [[1.0, 0.0], [0.0, 1.0], [-1.0, 0.0], [0.0, -1.0]]
        >>> Nodes.from_points([[0.0, 0.0]], boundary, normals=boundary)
        Nodes(2-D: 1 interior + 4 boundary + 4 ghost, spacing 1, parts boundary)
        """
        inner = checks.as_cloud(interior, "interior")
        if domain is not None:
            checks.check_domain(domain)
        edge, outward = boundary_of(boundary, normals, inner)
        cell = cell_of(periods, domain, np.concatenate([inner, edge]))
        inner, edge = cell.wrap(inner), cell.wrap(edge)
        if not len(edge):
            check_closed(cell)
            h = spacing_of(inner, spacing, cell)
            checks.check_distinct(inner, edge, float(h.min()), None, np.arange(0), cell)
            none = np.zeros(0, dtype=np.int64)
            return cls(inner, edge, edge, edge, none, (), none, h, cell=cell)
        part, names = checks.part_index(parts, len(edge))
        share = checked_share(ghost_distance)
        near = checks.DUPLICATE * typical_spacing(np.concatenate([inner, edge]), cell)
        rows, mean, sides = merge_faces(edge, outward, part, near)
        edge = edge[rows]
        h = spacing_of(np.concatenate([inner, edge]), spacing, cell)
        around, beside, walls = walls_around(cell, inner, edge, mean, h)
        checks.check_distinct(inner, edge, float(h.min()), walls, rows, cell)
        checks.check_outward(around, beside, mean, walls, rows)
        at_edge = h[len(inner) :]
        if domain is not None:
            checks.check_belonging(domain, inner, edge, at_edge)
        ghost, ghost_of = place_ghosts(inner, edge, mean, share * at_edge, domain, walls, cell)
        return cls(inner, edge, ghost, mean, part[rows], names, ghost_of, h, sides, cell)

    def with_ghosts_of(self, rows: npt.NDArray[np.integer]) -> Nodes:
        """Return the same nodes with the ghosts of some boundary nodes only.

        Examples
        --------
        >>> nodes = Nodes.from_points([[0.0]], [[-1.0], [1.0]], [[-1.0], [1.0]])
        >>> nodes.with_ghosts_of(np.array([1])).ghost
        array([[1.25]])
        """
        kept = np.isin(self.ghost_of, rows)
        if kept.all():
            return self
        return Nodes(
            self.interior, self.boundary, self.ghost[kept], self.normals, self.part, self.parts,
            self.ghost_of[kept], self.local_spacing, self.sides, self.cell,
        )  # fmt: skip

    def quality(self, domain: Domain | None = None) -> Quality:
        """How evenly the nodes are spread in ``domain``, if it is known (:func:`measure`)."""
        if domain is not None:
            checks.check_domain(domain)
        return measure(self, domain)

    def save(
        self, path: str | os.PathLike[str], fields: Mapping[str, npt.ArrayLike] | None = None
    ) -> None:
        """Save the nodes, in the format that the suffix names.

        ``.npz`` holds everything, bit for bit; ``.csv`` is a table to read (its columns:
        :mod:`dtpinn.nodes.table`); ``.vtu`` is for ParaView and takes meshio, the extra ``files``.

        Parameters
        ----------
        path
            A file that is there is replaced once the new one is complete.
        fields
            Values to save beside the nodes, in a .vtu file: name -> array or tensor, one row for
            each node of X (those of ghosts are then NaN) or of X~.

        Raises
        ------
        ImportError
            If meshio is needed and not installed.
        ValueError
            For another suffix, or a field that does not fit.
        """
        files.save(path, self, fields)

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Nodes:
        """Nodes from a file that :meth:`save` wrote, or from a table written by hand.

        Raises
        ------
        FileNotFoundError
            If there is no such file.
        ImportError
            If meshio is needed and not installed.
        ValueError
            For another suffix, or a file that does not hold nodes, saying what it lacks.

        Examples
        --------
        >>> import tempfile
        >>> nodes = Nodes.from_points([[0.0]], [[-1.0], [1.0]], [[-1.0], [1.0]])
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     nodes.save(f"{folder}/nodes.csv")
        ...     Nodes.load(f"{folder}/nodes.csv")
        Nodes(1-D: 1 interior + 2 boundary + 2 ghost, spacing 1, parts boundary)
        """
        return cls(**files.load(path))

    def plot(self, path: str | os.PathLike[str] | None = None, ax: Axes | None = None) -> Axes:
        """Draw the nodes: interior, boundary by parts, ghosts hollow, and normals as arrows.

        The seams of periodic nodes are dashed lines.

        Parameters
        ----------
        path
            Where to save the picture; the suffix (.png, .pdf, .svg) says in what format.
        ax
            matplotlib's axes to draw on, for d = 3 with ``projection="3d"``; by default new ones.

        Returns
        -------
        ax
            ``ax.figure`` is the figure.

        Raises
        ------
        ValueError
            If ``ax`` has another dimension, or the suffix is no picture's.
        """
        return draw_nodes(self, path, ax)
