"""L-BFGS: the iterates of torch's, counts that mean what they say, and reasons for stopping."""

import copy
import math

import pytest
import torch
from torch import nn

from dtpinn.optim import LBFGS, strong_wolfe
from tests.marks import mostly_full


def rosenbrock(x):
    return (100.0 * (x[1:] - x[:-1] ** 2) ** 2 + (1.0 - x[:-1]) ** 2).sum()


def start(n, dtype=torch.float64):
    x = torch.full((n,), -1.2, dtype=dtype)
    x[1::2] = 1.0
    return nn.Parameter(x)


def closure_for(optimizer, loss, calls=None):
    def closure():
        optimizer.zero_grad()
        value = loss()
        value.backward()
        if calls is not None:
            calls.append(float(value.detach()))
        return value

    return closure


def regression(dtype=torch.float64):
    """A small network, so several parameters of different shapes, and its loss."""
    torch.manual_seed(0)
    net = nn.Sequential(nn.Linear(2, 10), nn.Tanh(), nn.Linear(10, 1)).to(dtype)
    x = torch.rand(50, 2, dtype=torch.float64).to(dtype)
    target = torch.sin(3.0 * x[:, :1]) * x[:, 1:]
    return net, lambda: ((net(x) - target) ** 2).mean()


def flat(net):
    return torch.cat([p.detach().reshape(-1) for p in net.parameters()])


# The papers' setting: no line search, as torch.optim.LBFGS


@pytest.mark.parametrize("lr", [0.04, 0.4])
@pytest.mark.parametrize("history_size", [3, 100])
def test_without_line_search_the_iterates_are_torchs(lr, history_size):
    ours, loss = regression()
    theirs, their_loss = regression()
    a = LBFGS(ours.parameters(), lr, history_size=history_size, line_search=None)
    b = torch.optim.LBFGS(theirs.parameters(), lr, history_size=history_size)
    calls_a, calls_b = [], []
    for tolerance in (1e-11, 1e-9, 1e-6):  # 60 iterations, and round-off grows with them
        first = a.step(closure_for(a, loss, calls_a)).detach()
        second = b.step(closure_for(b, their_loss, calls_b)).detach()
        torch.testing.assert_close(first, second, rtol=tolerance, atol=0.0)
        torch.testing.assert_close(flat(ours), flat(theirs), rtol=tolerance, atol=tolerance)
    assert len(calls_a) == len(calls_b) == a.evaluations == a.iterations == 60


def test_the_change_tolerance_ends_a_step_where_torchs_does():
    ours, loss = regression()
    theirs, their_loss = regression()
    a = LBFGS(ours.parameters(), 0.3, line_search=None, tolerance_change=1e-5)
    b = torch.optim.LBFGS(theirs.parameters(), 0.3, tolerance_change=1e-5, tolerance_grad=1e-10)
    calls_a, calls_b = [], []
    for _ in range(15):
        a.step(closure_for(a, loss, calls_a))
        b.step(closure_for(b, their_loss, calls_b))
    assert len(calls_a) == len(calls_b) < 300
    assert a.stop_reason is not None


def two_loop(pairs, g):
    """Nocedal and Wright, algorithm 7.4, as it is printed."""
    if not pairs:
        return g
    q, alphas = g, []
    for s, y in reversed(pairs):
        alphas.append(s.dot(q) / s.dot(y))
        q = q - alphas[-1] * y
    s, y = pairs[-1]
    q = q * (s.dot(y) / y.dot(y))
    for (s, y), alpha in zip(pairs, reversed(alphas), strict=True):
        q = q + s * (alpha - y.dot(q) / s.dot(y))
    return q


def plain_lbfgs(x, function, size, iterations):
    """Points of L-BFGS with nothing but that recursion and the line search."""
    pairs, (value, g) = [], function(x)
    for _ in range(iterations):
        d = -two_loop(pairs, g)
        first = 1.0 if pairs else min(1.0, 1.0 / float(g.abs().sum()))

        def phi(t, x=x, d=d):
            value, g = function(x + t * d)
            return float(value), float(g.dot(d))

        t = strong_wolfe(phi, float(value), float(g.dot(d)), first).best.t
        before, x = g, x + t * d
        value, g = function(x)
        pairs = [*pairs, (t * d, g - before)][-size:]
        yield x


