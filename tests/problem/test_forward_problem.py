"""Forward differentiation is reverse differentiation to round-off, and carries only what is asked.

Tolerances: both modes evaluate the same sums of a few hundred products in another order, so they
differ by some ten units of round-off of the largest term.
"""

from __future__ import annotations

import re
from functools import partial
from itertools import product
from operator import eq

import pytest
import torch
from torch import nn

import dtpinn
from dtpinn.geometry import Disk, Subdomains
from dtpinn.jets import taylor
from dtpinn.jets.pointwise import POINTWISE
from dtpinn.jets.rules import Jet
from dtpinn.jets.taylor import Layout
from dtpinn.models import NETWORKS, HardBoundary
from dtpinn.models.activations import ACTIVATIONS
from dtpinn.pde import Piecewise, joints
from dtpinn.pde.row_gradients import row_gradients
from dtpinn.pde.solutions import sine_cosine
from dtpinn.problem import forward_problem
from tests.marks import mostly_full
from tests.problem.equations import Elasticity, ReactionInTime, SecondInTime, TwoParts

TIMES = torch.linspace(0.0, 0.6, 3)
USUAL = ("nonlinear Poisson", "tanh", torch.float64)
MODES = ("reverse", "forward")


def equation(name):
    nonlinear = dtpinn.Poisson.from_solution(sine_cosine, alpha=1.0, beta=2.0, reaction=torch.exp)
    made = {
        "nonlinear Poisson": (nonlinear, 2, None),
        "space-time": (ReactionInTime(), 3, TIMES),
        "second in time": (SecondInTime(), 3, TIMES),
        "two fields": (Elasticity(), 2, None),
    }
    return made[name]


def assert_equal_modes(pde, nodes, model, times, tolerance, dtype=torch.float64):
    problems = [dtpinn.vanilla(pde, nodes, times=times, dtype=dtype, mode=mode) for mode in MODES]
    reverse, ours = (problem.residuals(model) for problem in problems)
    assert reverse.keys() == ours.keys()
    for name, residual in reverse.items():
        assert ours[name].dtype == dtype
        assert (ours[name] - residual).abs().max() < tolerance * residual.abs().max(), name
    parameters = [*model.parameters(), *pde.parameters()]
    gradients = [
        torch.cat([g.flatten() for g in torch.autograd.grad(p.loss(model), parameters)])
        for p in problems
    ]
    assert (gradients[0] - gradients[1]).norm() < 10 * tolerance * gradients[0].norm()


@pytest.mark.parametrize(
    ("name", "activation", "dtype"),
    mostly_full(
        product(
            ["nonlinear Poisson", "space-time", "two fields"],
            ACTIVATIONS,
            [torch.float64, torch.float32],
        ),
        lambda case: sum(map(eq, case, USUAL)) >= 2,
    ),
)
def test_residuals_and_gradients_are_those_of_reverse_mode(name, activation, dtype, disk):
    pde, inputs, times = equation(name)
    pde.to(dtype)
    model = dtpinn.MLP(
        inputs, width=10, depth=2, fields=pde.fields, activation=activation, dtype=dtype, seed=3
    )
    assert_equal_modes(pde, disk(0.2), model, times, 50 * torch.finfo(dtype).eps, dtype)


def test_conditions_on_parts_of_the_boundary(two_parts):
    model = dtpinn.MLP(2, width=10, depth=2, seed=3)
    assert_equal_modes(TwoParts(), two_parts, model, None, 1e-14)


class Twisted(dtpinn.PDE):
    """What is on the other side of a disk, in values, slopes, curvatures, and of a function."""

    def residual(self, u, D, x, t):
        return D.time(u) - D.laplacian(u) * D.at(quarter).state[0] + D.at(torch.neg).partial(u, 1)

    def boundary(self, u, D, x, n, t):
        beyond = D.at(torch.neg)
        value, place, _ = beyond.state
        square = beyond.gradient(lambda u, x, t: u**2 * x[:, 0])
        return (
            D.normal(u) * value - beyond.normal(u) + beyond.laplacian(u) + (square * place).sum(1)
        )

    def initial(self, u, D, x):
        return u - x[:, 0]


def quarter(x):
    return x[:, [1, 0]] * x.new_tensor([-1.0, 1.0])


def test_what_is_at_other_places(disk):
    model = dtpinn.MLP(3, width=10, depth=2, seed=3)
    assert_equal_modes(Twisted(), disk(0.2), model, TIMES, 1e-13)


