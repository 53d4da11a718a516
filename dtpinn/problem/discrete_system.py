"""DiscreteSystem: an equation on nodes with its matrices, as direct solves and Jacobians see it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from dtpinn.problem.arrangement import sides_at
from dtpinn.problem.jacobian.linearize import Linearizer
from dtpinn.problem.matrices import Matrices, OwnName, assemble_matrices
from dtpinn.problem.posed import Posed
from dtpinn.problem.regions import Region, pde_region
from dtpinn.problem.time_slices import TimeSlices
from dtpinn.rbffd import Options

MEETING = "pde where sides meet"
"""The region of the equation where it gives way to the conditions of several sides."""


@dataclass(frozen=True, eq=False)
class DiscreteSystem:
    """Residuals as functions of nodal values on X~; it knows no model and no loss.

    Made by :func:`assemble_system`.

    Attributes
    ----------
    posed : Posed
    order : int
        The order p of the discretisation.
    options : Options
        Of the assembly.
    matrices : Matrices
        Of the residuals' own regions.
    meeting : Region or None
        Where the equation gave way to the conditions of several sides. Training does without it, a
        direct solve takes of it what those conditions leave open.
    matrices_to_solve : Matrices
        Of all regions, this one included.
    """

    posed: Posed
    order: int
    options: Options
    matrices: Matrices
    meeting: Region | None
    matrices_to_solve: Matrices

    def __repr__(self) -> str:
        return f"DiscreteSystem({self.posed!r}, order {self.order})"

    @property
    def regions_to_solve(self) -> list[Region]:
        """Where all equations hold that a direct solve may choose from."""
        return [*self.posed.regions, *([] if self.meeting is None else [self.meeting])]

    def linearizer(self) -> Linearizer:
        """Return the linearisation of the residuals of a loss, at the slices."""
        posed = self.posed
        return Linearizer(posed, posed.everywhere, self.matrices, posed.slices)

    def linearizer_to_solve(self, slices: TimeSlices) -> Linearizer:
        """Return that of a direct solve, at any times, without the initial condition."""
        regions = [*self.regions_to_solve, *self.posed.constraints]
        return Linearizer(self.posed, regions, self.matrices_to_solve, slices)


def assemble_system(
    posed: Posed,
    order: int,
    given: Mapping[OwnName, Any] | None,
    options: Options,
    *,
    sturdy: bool,
) -> DiscreteSystem:
    """Assemble what the residuals ask for and what a direct solve needs beside it.

    Parameters
    ----------
    posed : Posed
    order : int
    given : mapping of name to matrix, optional
        Somebody's own.
    options : Options
    sturdy : bool
        As of :func:`~dtpinn.problem.matrices.assemble_matrices`.
    """
    nodes, (equation, *conditions) = posed.nodes, posed.regions
    arguments = posed.requests, order, given, options
    meeting = _where_sides_meet(posed)
    if meeting is None:
        matrices = assemble_matrices(nodes, posed.spatial, *arguments, sturdy=sturdy)
        return DiscreteSystem(posed, order, options, matrices, None, matrices)
    rows = np.concatenate([equation.rows, meeting.rows])
    both = pde_region(posed.pde, nodes, rows, posed.slices, posed.dtype)
    regions = [both, *conditions, *posed.constraints]
    built = assemble_matrices(nodes, regions, *arguments, sturdy=sturdy)
    matrices, to_solve = built.split(equation.name, len(equation.rows), MEETING)
    return DiscreteSystem(posed, order, options, matrices, meeting, to_solve)


def _where_sides_meet(posed: Posed) -> Region | None:
    """The equation where it gave way to several conditions, for what those leave open."""
    nodes, (equation, *conditions) = posed.nodes, posed.regions
    # There, and where the conditions are too few for the unknowns.
    said = np.zeros(nodes.boundary_count, dtype=np.int64)
    for region in conditions:
        np.add.at(said, region.rows - nodes.interior_count, region.equations)
    wanting = (sides_at(nodes, conditions) > 1) | (said < equation.fields)
    rows = np.setdiff1d(np.flatnonzero(wanting) + nodes.interior_count, equation.rows)
    if not len(rows):
        return None
    return pde_region(posed.pde, nodes, rows, posed.slices, posed.dtype, MEETING)
