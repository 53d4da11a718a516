"""The vanilla PINN of the paper's scripts: a backward pass for every single derivative.

They hold the coordinates in tensors of their own, so u_x and u_y are two passes where one would do.
How much of a DT-PINN's speed-up rests on that is what it is here to tell.
"""

from __future__ import annotations

import torch

from dtpinn.operators import Operator, Space
from dtpinn.pde import Derivatives
from dtpinn.pde.arguments import check_argument
from dtpinn.pde.row_gradients import row_gradients
from dtpinn.problem import AutomaticProblem


class TwoPasses(AutomaticProblem):
    """Residuals of one field by derivatives in one coordinate at a time."""

    def _residual(self, model, region):
        columns = [c.detach().clone().requires_grad_() for c in region.points.unbind(1)]
        if region.time is not None:
            columns.append(region.time.detach().clone().requires_grad_())
        u = self.evaluate(model, torch.stack(columns, dim=1))
        return region.function(u, _Columns(region, u, columns), *region.data)


class _Columns(Derivatives):
    """``D`` of the unknown itself; each derivative is computed once."""

    def __init__(self, region, u, columns):
        self.dimension = region.points.shape[1]
        self._u, self._columns = u, columns
        self._place = Space(self.dimension, region.normals)
        self._known = {(): u}
        self.state = (u, *region.at)

    def apply(self, operator: Operator, of):
        check_argument(of, self._u, operator.name)
        terms = operator.terms_at(self._place)
        return sum(c * self._along(*_axes(alpha)) for alpha, c in terms.items())

    def rate(self, of, order):
        check_argument(of, self._u, "time")
        return self._along(*[self.dimension] * order)

    def _along(self, *axes):
        if axes not in self._known:
            lower = self._along(*axes[:-1])
            self._known[axes] = row_gradients(lower, self._columns[axes[-1]])
        return self._known[axes]


def _axes(alpha):
    return [axis for axis, order in enumerate(alpha) for _ in range(order)]
