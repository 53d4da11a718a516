"""Gauss-Newton: classical problems, both Gram matrices, sampled rows, and reasons for stopping."""

import copy
import math
from itertools import pairwise

import pytest
import torch
from torch import nn

from dtpinn.optim import GaussNewton
from dtpinn.optim.sampling import sample_rows


def parameter(*values, dtype=torch.float64):
    return nn.Parameter(torch.tensor(values, dtype=dtype))


def fitting(width=10, count=60, dtype=torch.float64):
    """A small network, and its residuals in fitting a function at points."""
    torch.manual_seed(0)
    net = nn.Sequential(nn.Linear(2, width), nn.Tanh(), nn.Linear(width, 1)).to(dtype)
    x = torch.rand(count, 2, dtype=torch.float64).to(dtype)
    target = torch.sin(3.0 * x[:, 0]) * x[:, 1]
    return net, lambda: (net(x)[:, 0] - target) / math.sqrt(count)


def square(residuals):
    return float(residuals().detach().square().sum())


# Where it gets to


def rosenbrock(w):
    return torch.stack([10 * (w[1] - w[0] ** 2), 1 - w[0]]), torch.tensor([1.0, 1.0])


def powell(w):
    """Singular at its minimum: Newton converges linearly."""
    terms = w[0] + 10 * w[1], 5**0.5 * (w[2] - w[3]), (w[1] - 2 * w[2]) ** 2, (w[0] - w[3]) ** 2
    return torch.stack([*terms[:3], 10**0.5 * terms[3]]), torch.zeros(4)


def exponentials(w):
    """Osborne's kind of valley: two exponentials that look alike."""
    t = torch.linspace(0, 2, 30, dtype=torch.float64)
    model = w[0] * torch.exp(-w[1] * t) + w[2] * torch.exp(-w[3] * t)
    wanted = 2 * torch.exp(-1 * t) + torch.exp(-3 * t)
    return model - wanted, torch.tensor([2.0, 1.0, 1.0, 3.0])


@pytest.mark.parametrize(
    ("function", "start", "tolerance"),
    [
        (rosenbrock, (-1.2, 1.0), 1e-8),
        (powell, (3.0, -1.0, 0.0, 1.0), 1e-3),
        (exponentials, (1.5, 0.5, 1.5, 4.0), 1e-5),
    ],
)
def test_classical_problems_are_solved(function, start, tolerance):
    w = parameter(*start)
    optimizer = GaussNewton([w], max_iterations=100)
    optimizer.step(lambda: function(w)[0])
    assert (w.detach() - function(w)[1]).abs().max() < tolerance


def test_a_linear_problem_takes_a_step_for_each_halving_of_the_damping():
    torch.manual_seed(1)
    A, b = torch.rand(20, 5, dtype=torch.float64), torch.rand(20, dtype=torch.float64)
    w = parameter(*[0.0] * 5)
    GaussNewton([w], damping=1e-12, max_iterations=1).step(lambda: A @ w - b)
    assert torch.allclose(w.detach(), torch.linalg.lstsq(A, b).solution, rtol=1e-8)


def test_more_parameters_than_rows_give_the_step_of_the_damped_least_squares():
    """From A A' what A'A would have given: (A'A + damping I)^-1 A' r."""
    torch.manual_seed(1)
    A, b = torch.rand(5, 20, dtype=torch.float64), torch.rand(5, dtype=torch.float64)
    w = parameter(*[0.0] * 20)
    optimizer = GaussNewton([w], damping=0.5, max_iterations=1, acceleration=0.0)
    optimizer.step(lambda: A @ w - b)
    damping = 0.5 * A.square().sum() / 20
    wanted = torch.linalg.solve(A.T @ A + damping * torch.eye(20), A.T @ b)
    assert torch.allclose(w.detach(), wanted, rtol=1e-10)


def test_the_bend_of_the_valley_saves_iterations():
    """Plain Levenberg-Marquardt creeps along it."""
    losses = {}
    for acceleration in (0.0, 0.75):
        net, residuals = fitting()
        GaussNewton(net.parameters(), acceleration=acceleration, max_iterations=60).step(residuals)
        losses[acceleration] = square(residuals)
    assert losses[0.75] < 0.3 * losses[0.0]


