"""Residuals by automatic differentiation, with the Jacobian that the matrices give."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from dtpinn.problem.automatic_problem import AutomaticProblem
from dtpinn.problem.jacobian.discrete_residuals import Affine, DiscreteResiduals
from dtpinn.problem.jacobian.last_layer import LastLayer


class CorrectedResiduals:
    """The residuals of a discrete problem without the error of its matrices.

    What :meth:`DiscreteProblem.corrected_least_squares` returns; for
    ``dtpinn.optim.DefectCorrection``. Both kinds are of the same points, in the same order and with
    the same weights.

    Parameters
    ----------
    discrete : DiscreteResiduals
    exact : AutomaticProblem
        The same with exact derivatives: :func:`~dtpinn.problem.exact_twin.exact_twin`.
    model : nn.Module

    Attributes
    ----------
    evaluations : int
        Residuals, Jacobians and gradients computed so far.
    exact : AutomaticProblem
    """

    def __init__(
        self, discrete: DiscreteResiduals, exact: AutomaticProblem, model: nn.Module
    ) -> None:
        self._discrete, self.exact, self._model = discrete, exact, model
        self.evaluations = 0

    @property
    def parameters(self) -> Sequence[Tensor]:
        """What is learnt, in the order of the Jacobian's columns."""
        return self._discrete.parameters

    @property
    def sizes(self) -> Sequence[int]:
        """Rows of each residual, in their order; known after the first evaluation."""
        return self._discrete.sizes

    @property
    def affine(self) -> Affine | None:
        """Of the discrete residuals, whose matrix does not change then."""
        return self._discrete.affine

    @affine.setter
    def affine(self, affine: Affine | None) -> None:
        self._discrete.affine = affine

    @torch.no_grad()
    def residual(self) -> Tensor:
        """Return the weighted residuals (m,)."""
        return self._weighted().detach()

    def jacobian(self, rows: Tensor | None = None) -> Tensor:
        """Return that of the discrete residuals (m, p), or some of its rows."""
        self.evaluations += 1
        return self._discrete.jacobian(rows)

    @torch.enable_grad()
    def gradient(self) -> Tensor:
        """Return half the gradient of the sum of squares (p,), exactly."""
        half = 0.5 * self._weighted().square().sum()
        gradients = torch.autograd.grad(
            half, list(self.parameters), allow_unused=True, materialize_grads=True
        )
        return torch.cat([g.reshape(-1) for g in gradients])

    def last_layer(self) -> tuple[list[Tensor], Tensor]:
        """Return the weights of the model's last layer, and the exact Jacobian in them (m, size).

        Raises
        ------
        ValueError
            If there is none to be had: see :class:`~dtpinn.problem.jacobian.last_layer.LastLayer`.
        """
        self.evaluations += 1
        layer = LastLayer(self.exact, self._model)
        return layer.parameters, self._discrete.weighted_rows(layer.jacobian())

    def _weighted(self) -> Tensor:
        self.evaluations += 1
        return self._discrete.weighted(self.exact.residuals(self._model))
