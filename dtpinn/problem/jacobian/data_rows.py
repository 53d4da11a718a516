"""The Jacobian of data in the model's parameters: at points of their own, so by the model alone."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import torch
from scipy.sparse import csr_array
from torch import Tensor, nn

from dtpinn.problem.data_regions import DataRegion
from dtpinn.problem.jacobian.backward_rows import backward_rows
from dtpinn.problem.jacobian.model_jacobian import ModelJacobian
from dtpinn.problem.pointwise import checked_diagonals
from dtpinn.problem.problem import Problem
from dtpinn.problem.time_slices import with_time


class DataRows:
    """Rows of A for the data of a problem, by name of their residuals.

    Parameters
    ----------
    problem : Problem
    model : nn.Module
        Pointwise.
    parameters : dict of name to Tensor
        Of the model, those of the columns.
    """

    def __init__(self, problem: Problem, model: nn.Module, parameters: dict[str, Tensor]) -> None:
        self._problem, self._model, self._parameters = problem, model, parameters
        self._of_values = {
            region.name: ModelJacobian(
                model, parameters, with_time(region.points, region.time), problem.pde.field_count
            )
            for region in problem.posed.data
            if not region.differentiates
        }

    def __call__(self, scales: Mapping[str, Tensor], rows: Tensor | None) -> list[Tensor]:
        """Return the rows of each set of data, scaled, or those asked for, counted over all."""
        found, first = [], 0
        for region in self._problem.posed.data:
            scale = scales[region.name]
            some = None
            if rows is not None:
                some = rows[(rows >= first) & (rows < first + len(scale))] - first
            first += len(scale)
            way = self._of_derivatives if region.differentiates else self._of_model_values
            found.append(way(region, scale, some))
        return found

    def _of_model_values(self, region: DataRegion, scale: Tensor, rows: Tensor | None) -> Tensor:
        """Of the model's values: the Jacobian of these, as at nodes."""
        with torch.no_grad():
            points = with_time(region.points, region.time)
            u = self._problem.evaluate(self._model, points)
        told = region.name, region.function
        with torch.enable_grad():
            u = u.detach().requires_grad_()
            r = region.residual(u, None)
            columns = r[:, None] if r.dim() == 1 else r
            slopes = [checked_diagonals(column, [u], *told)[0] for column in columns.unbind(1)]
        outer = np.stack(slopes, axis=1)  # (m, columns, fields)
        count, width, fields = outer.shape
        place = np.arange(count)[:, None] * fields + np.arange(fields)
        indices = np.repeat(place[:, None], width, axis=1).ravel()
        weights = outer * scale.reshape(count, width, 1).cpu().numpy()
        starts = np.arange(count * width + 1) * fields
        S = csr_array((weights.ravel(), indices, starts), shape=(count * width, count * fields))
        S = S if rows is None else csr_array(S[rows.cpu().numpy()])
        return self._of_values[region.name].product(S)

    def _of_derivatives(self, region: DataRegion, scale: Tensor, rows: Tensor | None) -> Tensor:
        """Of derivatives of the model: backward from each row."""
        with torch.enable_grad():
            r = scale * self._problem.automatic_residual(self._model, region).reshape(-1)
        return backward_rows(r, list(self._parameters.values()), rows)