def test_the_loss_never_rises():
    net, residuals = fitting()
    optimizer = GaussNewton(net.parameters(), max_iterations=1)
    losses = [optimizer.step(residuals) for _ in range(30)]
    assert all(after < before for before, after in pairwise(losses))


def test_scaling_the_residuals_changes_nothing():
    """The damping is in units of A'A."""
    ends = []
    for scale in (1.0, 1e4):
        net, residuals = fitting()
        optimizer = GaussNewton(net.parameters(), max_iterations=10)
        optimizer.step(lambda: scale * residuals())  # noqa: B023
        ends.append(torch.cat([p.detach().flatten() for p in net.parameters()]))
    assert torch.allclose(*ends, rtol=1e-6)


# Rows by lot


def of_a_twin():
    """120 parameters, and 400 residuals that a network of the same shape makes vanish."""
    torch.manual_seed(3)
    true, net = (
        nn.Sequential(nn.Linear(2, 30), nn.Tanh(), nn.Linear(30, 1)).double() for _ in range(2)
    )
    x = torch.rand(400, 2, dtype=torch.float64)
    target = true(x).detach()
    return net, lambda: (net(x) - target)[:, 0]


@pytest.mark.full
def test_sampled_rows_reach_a_common_minimum():
    net, residuals = of_a_twin()
    optimizer = GaussNewton(net.parameters(), rows=80, max_iterations=60)
    before = optimizer.step(residuals)
    assert square(residuals) < 1e-6 * before


class Counting:
    """Residuals of two kinds that note which rows are asked for."""

    def __init__(self, w):
        self.parameters, self.sizes, self.asked = [w], [900, 100], []

    def residual(self):
        return (self.parameters[0].detach() - 1.0).repeat(1000)

    def jacobian(self, rows=None):
        self.asked.append(rows)
        return torch.ones(1000 if rows is None else len(rows), 1, dtype=torch.float64)


def test_a_sample_that_says_nothing_is_no_reason_to_stop():
    """One row of a hundred knows of the parameter, and it is rarely drawn."""
    for seed in range(4):
        w = parameter(3.0)
        optimizer = GaussNewton([w], rows=30, seed=seed, max_iterations=20)
        optimizer.step(lambda: torch.cat([w - 1.0, 0.0 * w.expand(99)]))  # noqa: B023
        assert optimizer.iterations > 0
        assert abs(w.item() - 1.0) < 0.1


class Linear(Counting):
    """A w - b, 50 rows."""

    def __init__(self, w):
        super().__init__(w)
        torch.manual_seed(0)
        self.A, self.b = torch.rand(50, 8).double(), torch.rand(50).double()
        self.sizes = [50]

    def residual(self):
        return self.A @ self.parameters[0].detach() - self.b

    def jacobian(self, rows=None):
        self.asked.append(rows)
        return self.A[rows]


@pytest.mark.parametrize("momentum", [0.0, 0.7])
def test_steps_on_sampled_rows_are_damped_towards_the_last_one(momentum):
    """v minimises |A v + r|^2 + damping |v - momentum last|^2."""
    system = Linear(parameter(*[0.0] * 8))
    w = system.parameters[0]
    optimizer = GaussNewton(
        [w], damping=10.0, rows=20, momentum=momentum, acceleration=0.0, decrease=2.0
    )
    optimizer.step(system)
    last, r = w.detach().clone(), system.residual()
    optimizer.step(system)
    assert optimizer.rejections == 0
    rows = system.asked[-1]
    A, r = 2.5**0.5 * system.A[rows], 2.5**0.5 * r[rows]  # 20 of 50
    damping = 2.0 * optimizer.state_dict()["memory"]["damping"]
    wanted = momentum * last
    matrix = A.T @ A + damping * torch.eye(8).double()
    wanted = wanted - torch.linalg.solve(matrix, A.T @ (r + A @ wanted))
    assert torch.allclose(w.detach() - last, wanted, rtol=1e-9)


def test_rows_are_drawn_afresh_and_every_kind_has_its_share():
    system = Counting(parameter(0.0))
    GaussNewton(system.parameters, rows=40, max_iterations=3).step(system)
    first, second = system.asked[:2]
    assert len(first.unique()) == len(first) == 40
    assert int((first >= 900).sum()) == 20  # the small kind may have half of them
    assert not torch.equal(first, second)
    again = Counting(parameter(0.0))
    GaussNewton(again.parameters, rows=40, max_iterations=1).step(again)
    assert torch.equal(again.asked[0], first)