def test_an_interface():
    """Values and fluxes of two materials, learnt through it as well."""
    body = Subdomains({"inner": Disk(0.5), "outer": Disk() - Disk(0.5)})
    k = Piecewise(body, {"inner": nn.Parameter(torch.tensor(3.0)), "outer": 1.0})
    sides = {"outer.circle": dtpinn.Dirichlet()} | joints(body, k)
    pde = dtpinn.Poisson(1.0, sides, conductivity=k)
    nodes = dtpinn.place_nodes(body, spacing=0.2)
    assert_equal_modes(pde, nodes, dtpinn.MLP(2, width=10, depth=2, seed=3), None, 1e-13)


@pytest.mark.parametrize("name", NETWORKS)
def test_every_network_by_name(name, disk):
    model = NETWORKS[name](2, width=8, depth=2, seed=3)
    assert_equal_modes(equation("nonlinear Poisson")[0], disk(0.2), model, None, 1e-13)


def test_hard_conditions_by_products_and_r_functions_and_of_a_part(disk):
    disk_ = dtpinn.geometry.Disk(1.5)
    ell = dtpinn.geometry.Polygon([(-2, -2), (3, -2), (3, 0), (0.5, 0.4), (0, 3), (-2, 3)])
    for domain, part in ((disk_, "circle"), (ell, None), (ell, "edge2"), (disk_ & ell, None)):
        for moved in (domain, domain.rotate(0.3).scale(2.0)):
            factor = partial(moved.boundary_factor, parts=part)
            model = HardBoundary(dtpinn.MLP(2, width=8, depth=2, seed=3), factor, lambda x: x[:, 0])
            assert_equal_modes(equation("nonlinear Poisson")[0], disk(0.2), model, None, 1e-12)


class Residual(nn.Module):
    """Fourier features, a skip connection, a gate, and a product with a plain matrix."""

    def __init__(self):
        super().__init__()
        self.frequencies = torch.tensor([[1.0, 2.0, 0.5], [0.3, 1.0, 2.0]])
        self.layers = nn.ModuleList([nn.Linear(6, 6), nn.Linear(6, 6), nn.Linear(6, 1, bias=False)])
        self.scale = nn.Parameter(torch.tensor(0.7))

    def forward(self, x):
        z = x @ self.frequencies
        y = torch.cat([torch.sin(z), torch.cos(z)], dim=-1)
        y = y + nn.functional.silu(self.layers[0](y)) * torch.sigmoid(self.layers[1](y))
        distance = 1 - (x**2).sum(-1)
        return distance * self.scale * self.layers[2](y).squeeze()


def test_any_model_of_torch_functions(disk):
    pde, _, _ = equation("nonlinear Poisson")
    assert_equal_modes(pde, disk(0.2), Residual(), None, 1e-13)


# Rules, each on its own: functions of x (n, 2), with no derivative that vanishes unless it has to.
EXPRESSIONS = {
    "sums": lambda x: (1 - (x[:, 0] - 3 * x[:, 1]) + 2 * x[:, 1] - 1) / 4 + -x[:, 0] ** 3,
    "sums with tensors": lambda x: torch.ones(len(x)) - x[:, 0] ** 2 - torch.ones(1),
    "a wider constant": lambda x: (x[:, 0] ** 2 + torch.ones(2, 1) * torch.rand(len(x)))[1],
    "a wider factor": lambda x: (x[:, 0] ** 2 * torch.tensor([[1.0], [2.0]]))[1],
    "products": lambda x: x[:, 0] * x[:, 1] * torch.exp(x[:, 0]) * 2,
    "quotients": lambda x: x[:, 0] / x[:, 1] + 1 / x[:, 0] + x[:, 1] / torch.tensor([3.0]),
    "powers": lambda x: x[:, 0] ** 2.5 + x[:, 1].square() + 2 ** x[:, 0] + x[:, 1].pow(-1),
    "pointwise": lambda x: torch.atan(x[:, 0]) + torch.erf(x[:, 1]) + torch.log(x).sum(1),
    "hyperbolic": lambda x: torch.sinh(x[:, 0]) * torch.cosh(x[:, 1]) + x[:, 0].sqrt(),
    "softplus": lambda x: nn.functional.softplus(x[:, 0] * x[:, 1], beta=2.0),
    "cat and stack": lambda x: torch.stack(
        [torch.cat([x**2, torch.ones(len(x), 1)], dim=1).sum(1), x[:, 1] ** 3], dim=1
    ).mean(1),
    "shapes": lambda x: (x**2)[:, None].flatten(1).reshape(-1, 2, 1).squeeze(-1).flip(1)[:, 0],
    "slices": lambda x: (x**3).unsqueeze(0).select(0, 0).narrow(1, 1, 1).view(len(x)),
    "columns": lambda x: (x**3).unbind(1)[1] + (x**2).index_select(1, torch.tensor([1, 0]))[:, 0],
    "products with matrices": lambda x: torch.addmm(
        torch.ones(2), x**2, torch.tensor([[1.0, 2.0], [3.0, 4.0]])
    ) @ torch.tensor([1.0, 0.5]),
    "rows before points": lambda x: torch.stack([x[:, 1], x[:, 0] * x[:, 1] ** 2], dim=0)[1],
    "where": lambda x: torch.where(x[:, 0] > 0.8, x[:, 0] ** 3, torch.zeros(len(x))),
    "constants": lambda x: x[:, 0] ** 2 * x[:, 1].detach() + torch.ones_like(x[:, 0]),
    "no function of the points": lambda x: 0 * x[:, 0] + x.new_full((len(x),), 2.0),
}  # fmt: skip


