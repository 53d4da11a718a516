"""Interior, boundary and ghost nodes as arrays, checked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from functools import cached_property
from typing import Any, cast

import numpy as np
import numpy.typing as npt

from dtpinn.arrays import Floats, Integers
from dtpinn.checks import as_indices, as_normals, as_points, check_finite, names_text
from dtpinn.geometry import Cell, Sides
from dtpinn.geometry.sides import checked_sides
from dtpinn.nodes.checks import as_cloud
from dtpinn.nodes.spacings import as_spacings
from dtpinn.nodes.walls import Walls


@dataclass(frozen=True, eq=False, repr=False, init=False)
class NodeSet:
    """What :class:`~dtpinn.nodes.Nodes` hold, described there.

    Measures, pictures and files are of this, so that nodes can measure, draw and save themselves.
    """

    interior: Floats
    boundary: Floats
    ghost: Floats
    normals: Floats
    part: Integers
    parts: tuple[str, ...]
    ghost_of: Integers
    local_spacing: Floats
    sides: Sides
    cell: Cell

    def __init__(
        self,
        interior: npt.ArrayLike,
        boundary: npt.ArrayLike,
        ghost: npt.ArrayLike,
        normals: npt.ArrayLike,
        part: npt.ArrayLike,
        parts: Sequence[str],
        ghost_of: npt.ArrayLike,
        spacing: npt.ArrayLike,
        sides: Sides | None = None,
        cell: Cell | None = None,
    ) -> None:
        """Keep what is given; ``spacing`` is one number, or one for each node of X.

        Without ``sides`` every boundary node has one, its own. With a periodic ``cell`` the nodes
        are put into it. Without ``parts`` there is no boundary.
        """
        inner = as_cloud(interior, "interior")
        cell = Cell.open(inner.shape[1]) if cell is None else cell
        edge = as_points(boundary, inner.shape[1], "boundary")
        if parts:
            edge = as_cloud(boundary, "boundary", inner.shape[1])
        outside = as_points(ghost, inner.shape[1], "ghost")
        check_finite(outside, "ghost")
        arrays: dict[str, npt.NDArray[Any]] = {
            "interior": cell.wrap(inner),
            "boundary": cell.wrap(edge),
            "ghost": cell.wrap(outside),
            "normals": as_normals(normals, edge),
            "part": as_indices(part, "part", len(parts), len(edge)),
            "ghost_of": as_indices(ghost_of, "ghost_of", len(edge), len(outside)),
            "local_spacing": as_spacings(spacing, len(inner) + len(edge)),
        }
        names = tuple(parts)
        if len(set(names)) != len(names):
            raise ValueError(f"names of parts must differ; got {names}")
        for name, array in arrays.items():
            object.__setattr__(self, name, _read_only(array.copy(order="C")))
        object.__setattr__(self, "parts", names)
        object.__setattr__(self, "cell", cell)
        if sides is None:
            sides = Sides.one_each(self.normals, self.part)
        object.__setattr__(self, "sides", checked_sides(sides, edge, len(names)))

    @cached_property
    def collocation(self) -> Floats:
        """X = interior | boundary, (Ni + Nb, d)."""
        return _read_only(np.concatenate([self.interior, self.boundary]))

    @cached_property
    def extended(self) -> Floats:
        """X~ = interior | boundary | ghost, (Ni + Nb + Ng, d)."""
        return _read_only(np.concatenate([self.interior, self.boundary, self.ghost]))

    def drawn(self) -> tuple[Floats, Integers]:
        """Return the points of a picture, and the row of X that each shows.

        X; of periodic nodes also the images next to the cell, or there would be a gap at the seam.
        """
        images, of_images = self.cell.images(self.collocation, 1.5 * self.spacing)
        rows = np.append(np.arange(self.count), of_images)
        return np.concatenate([self.collocation, images]), rows

    @property
    def outward(self) -> Floats:
        """Outward normals on X, (Ni + Nb, d); zero inside the domain."""
        return np.concatenate([np.zeros(self.interior.shape), self.normals])

    @cached_property
    def spacing(self) -> float:
        """Nominal distance h between neighbours: the median of ``local_spacing``."""
        return float(np.median(self.local_spacing))

    @cached_property
    def empty_parts(self) -> tuple[str, ...]:
        """Names of the parts that no node lies on, being shorter than the spacing."""
        used = set(self.sides.part.tolist())
        return tuple(name for number, name in enumerate(self.parts) if number not in used)

    @cached_property
    def walls(self) -> Walls | None:
        """The boundary as something that stencils do not reach through; of images no one knows.

        None where there is no boundary.
        """
        if not self.boundary_count:
            return None
        return Walls(self.interior, self.boundary, self.normals, self.ghost_of)

    @property
    def dimension(self) -> int:
        """Number of coordinates, d."""
        return cast(int, self.interior.shape[1])

    @property
    def interior_count(self) -> int:
        """Ni."""
        return len(self.interior)

    @property
    def boundary_count(self) -> int:
        """Nb."""
        return len(self.boundary)

    @property
    def ghost_count(self) -> int:
        """Ng."""
        return len(self.ghost)

    @property
    def count(self) -> int:
        """N = Ni + Nb, the number of collocation points; ghosts are not counted."""
        return self.interior_count + self.boundary_count

    def part_rows(self, name: str) -> Integers:
        """Rows of ``boundary`` with a side on the part ``name``, ascending: corners are in several.

        Raises
        ------
        ValueError
            If there is no such part.
        """
        if name not in self.parts:
            raise ValueError(
                f"there is no boundary part {name!r}; the parts are {names_text(self.parts)}"
            )
        on_it = self.sides.part == self.parts.index(name)
        return np.unique(self.sides.point[on_it])

    def __repr__(self) -> str:
        return (
            f"Nodes({self.dimension}-D: {self.interior_count} interior + {self.boundary_count} "
            f"boundary + {self.ghost_count} ghost, spacing {self.spacing:.4g}, "
            f"{f'parts {names_text(self.parts)}' if self.parts else 'no boundary'}"
            + (f", periodic in {' and '.join('xyz'[k] for k in self.cell.axes)}")
            * self.cell.periodic
            + ")"
        )

    def __reduce__(self) -> tuple[Any, ...]:
        # Through the constructor: NumPy forgets on pickling that an array was read-only.
        return type(self), tuple(getattr(self, field.name) for field in fields(self))


def _read_only(array: npt.NDArray[Any]) -> npt.NDArray[Any]:
    array.flags.writeable = False
    return array