@pytest.mark.parametrize(("memory", "all_of_them"), [(2**30, True), (4000.0, False)])
def test_rows_are_sampled_where_memory_asks_for_it(memory, all_of_them):
    system = Counting(parameter(0.0))
    GaussNewton(system.parameters, memory=memory, max_iterations=1).step(system)
    assert (system.asked[0] is None) == all_of_them


@pytest.mark.parametrize(
    ("sizes", "count", "shares"),
    [
        ([900, 100], 400, [300, 100]),
        ([5000, 700, 90], 400, [200, 110, 90]),
        ([10, 10], 15, [7, 8]),
        ([100], 30, [30]),
    ],
)
def test_small_kinds_are_taken_whole_as_far_as_half_of_the_rows_allow(sizes, count, shares):
    rows, weights = sample_rows(sizes, count, torch.Generator())
    ends = torch.tensor(sizes).cumsum(0)
    kinds = torch.bucketize(rows, ends, right=True)
    assert kinds.bincount(minlength=len(sizes)).tolist() == shares
    assert len(rows.unique()) == count
    for kind, (size, share) in enumerate(zip(sizes, shares, strict=True)):
        assert torch.allclose(
            weights[kinds == kind] ** 2 * share, torch.tensor(1.0 * size).double()
        )


def test_rows_that_lead_nowhere_become_more_until_all_hope_is_lost():
    """The few rows drawn know nothing of the one that holds the minimum."""

    class Misled(Counting):
        def residual(self):
            w = float(self.parameters[0].detach())
            return torch.cat([torch.full((999,), 1e-3), torch.tensor([w**2 + 1.0])]).double()

        def jacobian(self, rows=None):
            self.asked.append(rows)
            return torch.full((1000 if rows is None else len(rows), 1), 1.0, dtype=torch.float64)

    system = Misled(parameter(0.0))
    system.sizes = [1000]
    optimizer = GaussNewton(system.parameters, rows=20, max_iterations=3)
    optimizer.step(system)
    assert optimizer.stop_reason.startswith("no step lowers")
    assert [len(rows) for rows in system.asked[:3]] == [20, 25, 31]
    assert len(system.asked) == 10
    assert torch.equal(system.parameters[0].detach(), torch.zeros(1, dtype=torch.float64))


def test_rows_that_lead_nowhere_are_drawn_anew():
    """The first row pulls away from the minimum, the others towards it."""
    for seed in range(6):
        w = parameter(0.0)
        optimizer = GaussNewton([w], rows=1, seed=seed)
        optimizer.step(lambda: torch.cat([w - 1.0, w + 1.0, w + 1.0]))  # noqa: B023
        assert optimizer.iterations == 1
        assert w.item() < 0.0


# What is reported


def test_counts_and_reasons():
    w = parameter(0.3)
    optimizer = GaussNewton([w], max_iterations=50)
    calls = []
    optimizer.step(lambda: calls.append(1) or torch.stack([w[0] ** 2 + 1.0]))
    assert optimizer.stop_reason.startswith("no step lowers the loss 1")
    assert optimizer.evaluations == len(calls)
    assert 0 < optimizer.iterations < 50
    assert optimizer.rejections > 10  # of the last iteration, up to the highest damping
    assert w.detach().abs() < 1e-6


def test_the_bend_is_that_of_the_second_derivative():
    """w^2 = 1 + h from w = 1: v - v^2 / 2 with v = h / 2, right to the third order."""
    w = parameter(1.0)
    GaussNewton([w], damping=1e-12).step(lambda: w**2 - 1.21)
    assert w.item() == pytest.approx(1.0 + 0.105 - 0.105**2 / 2, abs=1e-9)


@pytest.mark.parametrize(("rows", "told"), [(80, "at a minimum"), (1, "5 of 80 rows at a time")])
def test_a_minimum_is_told_only_where_all_rows_were_seen(rows, told):
    w = parameter(1e-3)
    optimizer = GaussNewton([w], rows=rows, memory=40.0, max_iterations=200)
    optimizer.step(lambda: torch.cat([w - 1.0, w + 1.0] * 40))
    assert told in optimizer.stop_reason
    if rows == 80:  # the damping of the stop is not kept
        assert optimizer.state_dict()["memory"]["damping"] < 1e3