@pytest.mark.parametrize("name", EXPRESSIONS)
def test_every_rule_is_that_of_differentiation(name):
    """Against nested backward passes: value, both first derivatives, u_xy + 2 u_xx, and u_yy."""
    function = EXPRESSIONS[name]
    points = 0.5 + torch.rand(4, 2)
    stack = torch.zeros(5, 4, 2)
    stack[0], stack[1, :, 0], stack[2, :, 1] = points, 1, 1
    layout = Layout(2, (((0, 1, 1.0), (0, 0, 2.0)), ((1, 1, 1.0),)))
    state = torch.get_rng_state()
    jet = function(Jet(stack, layout))
    torch.set_rng_state(state)
    x = points.clone().requires_grad_()
    u = function(x)
    first = row_gradients(u, x)
    of_x, of_y = (row_gradients(column, x) for column in first.unbind(1))
    wanted = [u, *first.unbind(1), of_x[:, 1] + 2 * of_x[:, 0], of_y[:, 1]]
    assert jet.shape == u.shape
    assert torch.allclose(jet.stack, torch.stack(wanted), rtol=1e-12, atol=1e-13)


@pytest.mark.parametrize("name", POINTWISE)
def test_every_pointwise_function_knows_three_derivatives(name):
    """The third is needed by the backward pass alone."""
    function = POINTWISE[name]
    z = (0.3 + torch.rand(5)).requires_grad_()
    y = function.value(z)
    for derivative in function.derivatives(z.detach(), y.detach()):
        y = row_gradients(y, z)
        assert torch.allclose(derivative, y, rtol=1e-12)
    forms = (((0, 1, 1.0), (0, 0, 2.0)), ((1, 1, 0.5),))
    stack = (0.3 + torch.rand(5, 3)).requires_grad_()
    assert torch.autograd.gradcheck(lambda s: taylor.compose(s, function, Layout(2, forms)), stack)


def plans(pde, nodes, times=None):
    problem = dtpinn.vanilla(pde, nodes, times=times, mode="forward")
    return {name: by_map[None].layout for name, by_map in problem._plans.items()}


def test_only_what_is_asked_for_is_carried(disk, two_parts):
    laplacian = ((0, 0, 1.0), (1, 1, 1.0))
    poisson = plans(equation("nonlinear Poisson")[0], disk(0.2))
    assert poisson == {"pde": Layout(2, (laplacian,)), "boundary": Layout(1)}  # d + 2, and n alone
    by_part = plans(TwoParts(), two_parts)
    assert by_part["boundary.left"] == Layout(0)
    assert by_part["boundary.right"] == Layout(1)
    # The Laplacian beside u_xx, u_xy and u_yy is the sum of two of them.
    assert plans(Elasticity(), disk(0.2))["pde"] == Layout(
        2, (((1, 1, 1.0),), ((0, 1, 1.0),), ((0, 0, 1.0),))
    )
    in_time = plans(ReactionInTime(), disk(0.2), TIMES)
    assert in_time["pde"] == Layout(3, (((0, 0, 1.0),), laplacian))
    assert in_time["boundary"] == Layout(2)  # the time, and the normal


def test_time_is_carried_only_where_it_is_differentiated(disk):
    class Heat(dtpinn.PDE):
        def residual(self, u, D, x, t):
            return D.time(u) - D.laplacian(u)

        def boundary(self, u, D, x, n, t):
            return u

        def initial(self, u, D, x):
            return u

    layouts = plans(Heat(), disk(0.2), TIMES)
    assert (layouts["pde"].directions, layouts["boundary"].directions) == (3, 0)


