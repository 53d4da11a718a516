"""The last layer by least squares: what it finds, and what it does not touch."""

import pytest
import scipy.optimize
import torch
from torch import nn

from dtpinn.optim import LastLayer


class Features:
    """Residuals ``f(H w) - y`` of the weights w of features H; f is the identity or bends."""

    def __init__(self, bend=lambda z: z):
        generator = torch.Generator().manual_seed(0)
        draw = lambda *size: torch.randn(*size, generator=generator, dtype=torch.float64)  # noqa: E731
        self.H, self.bend = draw(30, 6), bend
        self.weights = [nn.Parameter(draw(5)), nn.Parameter(draw(1))]
        self.hidden = nn.Parameter(draw(3))
        self.parameters, self.sizes = [self.hidden, *self.weights], [30]
        self.y = bend(self.H @ draw(6)) + 0.01 * draw(30)

    def _at(self, w):
        return self.bend(self.H @ w) - self.y

    @property
    def last(self):
        return torch.cat([w.detach() for w in self.weights])

    def residual(self):
        return self._at(self.last)

    def last_layer(self):
        return self.weights, torch.func.jacrev(self._at)(self.last)


def test_a_linear_problem_takes_one_step_and_a_second_to_see_it():
    system = Features()
    hidden = system.hidden.detach().clone()
    optimizer = LastLayer(system.parameters)
    optimizer.step(system)
    wanted = torch.linalg.lstsq(system.H, system.y).solution
    found = system.last
    assert torch.allclose(found, wanted, rtol=1e-12)
    assert torch.equal(system.hidden, hidden)
    assert optimizer.stop_reason is None
    optimizer.step(system)
    assert optimizer.stop_reason is not None
    assert optimizer.iterations <= 2


def test_a_nonlinear_one_takes_some_and_shortens_them_where_they_lead_up():
    system = Features(torch.sinh)
    optimizer = LastLayer(system.parameters)
    losses = []
    for _ in range(30):
        losses.append(optimizer.step(system))
        if optimizer.stop_reason is not None:
            break
    assert losses == sorted(losses, reverse=True)
    fun = lambda w: system._at(torch.from_numpy(w)).numpy()  # noqa: E731
    best = scipy.optimize.least_squares(fun, system.last.numpy(), xtol=1e-14, ftol=1e-14)
    assert losses[-1] < 1.2 * 2 * best.cost
    assert losses[0] > 1e3 * losses[-1]


def test_features_that_depend_on_each_other_do_no_harm():
    """Doubled columns: infinitely many minimisers, of which the shortest is taken."""
    system = Features()
    system.H = torch.cat([system.H[:, :3], system.H[:, :3]], dim=1)
    before = system.last
    LastLayer(system.parameters).step(system)
    moved = system.last - before
    assert torch.allclose(moved[:3], moved[3:], rtol=1e-8)
    best = torch.linalg.lstsq(system.H[:, :3], system.y[:, None]).solution[:, 0]
    least = (system.H[:, :3] @ best - system.y).norm()
    assert system.residual().norm() < least * (1 + 1e-10)


def test_a_function_of_residuals_alone_is_refused():
    with pytest.raises(TypeError, match="corrected_least_squares"):
        LastLayer([nn.Parameter(torch.zeros(1))]).step(lambda: torch.zeros(1))
