"""Defect correction: exact where the residual is, whatever gives its Jacobian."""

import copy

import pytest
import torch
from torch import nn

from dtpinn.optim import DefectCorrection, GaussNewton


class Wrong:
    """Residuals of a circle fitted through points, with a Jacobian that is off by a factor."""

    def __init__(self, factor, *, noise=0.1):
        generator = torch.Generator().manual_seed(0)
        angle = torch.linspace(0, 5, 40, dtype=torch.float64)
        self.points = torch.stack([2 * angle.cos() + 1, 2 * angle.sin() - 3], dim=1)
        self.parameters = [nn.Parameter(torch.tensor([0.0, 0.0, 1.0], dtype=torch.float64))]
        self.sizes, self.factor = [40], factor
        self.noise = noise * torch.randn(40, 3, generator=generator, dtype=torch.float64)

    def _residual(self, w):
        return (self.points - w[:2]).norm(dim=1) - w[2]

    def residual(self):
        return self._residual(self.parameters[0].detach()).clone()

    def jacobian(self, rows=None):
        exact = torch.func.jacrev(self._residual)(self.parameters[0].detach())
        return self.factor * exact + self.noise

    def gradient(self):
        exact = torch.func.jacrev(self._residual)(self.parameters[0].detach())
        return exact.T @ self.residual()


CIRCLE = torch.tensor([1.0, -3.0, 2.0], dtype=torch.float64)


@pytest.mark.parametrize("factor", [1.0, 0.7, 1.4])
def test_a_jacobian_that_is_a_little_wrong_costs_no_accuracy(factor):
    system = Wrong(factor)
    optimizer = DefectCorrection(system.parameters, max_iterations=200)
    optimizer.step(system)
    assert (system.parameters[0].detach() - CIRCLE).abs().max() < 1e-10


def test_where_the_jacobian_points_uphill_the_exact_gradient_takes_over():
    system = Wrong(-1.0, noise=0.0)
    before = system.residual().square().sum()
    cautious = GaussNewton(system.parameters, max_iterations=20)
    cautious.step(system)
    assert cautious.iterations == 0  # every step it knows of goes up
    assert "no step" in cautious.stop_reason
    optimizer = DefectCorrection(system.parameters, max_iterations=200)
    optimizer.step(system)
    assert optimizer.along_gradient
    assert system.residual().square().sum() < 1e-12 * before
    assert (system.parameters[0].detach() - CIRCLE).abs().max() < 1e-6


def test_the_bend_is_that_of_the_exact_residual_whatever_the_jacobian_says():
    """d2/ds2 (w + s v)^2 = 2 v^2, of which a wrong slope must not become a part."""
    w = nn.Parameter(torch.tensor([1.0, 2.0], dtype=torch.float64))

    class Squares(Wrong):
        def __init__(self):
            self.parameters, self.sizes = [w], [2]

        def _residual(self, w):
            return w**2

        def jacobian(self, rows=None):
            return torch.diag(3.0 * w.detach())

    optimizer = DefectCorrection([w])
    seen = []
    solve = optimizer._second_derivative
    optimizer._second_derivative = lambda A, v: seen.append((v, solve(A, v))) or seen[-1][1]
    optimizer.step(Squares())
    v, found = seen[0]
    assert torch.allclose(found, 2 * v**2, rtol=1e-10)


def test_it_stops_where_the_residual_no_longer_falls():
    system = Wrong(1.0)
    system.points = system.points + 0.1 * system.noise[:, :2]  # on no circle
    optimizer = DefectCorrection(system.parameters, max_iterations=500, patience=30)
    optimizer.step(system)
    assert optimizer.stop_reason is not None
    assert optimizer.iterations < 200


def test_it_goes_on_from_its_state_bit_for_bit():
    system = Wrong(0.7)
    optimizer = DefectCorrection(system.parameters, max_iterations=7)
    optimizer.step(system)
    other = copy.deepcopy(system)
    again = DefectCorrection(other.parameters, max_iterations=7)
    again.load_state_dict(optimizer.state_dict())
    for run, of in ((optimizer, system), (again, other)):
        run.step(of)
    assert torch.equal(system.parameters[0], other.parameters[0])
    assert optimizer.state_dict()["memory"]["mark"] == again.state_dict()["memory"]["mark"]


@pytest.mark.parametrize("options", [{"patience": 0}, {"least": -1.0}, {"damping": 0.0}])
def test_options_are_checked_by_name(options):
    (name,) = options
    with pytest.raises(ValueError, match=f"DefectCorrection: expected {name}"):
        DefectCorrection([nn.Parameter(torch.zeros(1))], **options)
