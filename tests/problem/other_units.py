"""An equation in other units: the same problem, other numbers."""

from __future__ import annotations

import torch

import dtpinn
from dtpinn.pde import Derivatives


class InUnits(dtpinn.PDE):
    """A dimensionless equation on a domain `length` times as large, with its unknown in `unknown`.

    u = unknown v, x = length y, t = time s, where v, y and s are those of the twin. The equation's
    residual is multiplied by `equation`, a number or one for each, and the conditions are divided
    by it: they have other units.
    """

    def __init__(self, twin, *, length=1.0, unknown=1.0, equation=1.0, time=1.0):
        super().__init__()
        self.twin, self.fields = twin, twin.fields
        self.length, self.duration = length, time
        unknown, equation = (torch.tensor(v, dtype=torch.float64) for v in (unknown, equation))
        self.register_buffer("equation", equation)
        self.register_buffer("unknown", unknown)

    def _call(self, function, u, D, x, *others):
        v = u / self.unknown
        *normal, t = others if self.twin_in_time else (*others, None)
        after = [] if t is None else [t / self.duration]
        return function(v, _Twin(self, D, u, v), x / self.length, *normal, *after)

    twin_in_time = False

    def residual(self, u, D, x, *t):
        return self.equation * self._call(self.twin.residual, u, D, x, *t)

    def boundary(self, u, D, x, n, *t):
        return self._call(self.twin.boundary, u, D, x, n, *t) / self.equation

    def conditions(self):
        def moved(condition):
            return lambda u, D, x, n, *t: self._call(condition, u, D, x, n, *t) / self.equation

        return {part: moved(condition) for part, condition in self.twin.conditions().items()}

    def initial(self, u, D, x):
        v = u / self.unknown
        return self.twin.initial(v, _Twin(self, D, u, v), x / self.length) / self.equation


class InUnitsAndTime(InUnits):
    twin_in_time = True


class _Twin(Derivatives):
    """The twin's ``D``, from that of the equation in other units."""

    def __init__(self, units, D, u, v):
        self.dimension, self._units, self._D, self._u, self._v = D.dimension, units, D, u, v
        x, *t = D.state[1:]
        self.state = (v, x / units.length, *(s / units.duration for s in t))

    def apply(self, operator, of):
        return self._units.length**operator.order * self._of(
            of, lambda f: self._D.apply(operator, f)
        )

    def rate(self, of, order):
        return self._units.duration**order * self._of(of, lambda f: self._D.rate(f, order))

    def _of(self, of, derivative):
        units = self._units
        if of is self._v:
            return derivative(self._u) / units.unknown
        return derivative(
            lambda u, x, *t: of(
                u / units.unknown, x / units.length, *(s / units.duration for s in t)
            )
        )
