"""Conditions and coefficients: numbers, unknown numbers, functions of the boundary."""

from __future__ import annotations

import pytest
import torch
from torch import nn

import dtpinn
from dtpinn.pde import Lame, Traction, Young
from dtpinn.pde.exact import boundary_data


class Slope:
    """A ``D`` whose normal derivative is ten times its argument."""

    def normal(self, of):
        return 10 * of


def g(x, n):
    return x[:, 0]


def test_conditions():
    assert (dtpinn.Dirichlet(g).alpha, dtpinn.Dirichlet(g).beta) == (0.0, 1.0)
    assert (dtpinn.Neumann(g).alpha, dtpinn.Neumann(g).beta) == (1.0, 0.0)
    u, x, n = torch.rand(5), torch.rand(5, 2), torch.rand(5, 2)
    across = lambda x, n: (x * n).sum(1)  # noqa: E731
    for condition, wanted in (
        (dtpinn.Robin(3.0, 2.0, g), 3 * 10 * u + 2 * u - x[:, 0]),
        (dtpinn.Robin(across, 2.0, g), (x * n).sum(1) * 10 * u + 2 * u - x[:, 0]),
        (dtpinn.Robin(0.0, across), (x * n).sum(1) * u),
        (dtpinn.Dirichlet(g), u - x[:, 0]),
        (dtpinn.Neumann(g), 10 * u - x[:, 0]),
        (dtpinn.Neumann(), 10 * u),
    ):
        assert torch.allclose(condition(u, Slope(), x, n), wanted)


def test_a_coefficient_that_varies_scales_every_field_of_a_system():
    u, x, n = torch.rand(5, 2), torch.rand(5, 2), torch.rand(5, 2)
    residual = dtpinn.Robin(g, 2.0)(u, Slope(), x, n)
    assert torch.allclose(residual, 10 * x[:, :1] * u + 2 * u)


def test_a_coefficient_may_be_learnt_as_a_function():
    """What an nn.Module holds is a parameter of the condition, and evaluated in every step."""

    class Film(nn.Module):
        def __init__(self):
            super().__init__()
            self.slope = nn.Parameter(torch.ones(()))

        def forward(self, x, n):
            return self.slope * x[:, 0]

    u, x, n = torch.rand(5), torch.rand(5, 2), torch.rand(5, 2)
    condition = dtpinn.Robin(1.0, Film())
    (slope,) = condition.parameters()
    condition(u, Slope(), x, n).sum().backward()
    assert torch.allclose(slope.grad, (x[:, 0] * u).sum())


WRONG = {
    "a vector": (lambda: dtpinn.Robin(torch.ones(3), 1.0, g), TypeError, "alpha must be a number"),
    "nothing": (lambda: dtpinn.Robin(0, 0, g), ValueError, "both 0"),
    "data": (
        lambda: dtpinn.Robin(1, 1, "3"),
        TypeError,
        "expected a function of the points, a num",
    ),
    "no condition": (lambda: dtpinn.Poisson(g, boundary=g), TypeError, "must be a condition"),
    "no parts": (lambda: dtpinn.Poisson(g, boundary={}), TypeError, "must be a condition"),
    "a vector as diffusivity": (
        lambda: dtpinn.Heat(None, dtpinn.Dirichlet(), diffusivity=torch.ones(3)),
        TypeError,
        "Heat: diffusivity must be a number",
    ),
    "an incompressible material": (lambda: Young(1, 0.5, "strain"), ValueError, "1/2, got 0.5"),
    "a plane": (lambda: Young(1, 0.3, "stres"), ValueError, '"strain", "stress" or None'),
    "no plane": (
        lambda: dtpinn.LinearElasticity(None, dtpinn.Dirichlet(), material=Young(1, 0.3, None)),
        ValueError,
        "in 2 dimensions the plane",
    ),
    "no material": (
        lambda: dtpinn.LinearElasticity(None, dtpinn.Dirichlet(), material=3.0),
        TypeError,
        "Lame or Young",
    ),
    "a rod": (
        lambda: dtpinn.LinearElasticity(None, dtpinn.Dirichlet(), material=Lame(1, 1), dimension=1),
        ValueError,
        "dimension must be 2 or 3, got 1",
    ),
    "a traction on nothing": (lambda: Traction(g), TypeError, "Lame or Young"),
}


@pytest.mark.parametrize("case", WRONG)
def test_what_cannot_be_is_told(case):
    make, error, message = WRONG[case]
    with pytest.raises(error, match=message):
        make()


def test_steady_equations_take_no_times_and_the_others_need_them():
    nodes = dtpinn.place_nodes(dtpinn.geometry.Disk(), spacing=0.3)
    with pytest.raises(TypeError, match="Poisson: the equation is steady; give no times"):
        dtpinn.vanilla(dtpinn.Poisson(None, dtpinn.Dirichlet()), nodes, times=[0.0, 1.0])
    with pytest.raises(TypeError, match=r"Heat: the equation is in time; pass times="):
        dtpinn.vanilla(dtpinn.Heat(None, dtpinn.Dirichlet()), nodes)


def test_a_body_has_the_dimension_of_its_nodes():
    nodes = dtpinn.place_nodes(dtpinn.geometry.Disk(), spacing=0.3)
    body = dtpinn.LinearElasticity(None, dtpinn.Dirichlet(), material=Lame(1, 1), dimension=3)
    with pytest.raises(ValueError, match="made for 3 dimensions, and the nodes are in 2"):
        dtpinn.vanilla(body, nodes)


def test_homogeneous_data_are_the_same_as_zeros():
    nodes = dtpinn.place_nodes(dtpinn.geometry.Disk(), spacing=0.3)
    zero = lambda x, *others: torch.zeros(len(x))  # noqa: E731
    model = dtpinn.MLP(3, width=5, depth=1, seed=0)
    without = dtpinn.Heat(None, dtpinn.Neumann())
    with_zeros = dtpinn.Heat(zero, dtpinn.Neumann(zero), zero)
    losses = [dtpinn.vanilla(p, nodes, times=[0, 1]).loss(model) for p in (without, with_zeros)]
    assert losses[0] > 0
    torch.testing.assert_close(*losses)


def test_plane_stress_leaves_the_faces_of_a_plate_free():
    """sigma_33 = lambda (e_11 + e_22 + e_33) + 2 mu e_33 = 0 gives the plate's lambda."""
    first, shear = Young(2.0, 0.3, plane="strain").lame()
    across = -first / (first + 2 * shear)  # e_33 for e_11 + e_22 = 1
    plate, same_shear = Young(2.0, 0.3, plane="stress").lame()
    assert abs(plate - first * (1 + across)) < 1e-15
    assert shear == same_shear == 2.0 / 2.6
    assert Young(2.0, 0.3, plane=None).lame() == (first, shear)
    assert Lame(first, shear).lame() == (first, shear)


def test_tractions_by_hand():
    """A rotation strains nothing; swelling gives a pressure of (2 lambda + 2 mu) in the plane."""
    x, normals = torch.rand(5, 2), torch.nn.functional.normalize(torch.randn(5, 2), dim=1)
    traction = Traction(Lame(2.0, 3.0), stiffness=0.5)
    rotation = lambda x: torch.stack([-x[:, 1], x[:, 0]], dim=1)  # noqa: E731
    spring = boundary_data(rotation, traction.operator)(x, normals)
    assert torch.allclose(spring, 0.5 * rotation(x))
    swelling = boundary_data(lambda x: x, traction.operator)(x, normals)
    assert torch.allclose(swelling, 10 * normals + 0.5 * x)