@pytest.mark.parametrize(
    ("options", "reason"),
    [({"tolerance_gradient": 1e-3}, "gradient below"), ({"tolerance_change": 0.2}, "change below")],
)
def test_tolerances_stop_it(options, reason):
    w = parameter(1.0)
    optimizer = GaussNewton([w], max_iterations=100, **options)
    optimizer.step(lambda: torch.stack([w[0] ** 2 + 1.0]))
    assert optimizer.stop_reason.startswith(reason)
    assert optimizer.iterations < 30


def test_a_loss_of_zero_stops_it():
    w = parameter(2.0)
    optimizer = GaussNewton([w])
    optimizer.step(lambda: w - 2.0)
    assert optimizer.stop_reason.startswith("gradient below tolerance")
    assert optimizer.iterations == 0


def test_residuals_whose_squares_underflow_stop_it():
    w = parameter(2.0)
    optimizer = GaussNewton([w], max_iterations=100)
    optimizer.step(lambda: 1.0 + 1e-170 * w)
    assert optimizer.stop_reason.startswith("no step lowers the loss 1")


def test_nan_stops_it_and_leaves_the_parameters_alone():
    w = parameter(-1.0)
    optimizer = GaussNewton([w])
    optimizer.step(lambda: torch.log(w))
    assert optimizer.stop_reason.startswith("loss not finite")
    assert torch.equal(w.detach(), torch.tensor([-1.0]))
    v = parameter(1e-3)
    GaussNewton([v], damping=1e-6, max_iterations=5).step(lambda: torch.log(v) - 3.0)
    assert v.detach() > 0.0  # steps over the edge were rejected


# What is saved


def test_a_saved_state_continues_bit_for_bit():
    net, residuals = fitting()
    optimizer = GaussNewton(net.parameters(), max_iterations=3, rows=30)
    optimizer.step(residuals)
    saved, weights = copy.deepcopy(optimizer.state_dict()), copy.deepcopy(net.state_dict())
    optimizer.step(residuals)
    ended = copy.deepcopy(net.state_dict())
    other, residuals = fitting()
    other.load_state_dict(weights)
    resumed = GaussNewton(other.parameters(), max_iterations=3, rows=30)
    resumed.load_state_dict(saved)
    resumed.step(residuals)
    assert all(torch.equal(ended[name], value) for name, value in other.state_dict().items())
    assert resumed.iterations == optimizer.iterations == 6
    assert resumed.evaluations == optimizer.evaluations


def test_single_precision_is_a_choice():
    net, residuals = fitting(dtype=torch.float32)
    before = square(residuals)
    GaussNewton(net.parameters(), max_iterations=40).step(residuals)
    assert next(net.parameters()).dtype == torch.float32
    assert square(residuals) < 1e-4 * before


# At the door


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"damping": 0.0}, ValueError, "damping to be finite and positive"),
        ({"increase": 1.0}, ValueError, "increase to be finite and above 1"),
        ({"max_iterations": 0}, ValueError, "max_iterations to be at least 1"),
        ({"rows": 2.5}, TypeError, "rows to be an integer"),
        ({"momentum": 1.0}, ValueError, "momentum to be below 1"),
        ({"seed": -1}, ValueError, "seed to be an integer >= 0"),
        ({"acceleration": math.nan}, ValueError, "acceleration to be finite"),
        ({"memory": "1 GB"}, TypeError, "memory to be a number"),
    ],
)
def test_options_are_checked(options, error, message):
    with pytest.raises(error, match=message):
        GaussNewton([parameter(1.0)], **options)


def test_what_is_no_residual_is_told():
    w = parameter(1.0, 2.0)
    optimizer = GaussNewton([w])
    for closure, error, message in (
        (lambda: w.square().sum(), TypeError, r"tensor \(m,\).*got shape \(\)"),
        (lambda: None, TypeError, "NoneType"),
        (lambda: w.detach(), ValueError, "do not depend on the parameters"),
        (3.0, TypeError, "expected residuals with a Jacobian"),
    ):
        with pytest.raises(error, match=message):
            optimizer.step(closure)
    with pytest.raises(ValueError, match="not the same"):
        optimizer.step(Counting(parameter(1.0)))
