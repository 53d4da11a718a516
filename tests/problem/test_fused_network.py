"""Training with the fused network: the same losses, gradients, Jacobians and curves as by torch."""

from __future__ import annotations

import pytest
import torch

import dtpinn
from dtpinn.models import MLP
from dtpinn.pde.solutions import sine_cosine
from dtpinn.problem.jacobian.model_jacobian import ModelJacobian

NODES = dtpinn.place_nodes(dtpinn.geometry.Disk(), spacing=0.25, seed=0)
TIMES = torch.linspace(0.0, 1.0, 4, dtype=torch.float64)


class Diffusing(dtpinn.PDE):
    """u_t = Lap u + f; or, once `as_function` or `twice` is set, other derivatives in time."""

    as_function = twice = False

    def residual(self, u, D, x, t):
        if self.twice:
            return D.time(u, 2) - D.laplacian(u)
        rate = D.time(lambda u, x, t: t * u**2) if self.as_function else D.time(u)
        return rate - D.laplacian(u) - torch.sin(x[:, 0] + t)

    def boundary(self, u, D, x, n, t):
        return u

    def initial(self, u, D, x):
        return u


def pair(inputs, **shape):
    models = [MLP(inputs, **{"width": 13, "depth": 2, "seed": 0, **shape}) for _ in range(2)]
    models[1].fused = False
    return models


def loss_and_gradients(problem, model):
    loss = problem.loss(model)
    return [loss.detach(), *torch.autograd.grad(loss, list(model.parameters()))]


def same(a, b, tolerance=1e-11):
    for ours, theirs in zip(a, b, strict=True):
        assert float((ours - theirs).norm()) <= tolerance * float(theirs.norm())


def test_loss_and_gradients_in_space_time(monkeypatch):
    problem = dtpinn.discretize(Diffusing(), NODES, order=3, times=TIMES)
    calls = []
    original = MLP.value_and_rate
    monkeypatch.setattr(
        MLP, "value_and_rate", lambda self, x: calls.append(original(self, x)) or calls[-1]
    )
    fused, plain = pair(3)
    same(loss_and_gradients(problem, fused), loss_and_gradients(problem, plain))
    assert [both is not None for both in calls] == [True, False]


@pytest.mark.parametrize("fused", [True, False])
def test_a_model_that_does_not_fit_is_told_so_by_itself(fused):
    problem = dtpinn.discretize(Diffusing(), NODES, order=3, times=TIMES)
    for model, error, message in [
        (MLP(2), ValueError, r"MLP: expected points of shape \(n, 2\), got \(\d+, 3\)"),
        (MLP(3).float(), TypeError, "MLP: the points are .*64 but the weights are .*32"),
    ]:
        model.fused = fused
        with pytest.raises(error, match=message):
            problem.loss(model)


@pytest.mark.parametrize("branch", ["as_function", "twice"])
def test_a_residual_that_takes_other_rates_than_at_first(branch):
    """Values that came with their rate have no graph in time, and are not constant for that."""
    pde = Diffusing()
    problem = dtpinn.discretize(pde, NODES, order=3, times=TIMES)
    setattr(pde, branch, True)
    fused, plain = pair(3)
    same(loss_and_gradients(problem, fused), loss_and_gradients(problem, plain))


@pytest.mark.parametrize("fields", [1, 2])
@pytest.mark.parametrize("time_order", [0, 1, 2])
def test_jacobian_of_the_model_also_where_some_parameters_are_frozen(fields, time_order):
    x = torch.rand(9, 3)
    for frozen in ((), ("layers.1.weight", "layers.0.bias")):
        jacobians = [
            ModelJacobian(
                model, {n: p for n, p in model.named_parameters() if n not in frozen}, x, fields,
                time_order=time_order,
            )._at(x).detach()
            for model in pair(3, fields=fields)
        ]  # fmt: skip
        same(*([j] for j in jacobians), tolerance=1e-12)


@pytest.mark.parametrize("optimizer", ["lbfgs", "gauss-newton"])
def test_the_curve_of_the_loss_is_the_same_to_round_off(optimizer):
    pde = dtpinn.Poisson.from_solution(sine_cosine)
    problem = dtpinn.discretize(pde, NODES, order=3)
    curves = [
        torch.tensor(dtpinn.fit(m, problem, 3, optimizer=optimizer, every=1).history.column("loss"))
        for m in pair(2)
    ]
    assert len(curves[0]) > 2
    torch.testing.assert_close(*curves, rtol=1e-7, atol=0.0)  # L-BFGS amplifies round-off