@pytest.mark.parametrize("size", [5, 100])
def test_with_line_search_the_iterates_are_those_of_the_two_loop_recursion(size):
    net, loss = regression()
    twin, twin_loss = regression()

    def at(x):
        nn.utils.vector_to_parameters(x, twin.parameters())
        value = twin_loss()
        slopes = torch.autograd.grad(value, list(twin.parameters()))
        return value.detach(), torch.cat([g.reshape(-1) for g in slopes])

    optimizer = LBFGS(net.parameters(), max_iterations=1, history_size=size)
    wanted = plain_lbfgs(flat(twin), at, size, 40)
    for iteration, x in enumerate(wanted):
        optimizer.step(closure_for(optimizer, loss))
        # Round-off, which every iteration multiplies: 1e-15 at first, 1e-8 at worst at the end.
        tolerance = 1e-13 * 2.5 ** min(iteration, 20)
        torch.testing.assert_close(flat(net), x, rtol=tolerance, atol=tolerance)
    assert iteration == 39


def test_with_line_search_and_steps_of_one_the_iterates_are_torchs():
    """Where neither search has to look further; they look further in different ways."""
    generator = torch.Generator().manual_seed(0)
    root = torch.randn(30, 30, generator=generator, dtype=torch.float64)
    a = torch.linalg.matrix_exp(0.06 * (root + root.T))  # eigenvalues around 1

    def loss_of(x):
        return lambda: 0.5 * x @ a @ x + 0.1 * (x**4).sum() - 0.01 * x.sum()

    x, z = (nn.Parameter(torch.full((30,), 0.02, dtype=torch.float64)) for _ in range(2))
    ours = LBFGS([x], max_iterations=1, minimum_curvature=1e-10)  # torch's own
    theirs = torch.optim.LBFGS(
        [z], max_iter=1, line_search_fn="strong_wolfe", tolerance_grad=1e-10, tolerance_change=0
    )
    for _ in range(20):
        ours.step(closure_for(ours, loss_of(x)))
        theirs.step(closure_for(theirs, loss_of(z)))
        torch.testing.assert_close(x.detach(), z.detach(), rtol=1e-8, atol=1e-12)
    assert ours.evaluations == 2 * ours.iterations == 40


# Convergence


@pytest.mark.parametrize("n", mostly_full([2, 100], {2}.__contains__))
def test_rosenbrock_to_machine_precision_in_no_more_evaluations_than_torch(n):
    x, z = start(n), start(n)
    a = LBFGS([x], max_iterations=1000)
    calls, theirs = [], []
    a.step(closure_for(a, lambda: rosenbrock(x), calls))
    b = torch.optim.LBFGS(
        [z],
        max_iter=1000,
        max_eval=5000,
        tolerance_grad=1e-10,
        tolerance_change=0,
        line_search_fn="strong_wolfe",
    )
    b.step(closure_for(b, lambda: rosenbrock(z), theirs))
    torch.testing.assert_close(x.detach(), torch.ones(n, dtype=torch.float64))
    assert a.stop_reason.startswith("gradient below tolerance")
    reach = [next(i for i, v in enumerate(c) if v < 1e-16) for c in (calls, theirs)]
    assert reach[0] <= 1.2 * reach[1]


def test_as_few_evaluations_as_scipy():
    optimize = pytest.importorskip("scipy.optimize")
    x, calls = start(10), []
    a = LBFGS([x], max_iterations=500, history_size=10)
    a.step(closure_for(a, lambda: rosenbrock(x), calls))

    def value(v):
        p = torch.tensor(v, requires_grad=True)
        f = rosenbrock(p)
        return float(f.detach()), torch.autograd.grad(f, p)[0].numpy()

    options = {"maxcor": 10, "gtol": 1e-10, "ftol": 0.0}
    result = optimize.minimize(
        value, start(10).detach().numpy(), jac=True, method="L-BFGS-B", options=options
    )
    assert a.evaluations <= 1.3 * result.nfev


def test_a_quadratic_in_n_dimensions_ends_within_few_more_than_n_iterations():
    a = torch.diag(torch.linspace(1, 20, 8, dtype=torch.float64))
    x = nn.Parameter(torch.ones(8, dtype=torch.float64))
    optimizer = LBFGS([x], max_iterations=60)
    optimizer.step(closure_for(optimizer, lambda: 0.5 * x @ a @ x))
    assert optimizer.stop_reason.startswith("gradient")
    assert x.abs().max() < 1e-10
    assert optimizer.iterations < 30


