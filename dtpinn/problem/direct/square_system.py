"""The discrete system as a square one: which nodal values are unknown, which equations serve."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csc_array, csr_array, vstack
from torch import Tensor

from dtpinn.arrays import Floats
from dtpinn.problem.arrangement import with_ghosts
from dtpinn.problem.direct.at_rest import FREE, shares
from dtpinn.problem.direct.border import Border, find_border
from dtpinn.problem.direct.choice import choose_equations
from dtpinn.problem.direct.scaling import equilibrate
from dtpinn.problem.discrete_system import DiscreteSystem
from dtpinn.problem.jacobian.linearize import Linearization
from dtpinn.problem.posed import Posed
from dtpinn.problem.time_slices import TimeSlices, node_major
from dtpinn.rbffd import interpolation

LARGE = 20_000
"""Nodes from which on a factorisation takes so long that the user is told of it."""


class SquareSystem:
    """All equations at one time as a square system in the nodal values of X~.

    Parameters
    ----------
    system : DiscreteSystem
    example : Linearization
        At values like :func:`generic_values`: which entries its Jacobians have.
    slices : TimeSlices
        Of every linearisation that it is given.
    rest : Linearization, optional
        At zero, of an equation that is not linear.

    Attributes
    ----------
    shape : tuple
        Of the nodal values at one time: (nodes,) or (nodes, fields).
    fields : int
    on_nodes : int
        How many of the unknowns, the first, are values on X.
    """

    def __init__(
        self,
        system: DiscreteSystem,
        example: Linearization,
        slices: TimeSlices,
        rest: Linearization | None = None,
    ) -> None:
        posed = system.posed
        nodes, self.fields, self._slices = posed.nodes, posed.pde.field_count, slices
        self.shape = posed.nodal_shape
        self.on_nodes = nodes.count * self.fields
        # A ghost that no equation uses is no unknown: somebody's own matrices may do without, and
        # of a field without spatial derivatives none is used.
        used = np.zeros((len(nodes.extended), slices.count, self.fields), dtype=bool)
        for jacobian in example.jacobians.values():
            used.ravel()[jacobian.indices] = True
        used[: nodes.count] = True
        by_field = np.asarray(used.any(axis=1)).reshape(-1, self.fields)
        equation, *conditions = posed.regions
        alike = by_field[nodes.count :] & ~with_ghosts(equation, conditions)
        by_field[nodes.count :] &= ~alike
        self._from_unknowns = _extrapolation(system, by_field, alike)
        self._unknowns = np.flatnonzero(by_field)
        self._conditions = int(by_field[nodes.count :].any(axis=0).sum()) or self.fields
        inside = example.jacobians
        constraints = [region.name for region in posed.constraints]
        self._equations = [name for name in example.residuals if name not in constraints]
        rows = {name: self._rows(example, name, inside, 0) for name in self._equations}
        self._chosen = choose_equations(system, example, rows, by_field)
        sizes, number = system.equation_sizes(system.units), self._chosen.number
        volume = nodes.local_spacing[self._chosen.node] ** nodes.dimension
        # A null vector has the inverse units of the equations, a source theirs.
        self._worth = np.where(number >= 0, sizes[number] ** 2 / volume, 0.0)
        self._closing = constraints
        self._at_rest: csr_array | None = None
        self._border = self._close(system, example, constraints, rest)
        if self._border is None:
            self._closing = []

    def expand(self, unknowns: Floats) -> Floats:
        """Nodal values (nodes * times[, fields]) of unknowns (times, n); unused ghosts are zero."""
        u = (self._from_unknowns @ unknowns[:, : len(self._unknowns)].T).T
        return node_major(u.reshape(len(u), *self.shape))

    def restrict(self, u: Floats) -> Floats:
        """The unknowns (n,) among nodal values at one time; multipliers are zero."""
        return np.append(u.ravel()[self._unknowns], np.zeros(len(self._closing)))

    def residuals(self, at: Linearization, unknowns: Floats) -> Floats:
        """(times, equations), those that were chosen, then the constraints."""
        chosen = (self._chosen.matrix @ self._by_time(at, self._equations).T).T
        if self._border is None:
            return np.asarray(chosen)
        multipliers = unknowns[:, len(self._unknowns) :]
        chosen = chosen + (self._border.sources @ multipliers.T).T
        return np.concatenate([chosen, self._by_time(at, self._closing)], axis=1)

    def _by_time(self, at: Linearization, names: list[str]) -> Floats:
        """Residuals of some regions, (times, equations)."""
        parts = [self._slices.time_major(at.residuals[name]) for name in names]
        return np.concatenate([part.reshape(len(part), -1) for part in parts], axis=1)

    def matrix(self, at: Linearization, which: Mapping[str, csr_array], time: int = 0) -> csc_array:
        """Jacobians of one of the times, in u or in the rate, as one square matrix.

        Raises
        ------
        ValueError
            If it is not square; says of what there is too much.
        """
        matrix = self._inner(at, which, time)
        if self._border is None:
            return csc_array(matrix)
        closing = vstack([self._rows(at, name, which, time) for name in self._closing])
        return self._border.around(matrix, csr_array(closing), sources=which is at.jacobians)

    def check_compatible(self, at: Linearization, unknowns: Floats) -> None:
        """Warn if the data are not those of any solution, as far as constraints complete a system.

        Parameters
        ----------
        at : Linearization
            At the solution of a steady system.
        unknowns : (n,) array
            The solution.
        """
        if self._border is not None:
            A, r = self._inner(at, at.jacobians, 0), self._by_time(at, self._equations)[0]
            u = unknowns[: len(self._unknowns)]
            if self._at_rest is not None:
                self._check_closed_at_rest(A, at, self._at_rest)
                multipliers = unknowns[len(u) :]
                terms = self._at_rest @ u, A @ u - self._at_rest @ u
                self._border.check_small(multipliers, terms, equilibrate(A).rows)
                return
            left = A @ u - self._chosen.matrix @ r
            border = self._border if self._border.closes(A) else self._border_of(A, at)
            if border is not None:
                border.check_compatible(left, rounding=abs(A) @ np.abs(u))

    def _check_closed_at_rest(self, A: csr_array, at: Linearization, at_rest: csr_array) -> None:
        """Refuse constraints of what the equation does determine away from rest."""
        assert self._border is not None
        closing = vstack([self._rows(at, name, at.jacobians, 0) for name in self._closing])
        border = self._border
        if shares(A, at_rest, border.null, border.sources, csr_array(closing)).max() > FREE:
            raise ValueError(_too_many(self._closing))

    def _inner(self, at: Linearization, which: Mapping[str, csr_array], time: int) -> csr_array:
        """The chosen equations, without constraints, as a square matrix."""
        rows = [self._rows(at, name, which, time) for name in self._equations]
        matrix = csr_array(self._chosen.matrix @ vstack(rows, format="csr"))
        if matrix.shape[0] != matrix.shape[1]:
            raise ValueError(_not_square(at, matrix.shape, self.fields, self._conditions))
        return matrix

    def _close(
        self,
        system: DiscreteSystem,
        example: Linearization,
        constraints: list[str],
        rest: Linearization | None,
    ) -> Border | None:
        """What constraints add; None without, or where they only tell of unknown coefficients.

        Raises
        ------
        ValueError
            If the equations determine the solution without them.
        """
        if not constraints:
            return None
        A = self._inner(example, example.jacobians, 0)
        for order, rates in enumerate(example.rates, start=1):
            A = csr_array(A + self._inner(example, rates, 0) / self._slices.duration**order)
        border = self._border_of(A, example)
        if border is None and rest is not None:
            border = self._close_at_rest(rest)
        if border is None and not any(p.requires_grad for p in system.posed.pde.parameters()):
            raise ValueError(_too_many(constraints))
        return border

    def _close_at_rest(self, rest: Linearization) -> Border | None:
        """The border of what is free at rest, and hardly determined by what is not linear."""
        A = self._inner(rest, rest.jacobians, 0)
        try:
            border = self._border_of(A, rest) if np.isfinite(A.data).all() else None
        except RuntimeError:  # more is free there than the constraints close
            return None
        self._at_rest = None if border is None else A
        return border

    def _border_of(self, A: csr_array, at: Linearization) -> Border | None:
        W = vstack([self._rows(at, name, at.jacobians, 0) for name in self._closing])
        return find_border(A, csr_array(W), self._chosen.matrix, self._worth)

    def _rows(
        self, at: Linearization, name: str, which: Mapping[str, csr_array], time: int
    ) -> csr_array:
        """The equations of one region at one of the times, in the unknowns at that time."""
        count, equations = at.residuals[name].shape
        points = np.arange(count // self._slices.count)
        rows = _entries(self._slices.sites_at(points, time), equations)
        nodes, field = np.divmod(np.arange(int(np.prod(self.shape))), self.fields)
        columns = self._slices.sites_at(nodes, time) * self.fields + field
        return csr_array(which[name][rows][:, columns] @ self._from_unknowns)


def _too_many(constraints: list[str]) -> str:
    return (
        f"{len(constraints)} constraint(s), {', '.join(constraints)}, are too many for "
        "solve() and estimate(): equation and conditions determine the solution without "
        "them, or with fewer. Leave them out, or a condition; a loss may have them, as it "
        "needs no square system"
    )


def _extrapolation(
    system: DiscreteSystem, unknown: NDArray[np.bool_], alike: NDArray[np.bool_]
) -> csr_array:
    """Return nodal values on X~ as sums of the unknowns, (nodes * fields, unknowns).

    Parameters
    ----------
    system : DiscreteSystem
    unknown : (nodes of X~, fields) bool array
    alike : (ghosts, fields) bool array
        Which values on ghosts are extrapolated from those on X.
    """
    number = np.cumsum(unknown.ravel()) - 1
    own = np.flatnonzero(unknown)
    selected = csr_array(
        (np.ones(len(own)), (own, number[own])), shape=(unknown.size, int(unknown.sum()))
    )
    if not alike.any():
        return selected
    nodes, fields = system.posed.nodes, unknown.shape[1]
    to_ghosts = interpolation(
        nodes, nodes.ghost, system.order, on="collocation", **system.options
    ).to_scipy()
    parts = to_ghosts.tocoo()
    rows = ((nodes.count + parts.row)[:, None] * fields + np.arange(fields)).ravel()
    columns = number[(parts.col[:, None] * fields + np.arange(fields)).ravel()]
    wanted = alike[parts.row].ravel()
    data = np.repeat(parts.data, fields)[wanted]
    return selected + csr_array((data, (rows[wanted], columns[wanted])), shape=selected.shape)


def _entries(rows: NDArray[np.integer], width: int) -> NDArray[np.integer]:
    """Positions of whole rows in a flattened array of `width` columns."""
    return np.asarray((rows[:, None] * width + np.arange(width)).ravel())


def _not_square(at: Linearization, shape: tuple[int, int], fields: int, conditions: int) -> str:
    counts = ", ".join(f"{r.shape[1]} in {name!r}" for name, r in at.residuals.items())
    remedy = (
        "An equation of fourth order has two conditions for its one unknown: for solve() and "
        "estimate() write it as two of second order, v = Laplacian u and Laplacian v = f with "
        "fields = 2. It can be trained as it stands: a loss needs no square system"
        if max(r.shape[1] for r in at.residuals.values()) > fields
        else "A field that no spatial operator acts on takes no condition, any other takes one"
    )
    return (
        f"the discrete system is not square: {shape[0]} equations for {shape[1]} unknowns. It "
        f"needs {fields} equation(s) at every node of X and {conditions} condition(s) at every "
        f"node of the boundary; there are {counts}. {remedy}"
    )


def generic_values(system: DiscreteSystem, shape: tuple[int, ...]) -> Floats:
    """Nodal values at which no slope is zero by chance, of the size that fields are expected in."""
    values = np.linspace(0.5, 1.5, int(np.prod(shape))).reshape(shape)
    return np.asarray(values * (system.units if len(shape) > 1 else system.units[0]))


def starting_values(posed: Posed, guess: Any) -> Floats:
    """Return values on X~, at the first of the times, from values on X~ or X.

    Values on X stand for their ghosts as well: each starts from its boundary node. None: zeros.
    """
    nodes, shape, slices = posed.nodes, posed.nodal_shape, posed.slices
    if guess is None:
        return np.zeros(shape)
    if isinstance(guess, Tensor):
        guess = guess.detach().cpu().numpy()
    values = np.array(guess, dtype=np.float64)
    on_x, everywhere = ((n * slices.count, *shape[1:]) for n in (nodes.count, len(nodes.extended)))
    if values.shape not in (on_x, everywhere):
        raise ValueError(
            f"guess must be a model, or values of shape {everywhere} on X~ or {on_x} on X, "
            f"got {values.shape}"
        )
    values = slices.initial(values)
    return posed.with_ghosts(values) if len(values) == nodes.count else values
