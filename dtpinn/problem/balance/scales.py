"""What size the unknown has, from the equation and its data alone."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components

from dtpinn.arrays import Floats
from dtpinn.problem.balance.sensitivity import Sensitivity, in_tune, sensitivities
from dtpinn.problem.balance.wavenumbers import Wavenumbers, of_domain
from dtpinn.problem.posed import Posed

# Of the largest in its row and in its column: smaller sizes couple nothing.
_NOTHING = 1e-10
# Singular values of the fit of a constant, in natural units, below which a direction is open.
_OPEN = 1e-6

# Of the data, in units of the dtype's rounding: what a constant leaves of them below is rounding.
_ROUNDING = 100.0


@dataclass(frozen=True)
class FieldScales:
    """``u = centre + unit * v`` with a v of about 1.

    Attributes
    ----------
    centre, unit : (fields,) array
        In the units of each field; `unit` is positive.
    """

    centre: Floats
    unit: Floats


def field_scales(posed: Posed) -> FieldScales:
    """Estimate centre and size of every field.

    The centre is the constant that comes nearest to fulfilling all equations. What it leaves of
    them, divided by their sizes for a wave as long as the domain, is the size of the solution. For
    several fields the sizes are a table, equations by fields, whose rows and columns are brought
    to 1 as far as can be: so a displacement that goes with a temperature has its size from it, even
    where no datum says anything of the displacement itself.

    Both follow the units: in others, of length, time, the unknown or the equations, they are the
    same numbers of those. Where there are no data at all, nothing tells a size, and it is 1.
    """
    zero = np.zeros(posed.pde.field_count)
    here = sensitivities(posed, zero)
    at = in_tune(of_domain(posed.nodes, posed.slices), here)
    table = _Table(here, at)
    centre = table.nearest_constant(here)
    there = sensitivities(posed, centre)
    if not table.amplitude(there).sum() < table.amplitude(here).sum():  # also for NaN
        centre, there = zero, here
    amplitude, whole = table.amplitude(there), table.amplitude(here)
    # A constant that fulfils everything to rounding leaves nothing to take a size from but its own.
    rounding = _ROUNDING * torch.finfo(posed.dtype).eps
    amplitude = np.where(amplitude > rounding * whole, amplitude, whole)
    unit = np.where(amplitude > 0.0, table.columns * amplitude, 1.0)
    return FieldScales(centre, np.where(np.isfinite(unit), unit, 1.0))


class _Table:
    """Sizes of equations by fields, and the scales that bring them to 1.

    Attributes
    ----------
    rows : (equations,) array
        Of all residuals, one after another; 0 where an equation depends on no field.
    columns : (fields,) array
    """

    def __init__(self, at_state: dict[str, Sensitivity], at: Wavenumbers) -> None:
        sizes = np.concatenate([s.sizes(at) for s in at_state.values()])
        sizes = np.where(np.isfinite(sizes), sizes, 0.0)
        largest = np.minimum(sizes.max(axis=1, keepdims=True), sizes.max(axis=0, keepdims=True))
        i, j = np.nonzero(sizes > _NOTHING * largest)
        count, fields = sizes.shape
        # Least squares of the logarithms (Curtis and Reid): exact, as the table is small.
        design = np.zeros((len(i), count + fields))
        design[np.arange(len(i)), i] = design[np.arange(len(i)), count + j] = 1.0
        logs = np.linalg.lstsq(design, -np.log(sizes[i, j]), rcond=None)[0]
        self.rows = np.where(np.isin(np.arange(count), i), np.exp(logs[:count]), 0.0)
        self.columns = np.exp(logs[count:])
        graph = csr_array((np.ones(len(i)), (i, count + j)), shape=(count + fields,) * 2)
        self._component = connected_components(graph, directed=False)[1]
        self._measure(at_state)

    def _measure(self, at_state: dict[str, Sensitivity]) -> None:
        """Divide by the data, so that fields which have nothing to do with each other compare.

        Within what hangs together, the logarithms leave one common factor open.
        """
        equations, fields = np.split(self._component, [len(self.rows)])
        once = dict(zip(fields.tolist(), self.amplitude(at_state).tolist(), strict=True))
        for which, amplitude in once.items():
            if np.isfinite(amplitude) and amplitude > 0.0:
                self.rows[equations == which] /= amplitude
                self.columns[fields == which] *= amplitude

    def amplitude(self, at_state: dict[str, Sensitivity]) -> Floats:
        """(fields,): the largest residual of the equations that a field takes part in.

        Directly or by way of others, in natural units.
        """
        rms = self.rows * np.concatenate([s.rms for s in at_state.values()])
        equations, fields = np.split(self._component, [len(self.rows)])
        return np.array([rms[equations == which].max(initial=0.0) for which in fields])

    def nearest_constant(self, at_state: dict[str, Sensitivity]) -> Floats:
        """(fields,): least squares over all points, each residual by its mean."""
        fields = len(self.columns)
        left, right, first = np.zeros((fields, fields)), np.zeros(fields), 0
        for s in at_state.values():
            rows = self.rows[first : first + s.values.shape[1]]
            first += len(rows)
            slopes, values = s.own * rows[:, None] * self.columns, s.values * rows
            left += np.einsum("nef,neg->fg", slopes, slopes) / len(values)
            right -= np.einsum("nef,ne->f", slopes, values) / len(values)
        if not (np.isfinite(left).all() and np.isfinite(right).all()):
            return np.zeros(fields)
        found = np.linalg.pinv(left, rcond=_OPEN, hermitian=True) @ right
        return np.asarray(self.columns * found)
