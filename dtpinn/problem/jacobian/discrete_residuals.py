"""A discrete problem as Gauss-Newton sees it: weighted residuals, and A = S J by a sparse product.

The loss is a sum of squares, 1/(Ni+Nb) |r_pde|^2 + 1/Nb |r_boundary|^2, equation (12), so with the
weights taken into the residuals it is |r|^2. A residual depends on the model through the nodal
values alone: its Jacobian in them is the sparse S of `linearize`, theirs in the parameters is the
model's J. No derivative of the network in space occurs, where a vanilla PINN needs the third.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Protocol

import numpy as np
import scipy.sparse
import torch
from scipy.sparse import csr_array
from torch import Tensor, nn

from dtpinn.problem.jacobian.data_rows import DataRows
from dtpinn.problem.jacobian.linearize import Linearization
from dtpinn.problem.jacobian.loss_scales import loss_scales
from dtpinn.problem.jacobian.model_jacobian import ModelJacobian, with_rates
from dtpinn.problem.problem import Problem

# A model is taken for pointwise unless its values at so many points alone differ by this fraction
# from those among all points: far above rounding, far below any mixing.
_FEW, _MIXED = 3, 1e-3
# By what fraction the Jacobian may differ from automatic differentiation: weights of 1/h^4 leave
# that much of float64, and those of 1/h^2 that much of float32.
_DISAGREES = {torch.float64: 1e-4, torch.float32: 0.1}


class Affine(Protocol):
    """Weighted residuals of nodal values that are S u + c, evaluated as such."""

    matrix: csr_array

    def __call__(self) -> Tensor:
        """Return them and those of data (m,), at the model's present values."""
        ...