def test_single_precision_keeps_going_where_the_loss_no_longer_resolves():
    x = start(20, torch.float32)
    optimizer = LBFGS([x], max_iterations=400, tolerance_gradient=1e-4)
    optimizer.step(closure_for(optimizer, lambda: 1.0 + rosenbrock(x)))
    assert x.dtype == torch.float32
    assert (x - 1).abs().max() < 1e-3  # sqrt(eps) of the loss would be 3e-4 times the curvature


@pytest.mark.parametrize("lr", [1e8, 1e-6])
def test_a_line_search_forgives_any_first_step(lr):
    net, loss = regression()
    optimizer = LBFGS(net.parameters(), lr, max_iterations=30)
    before = float(loss().detach())
    optimizer.step(closure_for(optimizer, loss))
    assert float(loss().detach()) < 0.3 * before


# Counting


@pytest.mark.parametrize("line_search", ["strong_wolfe", None])
def test_iterations_are_iterations_and_evaluations_are_calls(line_search):
    net, loss = regression()
    optimizer = LBFGS(net.parameters(), 0.1, max_iterations=7, line_search=line_search)
    calls = []
    for k in range(1, 4):
        optimizer.step(closure_for(optimizer, loss, calls))
        assert optimizer.iterations == 7 * k
        assert optimizer.evaluations == len(calls)
        assert optimizer.stop_reason is None


def test_one_iteration_per_step_still_searches():
    net, loss = regression()
    optimizer = LBFGS(net.parameters(), max_iterations=1)
    calls = []
    for _ in range(40):
        optimizer.step(closure_for(optimizer, loss, calls))
    assert optimizer.iterations == 40
    assert calls[-1] < 0.05 * calls[0]


def test_no_iteration_begins_once_the_evaluations_are_spent():
    net, loss = regression()
    optimizer = LBFGS(net.parameters(), 0.1, max_evaluations=5, line_search=None)
    optimizer.step(closure_for(optimizer, loss))
    assert optimizer.evaluations == 5
    assert optimizer.iterations == 4


def test_the_first_loss_is_returned_as_the_closure_gave_it():
    net, loss = regression()
    optimizer = LBFGS(net.parameters())
    given = []

    def closure():
        optimizer.zero_grad()
        value = loss()
        value.backward()
        given.append(value)
        return value

    assert optimizer.step(closure) is given[0]


# Stopping


def test_at_a_minimum_it_stops_at_once_and_says_so_again():
    x = nn.Parameter(torch.zeros(3, dtype=torch.float64))
    optimizer = LBFGS([x])
    for k in (1, 2):
        optimizer.step(closure_for(optimizer, lambda: (x**2).sum()))
        assert optimizer.stop_reason.startswith("gradient below tolerance: its largest entry is 0")
        assert (optimizer.iterations, optimizer.evaluations) == (0, k)


def test_a_stop_reason_goes_away_when_the_problem_changes():
    x = nn.Parameter(torch.zeros(3, dtype=torch.float64))
    optimizer = LBFGS([x])
    optimizer.step(closure_for(optimizer, lambda: (x**2).sum()))
    optimizer.step(closure_for(optimizer, lambda: ((x - 1) ** 4 + (x - 1) ** 2).sum()))
    torch.testing.assert_close(x.detach(), torch.ones(3, dtype=torch.float64))


def test_a_gradient_that_lies_is_reported_and_the_parameters_stay():
    x = nn.Parameter(torch.ones(2, dtype=torch.float64))
    optimizer = LBFGS([x])

    def closure():
        x.grad = -2.0 * x.detach()
        return (x.detach() ** 2).sum()

    optimizer.step(closure)
    assert optimizer.stop_reason.startswith("line search found no decrease")
    assert torch.equal(x.detach(), torch.ones(2, dtype=torch.float64))


def test_a_spoiled_history_is_forgotten_before_giving_up():
    x = start(4)
    optimizer = LBFGS([x], max_iterations=10)
    optimizer.step(closure_for(optimizer, lambda: rosenbrock(x)))
    optimizer._history.inverse.neg_()  # directions of ascent
    optimizer._history.gamma *= -1
    optimizer.step(closure_for(optimizer, lambda: rosenbrock(x)))
    assert optimizer.stop_reason is None
    assert optimizer.iterations == 20
    assert len(optimizer._history) <= 10  # what was spoiled is gone