def test_blocks_of_points_change_nothing(disk, monkeypatch):
    pde, inputs, times = equation("space-time")
    model = dtpinn.MLP(inputs, width=10, depth=2, seed=3)
    problem = dtpinn.vanilla(pde, disk(0.2), times=times, mode="forward")
    calls = []
    whole = problem.residuals(lambda x: calls.append(len(x)) or model(x))
    monkeypatch.setattr(forward_problem, "BLOCK", 8 * 7)
    monkeypatch.setattr(torch, "get_num_threads", lambda: 2)
    blocks = problem.residuals(lambda x: calls.append(len(x)) or model(x))
    assert len(calls) > 20
    assert set(calls[3:-2]) >= {14}
    for name, residual in whole.items():
        assert torch.allclose(blocks[name], residual, rtol=1e-13, atol=1e-14), name


def test_models_and_functions_that_do_not_depend_on_the_points(disk):
    class Zero(dtpinn.PDE):
        def residual(self, u, D, x):
            return D.laplacian(u) + D.partial(lambda u, x: torch.ones(len(u)), 0)

        def boundary(self, u, D, x, n):
            return D.normal(u) + u

    residuals = dtpinn.vanilla(Zero(), disk(0.2), mode="forward").residuals(
        lambda x: torch.full((len(x),), 3.0)
    )
    assert torch.equal(residuals["pde"], torch.zeros(disk(0.2).interior_count))
    assert torch.equal(residuals["boundary"], torch.full((disk(0.2).boundary_count,), 3.0))


def test_a_third_derivative_is_refused_before_anything_is_trained(disk):
    class Plate(dtpinn.PDE):
        def residual(self, u, D, x):
            return D.biharmonic(u)

        def boundary(self, u, D, x, n):
            return u

    with pytest.raises(ValueError, match=r'Plate\.residual asks for biharmonic.*mode="reverse"'):
        dtpinn.vanilla(Plate(), disk(0.2), mode="forward")
    with pytest.raises(ValueError, match=r"mode must be.*'taylor'"):
        dtpinn.vanilla(Plate(), disk(0.2), mode="taylor")


def add_in_place(x):
    y = x[:, 0]
    y += 1
    return y


UNKNOWN = {
    "layer_norm": lambda x: nn.functional.layer_norm(x, (2,))[:, 0],
    "cumsum": lambda x: x.cumsum(1)[:, 0],
    "add_": add_in_place,
    "exp_": lambda x: x[:, 0].exp_(),
    "T": lambda x: x.T[0],
    "gelu with {'approximate': 'tanh'}": lambda x: nn.functional.gelu(x, approximate="tanh")[:, 0],
    "softplus with threshold=0.5": lambda x: nn.functional.softplus(x, threshold=0.5)[:, 0],
    "sum over all points": lambda x: x.sum() + x[:, 0],
    "matmul with a right operand": lambda x: torch.ones(3, 3) @ x,
    "linear with weights": lambda x: nn.functional.linear(torch.ones(3, 2), x),
    "pow with a tensor": lambda x: x[:, 0] ** torch.tensor(2.0),
}


@pytest.mark.parametrize("name", UNKNOWN)
def test_what_has_no_rule_is_refused_by_name(name, disk):
    pde = dtpinn.Poisson.from_solution(sine_cosine)
    problem = dtpinn.vanilla(pde, disk(0.2), mode="forward")
    with pytest.raises(NotImplementedError, match=re.escape(name)) as error:
        problem.loss(UNKNOWN[name])
    assert 'mode="reverse" knows' in str(error.value)


@pytest.mark.parametrize("layer", ["linear", "pointwise"])
def test_a_second_backward_pass_is_refused(layer, disk):
    """Rather than leaving out what the kernels' own backward passes do not track."""
    pde, _, _ = equation("nonlinear Poisson")
    w = torch.ones(1, 2, requires_grad=True)
    models = {
        "linear": lambda x: nn.functional.linear(x, w)[:, 0],
        "pointwise": lambda x: torch.sin(x * w)[:, 0],
    }
    loss = dtpinn.vanilla(pde, disk(0.2), mode="forward").loss(models[layer])
    (gradient,) = torch.autograd.grad(loss, w, create_graph=True)
    with pytest.raises(RuntimeError, match="once_differentiable"):
        gradient.sum().backward()


def test_nothing_needs_a_gradient_in_inference_mode(disk):
    pde, _, _ = equation("nonlinear Poisson")
    model = dtpinn.MLP(2, width=5, depth=1, seed=0)
    problem = dtpinn.vanilla(pde, disk(0.2), mode="forward")
    with torch.inference_mode():
        quiet = problem.loss(model)
    assert not quiet.requires_grad
    torch.testing.assert_close(quiet, problem.loss(model).detach())