class DiscreteResiduals:
    """The weighted residuals of a model on a discrete problem, with their Jacobian.

    What :meth:`DiscreteProblem.least_squares` returns; for ``dtpinn.optim.GaussNewton``.

    Parameters
    ----------
    problem : Problem
    linearize : callable
        ``linearize(u, *rates)`` at nodal values on X~: :meth:`DiscreteProblem.linearize`.
    inputs : callable
        ``inputs()``: X~ as the model takes it, on the problem's present device.
    model : nn.Module

    Attributes
    ----------
    parameters : list of Tensor
        What is learnt, in the order of the Jacobian's columns: the model's parameters, then the
        unknown coefficients of the equation.
    evaluations : int
        Residuals and Jacobians asked for so far.
    affine : callable, optional
        The same residuals as one product, where somebody knows that they are: S is constant then,
        and where no parameter has changed the residuals are those of before, until `forget`.
    """

    affine: Affine | None = None
    _last: tuple[list[tuple[int, int]], Tensor] | None  # where parameters were written, residuals

    def __init__(
        self,
        problem: Problem,
        linearize: Callable[..., Linearization],
        inputs: Callable[[], Tensor],
        model: nn.Module,
    ) -> None:
        if not isinstance(model, nn.Module):
            raise TypeError(
                f"least_squares: the model must be a torch.nn.Module, got {type(model).__name__}"
            )
        self._problem, self._model = problem, model
        self._at_nodal, self._inputs = linearize, inputs
        self._of_model = _learnt(model)
        self._of_pde = _learnt(problem.pde)
        self.parameters = [*self._of_model.values(), *self._of_pde.values()]
        self.evaluations = 0
        self._prepare()

    def _prepare(self) -> None:
        """Everything that is of the problem's dtype and on its device."""
        problem, model = self._problem, self._model
        self._scales: dict[str, Tensor] | None = None
        self._jacobian_checked = False
        self._points = self._inputs()
        self._of_values = ModelJacobian(
            model, self._of_model, self._points, problem.pde.field_count,
            time_order=problem.posed.time_order,
        )  # fmt: skip
        self._kept: tuple[list[csr_array], csr_array] = [], csr_array((0, 0))
        self._of_data = DataRows(problem, model, self._of_model)
        self._nodal = [region.name for region in problem.posed.nodal]
        self._held = [*model.parameters(), *model.buffers()]
        self.forget()

    def _follow(self) -> None:
        """Go where the problem went, if it was given another dtype or device since."""
        if (self._points.dtype, self._points.device) != (self._problem.dtype, self._problem.device):
            self._prepare()

    @property
    def sizes(self) -> list[int]:
        """Rows of each residual, in their order; known after the first evaluation."""
        return [scale.numel() for scale in (self._scales or {}).values()]

    def residual(self) -> Tensor:
        """Return the weighted residuals (m,): the sum of their squares is the problem's loss."""
        self.evaluations += 1
        self._size_up()
        if self.affine is None:
            return self._weighted(self._problem.residuals(self._model)).detach()
        written = [(held.data_ptr(), held._version) for held in self._held]
        if self._last is None or self._last[0] != written:
            self._last = written, self.affine().detach()
        return self._last[1].clone()

    def forget(self) -> None:
        """Compute the residuals anew, for the model may have changed beside its parameters."""
        self._last = None

    def jacobian(self, rows: Tensor | None = None) -> Tensor:
        """Return A (m, p) at the present parameters, or some of its rows.

        Raises
        ------
        ValueError
            If a residual couples points, or if it contradicts automatic differentiation, as the
            first one is asked; names the residual.
        """
        self.evaluations += 1
        self._size_up()
        assert self._scales is not None
        nodal, others = self._split(rows)
        S = self._matrix()
        if nodal is not None:
            S = S[nodal.cpu().numpy()]
        columns = []
        if self._of_model:
            A, apart = self._of_values.product(S), self._of_data(self._scales, others)
            columns.append(torch.cat([A, *apart]) if apart else A)  # nothing to copy
        for slope in self._along_coefficients():
            columns.append((slope if rows is None else slope[rows])[:, None])
        A = columns[0] if len(columns) == 1 else torch.cat(columns, dim=1)
        if not self._jacobian_checked:
            self._check_jacobian(A, rows)
            self._jacobian_checked = True
        return A

    def _check_jacobian(self, A: Tensor, rows: Tensor | None) -> None:
        """Refuse a Jacobian that is not the derivative of the residuals, by two backward passes.

        Not along the residuals, whose gradient vanishes at a minimum, but along random signs.
        """
        count = len(A)
        signs = 2.0 * torch.randint(0, 2, (count,), generator=torch.Generator().manual_seed(0)) - 1
        signs = signs.to(A)
        kind = torch.repeat_interleave(torch.arange(len(self.sizes)), torch.tensor(self.sizes))
        kind = (kind if rows is None else kind[rows.cpu()]).to(A.device)
        with torch.enable_grad():
            r = self._weighted(self._problem.residuals(self._model))
            r = r if rows is None else r[rows]

        @torch.enable_grad()
        def off(seed: Tensor) -> float:
            gradients = torch.autograd.grad(
                (r * seed).sum(), self.parameters, retain_graph=True, allow_unused=True,
                materialize_grads=True,
            )  # fmt: skip
            wanted = torch.cat([g.flatten() for g in gradients])
            return float((A.T @ seed - wanted).norm() / wanted.norm().clamp_min(1e-300))

        allowed = _DISAGREES[A.dtype]
        if not r.requires_grad or not off(signs) > allowed:
            return
        assert self._scales is not None
        parts = {name: off(signs * (kind == k)) for k, name in enumerate(self._scales)}
        worst = max(parts, key=lambda name: parts[name])
        raise ValueError(
            f"Gauss-Newton: the Jacobian of the residual {worst!r} differs from automatic "
            f"differentiation, by {parts[worst]:.2g} of its size: it depends on the parameters of "
            f"{type(self._model).__name__} by another way than the values at the nodes, or the "
            "model mixes points. Train it with optimizer='lbfgs', whose gradient is right"
        )

    @torch.no_grad()
    def _check_pointwise(self) -> None:
        """Refuse a model whose Jacobian cannot be taken point by point."""
        together = self._problem.evaluate(self._model, self._points)[:_FEW]
        apart = self._problem.evaluate(self._model, self._points[:_FEW])
        difference, size = float((together - apart).abs().max()), float(together.abs().max())
        if difference > _MIXED * size:
            raise ValueError(
                f"Gauss-Newton: {type(self._model).__name__} has other values at the first {_FEW} "
                f"points alone than among all points, by {difference:.3g} of {size:.3g}; its "
                "layers must work on each point by itself, without statistics of the batch and "
                "without dropout (model.eval() where that is enough)"
            )

    # The weights of the loss

    def weighted(self, residuals: dict[str, Tensor]) -> Tensor:
        """Return the problem's residuals, of whatever derivatives, as the loss weights them: (m,).

        Differentiable.
        """
        self._size_up()
        return self._weighted(residuals)

    def weighted_rows(self, rows: dict[str, Tensor]) -> Tensor:
        """Return rows of a Jacobian, each (rows, k), in the order of the residuals: (m, k)."""
        self._size_up()
        assert self._scales is not None
        return torch.cat([self._scales[name][:, None] * block for name, block in rows.items()])

    def _size_up(self) -> None:
        """See that the weights are known, of the problem as it is now."""
        self._follow()
        if self._scales is not None:
            return
        self._check_pointwise()
        residuals = self._problem.residuals(self._model)
        scales = loss_scales(self._problem, self._model, residuals)
        # Those of nodal values first: they are the rows of S.
        names = [*self._nodal, *(name for name in scales if name not in self._nodal)]
        self._scales = {name: scales[name] for name in names}

    def _weighted(self, residuals: dict[str, Tensor]) -> Tensor:
        assert self._scales is not None
        return torch.cat([self._scales[name] * r.reshape(-1) for name, r in residuals.items()])

    # S: the derivative in the nodal values, and in space-time in their rates

    def _matrix(self) -> csr_array:
        """S, (m, points * features): the very same object for as long as it does not change."""
        assert self._scales is not None
        if self.affine is not None:
            return self.affine.matrix
        at = self._linearize()
        parts = [at.jacobians[name] for name in self._nodal]
        parts += [rates[name] for rates in at.rates for name in self._nodal]
        before, S = self._kept
        if len(parts) == len(before) and all(a is b for a, b in zip(parts, before, strict=True)):
            return S
        count = len(self._nodal)
        by_order = [
            scipy.sparse.vstack(parts[first : first + count], format="csr")
            for first in range(0, len(parts), count)
        ]
        S = _interleaved(by_order, self._problem.pde.field_count)
        scales = np.concatenate([self._scales[name].cpu().numpy() for name in self._nodal])
        weighted = S.data * np.repeat(scales, np.diff(S.indptr))
        S = csr_array((weighted, S.indices, S.indptr), shape=S.shape)
        self._kept = parts, S
        return S

    def _linearize(self) -> Linearization:
        problem, order = self._problem, self._problem.posed.time_order
        with torch.no_grad():
            together = problem.evaluate_with_rate if order == 1 else (lambda *_: None)
            rates = together(self._model, self._points) or with_rates(
                lambda x: problem.evaluate(self._model, x), self._points, order
            )
        return self._at_nodal(*(v.double().cpu().numpy() for v in rates))

    # Residuals at points of their own: data

    def _split(self, rows: Tensor | None) -> tuple[Tensor | None, Tensor | None]:
        """Which rows of S are wanted, and which of the data; None for all."""
        assert self._scales is not None
        count = sum(self._scales[name].numel() for name in self._nodal)
        if rows is None:
            return None, None
        apart = rows >= count
        if bool(apart.any()) and not bool((apart.diff() >= 0).all()):
            raise ValueError("jacobian: rows must be in the order of the residuals")
        return rows[~apart], rows[apart].cpu() - count

    # The unknown coefficients

    def _along_coefficients(self) -> Iterator[Tensor]:
        """The derivative of the weighted residuals in every coefficient, (m,), one after another.

        Backward twice: the gradient is linear in the seed it starts from, and its derivative in the
        seed is the column. Unlike forward mode that replaces nothing, so a coefficient may stand
        anywhere and more than once: inside ``D.laplacian(lambda u, x: k * u)``, in the equation and
        in a condition, in a function that has captured it.
        """
        if not self._of_pde:
            return
        with torch.enable_grad():
            r = self._weighted(self._problem.residuals(self._model))
            seed = torch.zeros_like(r, requires_grad=True)
            gradients = torch.autograd.grad(
                (r * seed).sum(), list(self._of_pde.values()), create_graph=True,
                allow_unused=True, materialize_grads=True,
            )  # fmt: skip
            # The zero makes those part of the graph that nothing depends on.
            entries = torch.cat([g.flatten() for g in gradients]) + 0.0 * seed.sum()
            for entry in entries:
                yield torch.autograd.grad(entry, seed, retain_graph=True)[0]


def _learnt(module: nn.Module) -> dict[str, Tensor]:
    return {name: p for name, p in module.named_parameters() if p.requires_grad}


def _interleaved(by_order: list[csr_array], fields: int) -> csr_array:
    """Jacobians side by side, with the rates of a point's fields after their values."""
    if len(by_order) == 1:
        return by_order[0]
    columns = np.arange(by_order[0].shape[1])
    place = columns // fields * len(by_order) * fields + columns % fields
    both = scipy.sparse.hstack(by_order, format="csr")
    order = np.concatenate([place + k * fields for k in range(len(by_order))])
    return csr_array((both.data, order[both.indices], both.indptr), shape=both.shape)