def test_a_direction_without_decrease_is_answered_by_the_steepest_descent(monkeypatch):
    x = start(4)
    optimizer = LBFGS([x], max_iterations=2)
    optimizer.step(closure_for(optimizer, lambda: rosenbrock(x)))
    before = float(rosenbrock(x).detach())
    # Downhill, but 25 evaluations do not come down to a step that short
    monkeypatch.setattr(optimizer._history, "inverse_hessian_product", lambda g: 1e60 * g)
    optimizer.step(closure_for(optimizer, lambda: rosenbrock(x)))
    assert optimizer.stop_reason is None
    assert optimizer.iterations == 4
    assert float(rosenbrock(x).detach()) < before


@pytest.mark.parametrize("bad", [math.nan, math.inf])
def test_when_the_loss_is_no_number_the_parameters_go_back(bad):
    x = nn.Parameter(torch.tensor([1.0], dtype=torch.float64))
    optimizer = LBFGS([x], 3.0, line_search=None)

    def loss():
        return (x**2).sum() if x.abs().max() <= 1.0 else (x * bad).sum()

    optimizer.step(closure_for(optimizer, loss))  # 1 -> -0.5 -> 1.0... -> beyond 1
    assert optimizer.stop_reason.startswith("loss not finite")
    assert torch.isfinite(loss())


def test_a_loss_that_never_was_a_number_is_reported():
    x = nn.Parameter(torch.tensor([math.nan], dtype=torch.float64))
    optimizer = LBFGS([x])
    optimizer.step(closure_for(optimizer, lambda: (x**2).sum()))
    assert optimizer.stop_reason.startswith("loss not finite: the loss became nan (before any move")


def test_pairs_of_negative_curvature_are_left_out():
    x = nn.Parameter(torch.tensor([0.1], dtype=torch.float64))
    optimizer = LBFGS([x], 0.1, max_iterations=3, line_search=None)
    optimizer.step(closure_for(optimizer, lambda: torch.cos(3.0 * x).sum()))  # concave at 0.1
    assert len(optimizer._history) == 0
    assert x > 0.1  # downhill all the same


# Continuing


@pytest.mark.parametrize("line_search", ["strong_wolfe", None])
@pytest.mark.parametrize("steps", [0, 1, 9])
def test_a_resumed_run_continues_bit_for_bit(line_search, steps, tmp_path):
    options = {"max_iterations": 5, "history_size": 12, "line_search": line_search}
    net, loss = regression()
    a = LBFGS(net.parameters(), 0.2, **options)
    for _ in range(steps):
        a.step(closure_for(a, loss))
    torch.save([net.state_dict(), a.state_dict()], tmp_path / "checkpoint.pt")

    twin, twin_loss = regression()
    weights, state = torch.load(tmp_path / "checkpoint.pt", weights_only=True)
    twin.load_state_dict(weights)
    b = LBFGS(twin.parameters(), 1.0)  # the options come with the state
    b.load_state_dict(state)
    for _ in range(4):
        a.step(closure_for(a, loss))
        b.step(closure_for(b, twin_loss))
        assert torch.equal(flat(net), flat(twin))
    assert (a.iterations, a.evaluations) == (b.iterations, b.evaluations)


def test_a_state_is_a_snapshot_that_later_steps_leave_alone():
    net, loss = regression()
    optimizer = LBFGS(net.parameters(), max_iterations=3)
    optimizer.step(closure_for(optimizer, loss))
    weights, state = copy.deepcopy(net.state_dict()), optimizer.state_dict()
    ends = []
    for _ in range(2):  # forward, back, forward again
        optimizer.step(closure_for(optimizer, loss))
        ends.append(flat(net))
        net.load_state_dict(weights)
        optimizer.load_state_dict(state)
    assert torch.equal(*ends)


