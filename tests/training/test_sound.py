"""Losses that are no functions, and models that mix points, are named before training."""

from __future__ import annotations

import functools
from itertools import product

import pytest
import torch
from torch import nn

import dtpinn
from dtpinn.optim import LBFGS, GaussNewton
from tests.marks import mostly_full

COMPARING = ["lbfgs", "gauss-newton", functools.partial(torch.optim.LBFGS, lr=0.1)]
Adam = functools.partial(torch.optim.Adam, lr=1e-2)


def network(layer):
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(2, 8), nn.Tanh(), layer, nn.Linear(8, 1)).double()


class Noisy(dtpinn.PDE):
    def residual(self, u, D, x):
        return D.laplacian(u) + 1 + 1e-3 * torch.rand(len(x), dtype=x.dtype)

    def boundary(self, u, D, x, n):
        return u


@pytest.mark.parametrize("optimizer", mostly_full(COMPARING, {"lbfgs"}.__contains__))
def test_dropout_is_named_and_the_remedies_work(optimizer, problem):
    model = network(nn.Dropout(0.1))
    with pytest.raises(ValueError, match=r"not the same twice.* Dropout \(2\) in train mode.*eval"):
        dtpinn.fit(model, problem, epochs=5, optimizer=optimizer)
    result = dtpinn.fit(model.eval(), problem, epochs=5, optimizer=optimizer)
    assert result.loss < result.history[0].loss
    result = dtpinn.fit(network(nn.Dropout(0.1)), problem, epochs=50, optimizer=Adam)
    assert result.loss < result.history[0].loss


@pytest.mark.parametrize("optimizer", mostly_full(COMPARING, {"gauss-newton"}.__contains__))
def test_a_residual_that_draws_numbers_is_named(optimizer, nodes, model):
    for make in (dtpinn.discretize, dtpinn.vanilla)[: 1 + (optimizer != "gauss-newton")]:
        with pytest.raises(ValueError, match="the residual 'pde' has other values each time"):
            dtpinn.fit(model, make(Noisy(), nodes), epochs=5, optimizer=optimizer)
    result = dtpinn.fit(model, dtpinn.discretize(Noisy(), nodes), epochs=20, optimizer=Adam)
    assert result.loss < result.history[0].loss


class Shaky(dtpinn.MLP):
    def forward(self, x):
        return super().forward(x) + 1e-4 * torch.rand(len(x), dtype=x.dtype)


def test_a_model_that_draws_numbers_is_named(problem):
    with pytest.raises(ValueError, match="Shaky has other values each time"):
        dtpinn.fit(Shaky(2, width=4, depth=1), problem, epochs=5)


@pytest.mark.parametrize(
    ("make", "optimizer"),
    mostly_full(
        product([dtpinn.discretize, dtpinn.vanilla], ["lbfgs", Adam]),
        lambda case: (case[0] is dtpinn.vanilla) == (case[1] is Adam),
    ),
)
def test_statistics_of_the_batch_are_named_and_the_remedies_work(make, optimizer, nodes, problem):
    own = make(problem.pde, nodes)
    with pytest.raises(ValueError, match=r"BatchNorm1d \(2\) in train mode.*eval.*LayerNorm"):
        dtpinn.fit(network(nn.BatchNorm1d(8)), own, epochs=1, optimizer=optimizer)
    for model in (network(nn.BatchNorm1d(8)).eval(), network(nn.LayerNorm(8))):
        result = dtpinn.fit(model, own, epochs=3, optimizer=optimizer)
        assert result.loss < result.history[0].loss


def test_the_checks_leave_the_random_numbers_alone(problem):
    model = network(nn.Dropout(0.5)).eval()
    before = torch.get_rng_state()
    dtpinn.fit(model, problem, epochs=1)
    assert torch.equal(torch.get_rng_state(), before)


def test_the_optimisers_tell_by_themselves_where_nobody_has_checked():
    """Steepest descent on a loss that jumps by more than any step lowers it."""
    w = nn.Parameter(torch.ones(3, dtype=torch.float64))
    jump = iter(range(10**6))

    def closure():
        w.grad = None
        loss = w.square().sum() + 10 * next(jump)
        loss.backward()
        return loss

    optimizer = LBFGS([w])
    optimizer.step(closure)
    assert optimizer.stop_reason.startswith("the loss is not the same twice")
    assert torch.equal(w, torch.ones_like(w))
    second = GaussNewton([w])
    second.step(lambda: torch.cat([w, w[:1] * 0 + next(jump)]))
    assert second.stop_reason.startswith("the loss is not the same twice")
