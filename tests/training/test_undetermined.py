"""Unknown coefficients on which nothing depends are named, and no others."""

from __future__ import annotations

import warnings

import pytest
import torch
from torch import nn

import dtpinn
from dtpinn.training.undetermined import undetermined

TOLD = "do not determine the unknown coefficient"


def unknown(value=1.0):
    return nn.Parameter(torch.tensor(value, dtype=torch.float64))


class Stream(dtpinn.PDE):
    """Lap u + a u + c u_y = f with measurements of u; a = 4, and c counts if u depends on y."""

    def __init__(self, tilt, size=1.0, start=1.0):
        super().__init__()
        self.a, self.c, self.idle = unknown(), unknown(start), None
        self.tilt, self.size = tilt, size

    def u(self, x):
        return self.size * torch.sin(3 * x[:, 0] + self.tilt * x[:, 1])

    def residual(self, u, D, x):
        known = (4 - 9 - self.tilt**2) * self.u(x)
        equation = D.laplacian(u) + self.a * u + self.c * D.partial(u, 1) - known
        return torch.stack([equation, u - self.u(x)], dim=1)

    def boundary(self, u, D, x, n):
        return u - self.u(x)


class Cooling(dtpinn.PDE):
    """c u_t = Lap u + f from data that do not change, or that do, with c = 1."""

    def __init__(self, rate):
        super().__init__()
        self.c, self.rate = unknown(), rate

    def u(self, x, t):
        return torch.exp(-self.rate * t) * torch.sin(3 * x[:, 0])

    def residual(self, u, D, x, t):
        equation = self.c * D.time(u) - D.laplacian(u) - (9 - self.rate) * self.u(x, t)
        return torch.stack([equation, u - self.u(x, t)], dim=1)

    def boundary(self, u, D, x, n, t):
        return u - self.u(x, t)

    def initial(self, u, D, x):
        return u - self.u(x, torch.zeros_like(x[:, 0]))


def told(pde, epochs, optimizer, seed=0, make=dtpinn.discretize, width=16):
    """What fit says of the coefficients after a training, and what they have become."""
    if isinstance(pde, Cooling):
        nodes = dtpinn.place_nodes(dtpinn.geometry.Interval(0.0, 1.0), spacing=0.05)
        options = {"times": torch.linspace(0.0, 1.0, 6)}
    else:
        nodes, options = dtpinn.place_nodes(dtpinn.geometry.Disk(), spacing=0.2, seed=seed), {}
    model = dtpinn.MLP(2, width=width, depth=1, seed=seed)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        result = dtpinn.fit(model, make(pde, nodes, **options), epochs, optimizer=optimizer)
    mine = [w for w in caught if TOLD in str(w.message)]
    assert all(w.filename == __file__ for w in mine)
    return [str(w.message).split(TOLD)[1].split(":")[0].strip() for w in mine], result.coefficients


@pytest.mark.parametrize(("size", "seed"), [(1.0, 0), (1e6, 1)])
def test_what_multiplies_a_derivative_that_vanishes_is_named(size, seed):
    names, found = told(Stream(0.0, size), 40, "gauss-newton", seed)
    assert names == ["c"]
    assert found["a"] == pytest.approx(4.0, rel=0.02)


@pytest.mark.parametrize(("start", "seed"), [(0.0, 0), (1.0, 1)])
def test_what_counts_is_not_though_it_turns_out_to_be_nothing(start, seed):
    names, found = told(Stream(1.0, start=start), 40, "gauss-newton", seed)
    assert names == []
    assert abs(found["c"]) < 0.05


@pytest.mark.full
def test_in_time():
    assert told(Cooling(0.0), 20, "gauss-newton")[0] == ["c"]
    names, found = told(Cooling(1.0), 20, "gauss-newton")
    assert names == []
    assert found["c"] == pytest.approx(1.0, rel=0.05)


@pytest.mark.full
@pytest.mark.parametrize("seed", [0, 1])
def test_with_either_kind_of_derivative_and_where_matrices_are_fulfilled_to_the_last_digit(seed):
    for make in (dtpinn.discretize, dtpinn.vanilla):
        assert told(Stream(0.0), 20, "lbfgs", seed, make)[0] == ["c"]
        assert told(Stream(1.0), 20, "lbfgs", seed, make)[0] == []
    names, found = told(Stream(0.0), 300, "gauss-newton", seed, width=40)
    assert names == ["c"]
    assert abs(found["c"]) > 10.0  # it makes up for the truncation error


def test_a_training_that_has_only_begun_shows_nothing():
    for optimizer in ("lbfgs", torch.optim.SGD):
        assert told(Stream(0.0), 1, optimizer)[0] == []


def test_what_is_not_used_is_named_at_once_and_what_is_not_learnt_never():
    idle = Stream(1.0)
    idle.idle = unknown(3.0)
    assert told(idle, 1, "lbfgs")[0] == ["idle"]
    idle.idle.requires_grad_(False)
    assert told(idle, 1, "lbfgs")[0] == []


def test_asking_leaves_no_trace():
    class Noisy(Stream):
        def residual(self, u, D, x):
            return super().residual(u, D, x) + torch.rand(len(x), 1, dtype=x.dtype)

    nodes = dtpinn.place_nodes(dtpinn.geometry.Disk(), spacing=0.2)
    problem = dtpinn.discretize(Noisy(0.0), nodes)
    before = torch.get_rng_state()
    undetermined(problem.pde.u, problem)
    assert torch.equal(torch.get_rng_state(), before)
    assert all(p.grad is None for p in problem.parameters())
