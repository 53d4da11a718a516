"""DiscreteSystem: an equation on nodes with its matrices, as direct solves and Jacobians see it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from dtpinn.arrays import Floats
from dtpinn.problem.arrangement import sides_at
from dtpinn.problem.balance.scales import field_scales
from dtpinn.problem.balance.sensitivity import in_tune, sensitivities
from dtpinn.problem.balance.wavenumbers import of_domain
from dtpinn.problem.jacobian.linearize import Linearizer
from dtpinn.problem.matrices import Matrices, OwnName, assemble_matrices
from dtpinn.problem.posed import Posed
from dtpinn.problem.regions import INITIAL, Region, pde_region
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
        Of the residuals' own regions, that of the initial condition included.
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

    @cached_property
    def units(self) -> Floats:
        """The expected size of each field, (fields,): a pressure and a speed have no common one."""
        return field_scales(self.posed).unit

    def equation_sizes(self, state: Floats) -> Floats:
        """(equations,): those of the domain's, for waves as long as it and as large as `units`.

        Near a constant `state` (fields,).
        """
        posed = self.posed
        at_state = sensitivities(posed, state)
        longest = in_tune(of_domain(posed.nodes, posed.slices), at_state)
        return np.asarray(at_state[posed.regions[0].name].sizes(longest) @ self.units)

    @property
    def regions_to_solve(self) -> list[Region]:
        """Where all equations hold that a direct solve may choose from."""
        return [*self.posed.regions, *([] if self.meeting is None else [self.meeting])]

    def linearizer(self) -> Linearizer:
        """Return the linearisation of the residuals of a loss, at the slices."""
        posed = self.posed
        return Linearizer(posed, posed.nodal, self.matrices, posed.slices)

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
    given, at_start = _matrices_at_start(posed, order, given or {}, options)
    arguments = posed.requests, order, given, options
    meeting = _where_sides_meet(posed)
    if meeting is None:
        built = assemble_matrices(nodes, posed.spatial, *arguments, sturdy=sturdy)
        return DiscreteSystem(posed, order, options, built | at_start, None, built)
    rows = np.concatenate([equation.rows, meeting.rows])
    both = pde_region(posed.pde, nodes, rows, posed.slices, posed.dtype)
    regions = [both, *conditions, *posed.constraints]
    built = assemble_matrices(nodes, regions, *arguments, sturdy=sturdy)
    matrices, to_solve = built.split(equation.name, len(equation.rows), MEETING)
    return DiscreteSystem(posed, order, options, matrices | at_start, meeting, to_solve)


def _matrices_at_start(
    posed: Posed, order: int, given: Mapping[OwnName, Any], options: Options
) -> tuple[Mapping[OwnName, Any], Matrices]:
    """The matrices of the initial condition, and what of the given ones the others ask for.

    They act on X alone: what a ghost's value is at the start nobody has said by then.
    """
    if posed.initial is None or not posed.requests_at_start:
        return given, Matrices({}, {})
    names = {request.operator.name for request in posed.requests_at_start}
    own = {key: given[key] for key in given if key in names or key[0] == INITIAL}
    built = assemble_matrices(
        posed.nodes.with_ghosts_of(np.array([], dtype=np.int64)), [posed.initial],
        posed.requests_at_start, order, own, options, sturdy=False,
    )  # fmt: skip
    for matrix in built.by_key.values():
        matrix.resize((matrix.shape[0], len(posed.nodes.extended)))
    elsewhere = {request.operator.name for request in posed.requests}
    return {k: m for k, m in given.items() if k not in own or k in elsewhere}, built


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