def test_a_deep_copy_of_model_and_optimizer_continues_alike():
    net, loss = regression()
    optimizer = LBFGS(net.parameters(), max_iterations=4)
    optimizer.step(closure_for(optimizer, loss))
    twin = copy.deepcopy({"net": net, "optimizer": optimizer})
    optimizer.step(closure_for(optimizer, loss))
    other, x = twin["net"], torch.rand(3, 2, dtype=torch.float64)
    assert not torch.equal(other(x), net(x))
    _, reference_loss = regression()
    data = reference_loss.__closure__
    cells = {
        c.cell_contents.shape[-1]: c.cell_contents for c in data if torch.is_tensor(c.cell_contents)
    }
    twin["optimizer"].step(
        closure_for(twin["optimizer"], lambda: ((other(cells[2]) - cells[1]) ** 2).mean())
    )
    assert torch.equal(flat(other), flat(net))


def test_it_follows_a_model_that_changes_its_precision():
    net, loss = regression(torch.float32)
    optimizer = LBFGS(net.parameters(), max_iterations=5)
    optimizer.step(closure_for(optimizer, loss))
    net.double()
    x = torch.rand(20, 2, dtype=torch.float64)
    optimizer.step(closure_for(optimizer, lambda: (net(x) ** 2).mean()))
    assert optimizer.iterations == 10
    assert next(net.parameters()).dtype == torch.float64


def test_a_learning_rate_scheduler_is_heard():
    x = nn.Parameter(torch.ones(1, dtype=torch.float64))
    optimizer = LBFGS([x], 0.5, max_iterations=1, line_search=None)
    scheduler = torch.optim.lr_scheduler.StepLR(optimizer, 1, gamma=0.5)
    closure = closure_for(optimizer, lambda: (x**2).sum() / 2)  # Newton steps of length lr
    optimizer.step(closure)
    scheduler.step()
    optimizer.step(closure)
    assert float(x.detach()) == pytest.approx(0.5 * 0.75)


# The door


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"lr": 0.0}, ValueError, "lr"),
        ({"lr": "fast"}, TypeError, "lr"),
        ({"max_iterations": 0}, ValueError, "max_iterations"),
        ({"max_iterations": 2.5}, TypeError, "max_iterations"),
        ({"max_evaluations": 0}, ValueError, "max_evaluations"),
        ({"history_size": -1}, ValueError, "history_size"),
        ({"tolerance_gradient": -1.0}, ValueError, "tolerance_gradient"),
        ({"tolerance_change": math.nan}, ValueError, "tolerance_change"),
        ({"line_search": "armijo"}, ValueError, "'strong_wolfe' or None, got 'armijo'"),
        ({"max_iter": 20}, TypeError, "max_iter"),
    ],
)
def test_bad_options_are_named(options, error, message):
    with pytest.raises(error, match=message):
        LBFGS([start(2)], **options)


def test_bad_parameters_are_named():
    x = start(2)
    with pytest.raises(ValueError, match="one parameter group"):
        LBFGS([{"params": [x]}, {"params": [start(3)]}])
    with pytest.raises(ValueError, match=r"parameter 1 is torch.float32 .* 0 is torch.float64"):
        LBFGS([x, start(2, torch.float32)])
    with pytest.raises(TypeError, match="complex"):
        LBFGS([nn.Parameter(torch.zeros(2, dtype=torch.complex128))])


def test_bad_closures_are_named():
    x = start(2)
    optimizer = LBFGS([x])
    with pytest.raises(TypeError, match="closure"):
        optimizer.step(None)
    with pytest.raises(TypeError, match="returned None"):
        optimizer.step(lambda: None)
    with pytest.raises(ValueError, match=r"shape \(2,\)"):
        optimizer.step(lambda: x * 1.0)
    with pytest.raises(ValueError, match=r"loss\.backward"):
        optimizer.step(lambda: rosenbrock(x))


def test_another_optimizers_state_is_refused():
    x = start(2)
    with pytest.raises(ValueError, match="without the key 'memory'"):
        LBFGS([x]).load_state_dict(torch.optim.Adam([x]).state_dict())


@pytest.mark.gpu
def test_on_a_gpu_it_goes_the_same_way():
    if not torch.cuda.is_available():
        pytest.skip("no CUDA device")
    ends = []
    for device in ("cpu", "cuda"):
        x = nn.Parameter(start(6).detach().to(device))
        optimizer = LBFGS([x], max_iterations=15)
        optimizer.step(closure_for(optimizer, lambda x=x: rosenbrock(x)))
        ends.append(x.detach().cpu())
    torch.testing.assert_close(*ends, rtol=1e-8, atol=1e-10)
