"""What holds where: sides of corners, ghosts, and the equation that gives way."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
import torch

import dtpinn
from dtpinn.geometry import Box, Disk, Polygon, Rectangle
from dtpinn.pde import Dirichlet, LinearElasticity, Neumann, Robin, Traction, Young


def ones(x, n):
    return torch.ones(len(x), dtype=x.dtype)


# The solution is u = x, whatever the nodes.
THROUGH = {"left": Dirichlet(), "right": Neumann(ones), "top": Neumann(), "bottom": Neumann()}
CORNERS = 4


def square(spacing=0.1, seed=0):
    return dtpinn.place_nodes(Rectangle((0, 0), (1, 1)), spacing=spacing, seed=seed)


def relative(u, exact):
    return float((u - exact).norm() / exact.norm())


@pytest.mark.parametrize("corners", ["auto", "each"])
@pytest.mark.parametrize("order", [2, 4])
def test_fluxes_through_a_square_are_solved_to_rounding(order, corners):
    problem = dtpinn.discretize(dtpinn.Poisson(None, THROUGH), square(), order, corners=corners)
    assert relative(problem.solve(), problem.points[:, 0]) < 1e-11


def test_fluxes_through_a_box_are_solved_to_rounding():
    nodes = dtpinn.place_nodes(Box(), spacing=0.2)
    sides = dict.fromkeys(nodes.parts, Neumann()) | {"left": Dirichlet(), "right": Neumann(ones)}
    problem = dtpinn.discretize(dtpinn.Poisson(None, sides), nodes, order=2)
    assert relative(problem.solve(), problem.points[:, 0]) < 1e-11


def test_a_mean_normal_contradicts_the_data_and_is_still_there_for_the_paper():
    problem = dtpinn.discretize(
        dtpinn.Poisson(None, THROUGH), square(), ghosts="all", corners="mean"
    )
    assert 1e-3 < relative(problem.solve(), problem.points[:, 0]) < 1e-1
    assert len(problem.regions[0].rows) == problem.nodes.count


@pytest.mark.parametrize("mode", ["reverse", "forward"])
def test_matrices_and_automatic_differentiation_agree_on_what_holds(mode):
    """The solution is a root of both losses, on the same rows, and compare() sees no difference."""
    pde, nodes = dtpinn.Poisson(None, THROUGH), square()
    exact = lambda x: x[:, 0]  # noqa: E731
    discrete = dtpinn.discretize(pde, nodes)
    automatic = dtpinn.vanilla(pde, nodes, mode=mode, collocation="all")
    wanted = discrete.residuals(exact)
    for name, residual in automatic.residuals(exact).items():
        assert residual.shape == wanted[name].shape
        assert residual.abs().max() < 1e-9
        assert wanted[name].abs().max() < 1e-9
    model = dtpinn.MLP(2, width=10, depth=1, seed=0)
    assert discrete.compare(model).agrees
    # Two corners have both of their fluxes, the other two their value alone.
    assert sum(len(region.rows) for region in discrete.regions[1:]) == nodes.boundary_count + 2


def test_training_reaches_what_the_direct_solve_finds():
    problem = dtpinn.discretize(dtpinn.Poisson(None, THROUGH), square())
    model = dtpinn.MLP(2, width=12, depth=1, seed=0)
    dtpinn.fit(model, problem, epochs=60, optimizer="gauss-newton", progress=False)
    assert relative(model(problem.points).detach(), problem.solve()) < 1e-3


def test_ghosts_serve_where_a_condition_holds_a_derivative():
    nodes = square()
    ghosts = {
        name: dtpinn.discretize(dtpinn.Poisson(None, condition), nodes).nodes.ghost_count
        for name, condition in (("value", Dirichlet()), ("flux", Robin(1.0, 1.0)))
    }
    assert ghosts == {"value": 0, "flux": nodes.ghost_count}
    assert dtpinn.discretize(dtpinn.Poisson(None, Dirichlet()), nodes, ghosts="all").nodes is nodes

    class Switched(dtpinn.PDE):
        """A value on the left half, a flux on the right, in one condition."""

        def residual(self, u, D, x):
            return D.laplacian(u)

        def boundary(self, u, D, x, n):
            return torch.where(x[:, 0] < 0.5, u, D.normal(u) - n[:, 0])

    problem = dtpinn.discretize(Switched(), nodes)
    served = problem.nodes.boundary[problem.nodes.ghost_of]
    assert len(served)
    assert served[:, 0].min() >= 0.5


def test_a_coefficient_that_is_learnt_keeps_its_ghosts_while_it_is_zero():
    alpha = torch.nn.Parameter(torch.tensor(0.0))
    problem = dtpinn.discretize(dtpinn.Poisson(None, Robin(alpha, 1.0)), square())
    assert problem.nodes.ghost_count > 0


@pytest.mark.parametrize("order", [2, 4, 5])
def test_advection_under_dirichlet_decays(order):
    """With ghosts the largest eigenvalue was between +8 and +675, seed by seed."""

    class Wind(dtpinn.PDE):
        def residual(self, u, D, x):
            return 0.01 * D.laplacian(u) - D.partial(u, 0) - 0.5 * D.partial(u, 1)

        def boundary(self, u, D, x, n):
            return u

    for seed in range(3):
        nodes = dtpinn.place_nodes(Disk(), spacing=0.12, seed=seed)
        problem = dtpinn.discretize(Wind(), nodes, order)
        J = problem.linearize(np.zeros(nodes.count)).jacobians["pde"].toarray()
        inside = J[:, : nodes.interior_count]
        assert inside.shape[0] == inside.shape[1]
        assert np.linalg.eigvals(inside).real.max() < 0.0


STEEL = Young(1.0, 0.3, plane="stress")


def stretched(x):
    return torch.stack([x[:, 0], -0.3 * x[:, 1]], dim=1)


@pytest.mark.parametrize("shape", ["square", "wedge"])
def test_tractions_on_both_sides_of_a_corner_say_the_shear_twice_and_are_solved(shape):
    """A bar in tension: held at one end, pulled at the other, free between."""
    domain = {
        "square": Rectangle((0, 0), (1, 1)),
        "wedge": Polygon([(0, 0), (1, 0.1), (0.9, 0.8), (0, 1)]),
    }[shape]
    pulled = Traction(STEEL, lambda x, n: torch.stack([n[:, 0], 0 * n[:, 0]], dim=1))
    nodes = dtpinn.place_nodes(domain, spacing=0.1)
    held = "left" if shape == "square" else "edge3"
    sides = dict.fromkeys(nodes.parts, pulled) | {held: Dirichlet(lambda x, n: stretched(x))}
    problem = dtpinn.discretize(LinearElasticity(None, sides, material=STEEL), nodes)
    assert relative(problem.solve(), stretched(problem.points)) < 1e-10


def test_data_that_disagree_at_a_corner_harm_its_surroundings_alone():
    """A lid at 100 between walls at 0, away from the lid; the series of the square."""

    def series(x):
        k = np.arange(1, 200, 2)[:, None] * np.pi
        grow = np.exp(k * (x[:, 1] - 1)) * (1 - np.exp(-2 * k * x[:, 1])) / (1 - np.exp(-2 * k))
        return (400 / k * np.sin(k * x[:, 0]) * grow).sum(0)

    lid = {"top": Dirichlet(lambda x, n: 100 * ones(x, n))}
    sides = dict.fromkeys(("left", "right", "bottom"), Dirichlet()) | lid
    errors = []
    for spacing in (0.1, 0.05, 0.025):
        problem = dtpinn.discretize(dtpinn.Poisson(None, sides), square(spacing))
        with pytest.warns(dtpinn.problem.NotResolved, match="boundary data jump"):
            u = problem.solve().numpy()
        x = problem.nodes.collocation
        away = x[:, 1] < 0.7
        errors.append(np.abs(u - series(x))[away].max())
    assert errors[2] < 0.5  # of 100
    assert errors[2] < errors[0] / 4


def test_parts_shorter_than_the_spacing_are_told_and_keep_their_names():
    angle = np.linspace(0, 2 * np.pi, 60, endpoint=False)
    round_ = Polygon(np.column_stack([np.cos(angle), np.sin(angle)]))
    coarse, fine = (dtpinn.place_nodes(round_, spacing=h) for h in (0.25, 0.08))
    assert coarse.parts == fine.parts
    assert coarse.empty_parts
    pde = dtpinn.Poisson(None, dict.fromkeys(coarse.parts, Dirichlet()))
    with pytest.warns(UserWarning, match="no boundary node lies in the part"):
        dtpinn.discretize(pde, coarse, order=3)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        dtpinn.discretize(pde, fine)
    with pytest.raises(ValueError, match="one condition for each part"):
        dtpinn.discretize(dtpinn.Poisson(None, {"edge0": Dirichlet()}), fine)


@pytest.mark.parametrize("option", ["ghosts", "corners"])
def test_other_words_are_refused(option):
    with pytest.raises(ValueError, match=f'{option} must be "auto", "'):
        dtpinn.discretize(dtpinn.Poisson(None, Dirichlet()), square(), **{option: "some"})
