"""A checkpoint belongs to one problem: any other is refused by name, and nothing is loaded."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

import dtpinn
from dtpinn.geometry import Disk
from dtpinn.training.identity import differences, identity

SPACING, TIMES = 0.2, [0.0, 0.1, 0.3]


def nodes(spacing=SPACING, seed=0, domain=None):
    return dtpinn.place_nodes(domain or Disk(), spacing=spacing, seed=seed)


def poisson(f=1.0, g=0.0, **options):
    return dtpinn.Poisson(lambda x: f + 0 * x[:, 0], dtpinn.Dirichlet(lambda x, n: g + x[:, 0]))


def steady(pde=None, order=3, cloud=None, make=dtpinn.discretize, **options):
    return make(pde or poisson(), cloud or nodes(), **({"order": order} | options))


def vanilla(**options):
    return dtpinn.vanilla(poisson(), nodes(), **options)


class Weighted(dtpinn.problem.DiscreteProblem):
    def loss_parts(self, residuals):
        parts = super().loss_parts(residuals)
        return {**parts, "pde": 0.01 * parts["pde"]}


def weighted():
    made = steady()
    made.__class__ = Weighted
    made.__class__.__name__ = "DiscreteProblem"  # so that the weights alone differ
    return made


def own_matrix():
    L = dtpinn.rbffd.laplacian(nodes(), order=4)
    return steady(operators={"laplacian": L})


OTHERS = {
    "order 3, this run has 5": lambda: steady(order=5),
    "nodes Nodes.*digest .* this run has Nodes": lambda: steady(cloud=nodes(seed=1)),
    "nodes": lambda: steady(cloud=nodes(domain=Disk(1.01))),
    r"options {}, this run has {'exponent': '7'}": lambda: steady(exponent=7),
    r"operators \[\], this run has \['laplacian'\]": own_matrix,
    "equation Poisson, this run has Helmholtz": lambda: steady(
        dtpinn.Helmholtz(None, dtpinn.Dirichlet(), wavenumber=2.0)
    ),
    r"order 3, this run has 5; with the problem's options {}, this run has {'exponent': '7'}\. To "
    "train": lambda: steady(order=5, exponent=7),
    "the PDE's k none, .*; with the problem's equation Poisson, .*; with the problem's order": (
        lambda: steady(Learning(1.5), order=5)
    ),
    "the residual 'pde' of a test function": lambda: steady(poisson(f=1.001)),
    "the residual 'boundary' of a test function": lambda: steady(poisson(g=0.5)),
    "residual 'pde' of a test function ": weighted,
    "kind DiscreteProblem, this run has AutomaticProblem": vanilla,
}


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory):
    path = tmp_path_factory.mktemp("run") / "c.pt"
    dtpinn.fit(dtpinn.MLP(2, width=6, depth=1, seed=0), steady(), epochs=1, checkpoint=path)
    return path


@pytest.mark.parametrize("told", OTHERS)
def test_another_problem_is_refused_by_name(told, checkpoint):
    model = dtpinn.MLP(2, width=6, depth=1, seed=1)
    before = {name: value.clone() for name, value in model.state_dict().items()}
    with pytest.raises(ValueError, match=f"cannot resume from .*: it was made with .*{told}"):
        dtpinn.fit(model, OTHERS[told](), epochs=2, resume=checkpoint)
    assert all(torch.equal(before[name], value) for name, value in model.state_dict().items())


def test_the_same_problem_made_again_goes_on_and_the_remedy_works(checkpoint):
    model = dtpinn.MLP(2, width=6, depth=1, seed=1)
    assert dtpinn.fit(model, steady(), epochs=2, resume=checkpoint).epochs == 2
    state = torch.load(checkpoint)["model"]
    model.load_state_dict(state)  # as the message tells
    assert dtpinn.fit(model, steady(order=5), epochs=1).epochs == 1


def test_other_times_are_another_problem(tmp_path):
    heat = dtpinn.Heat.from_solution(lambda x, t: torch.exp(-t) * x[:, 0])
    make = lambda times: dtpinn.discretize(heat, nodes(), 2, times=times)  # noqa: E731
    model = dtpinn.MLP(3, width=6, depth=1, seed=0)
    dtpinn.fit(model, make(TIMES), epochs=1, checkpoint=tmp_path / "c.pt")
    assert dtpinn.fit(model, make(TIMES), epochs=2, resume=tmp_path / "c.pt").epochs == 2
    with pytest.raises(ValueError, match=r"the problem's times 3 from 0 to 0.3, .* this run has 3"):
        dtpinn.fit(model, make([0.0, 0.2, 0.3]), epochs=2, resume=tmp_path / "c.pt")


class Learning(dtpinn.PDE):
    def __init__(self, start, load=1.0):
        super().__init__()
        self.k = nn.Parameter(torch.tensor(start, dtype=torch.float64))
        self.load = load

    def residual(self, u, D, x):
        return self.k * D.laplacian(u) + self.load

    def boundary(self, u, D, x, n):
        return u


def test_coefficients_that_were_learnt_are_the_checkpoints_and_no_difference(tmp_path):
    path, model = tmp_path / "c.pt", dtpinn.MLP(2, width=6, depth=1, seed=0)
    first = dtpinn.fit(model, steady(Learning(1.5)), epochs=2, checkpoint=path)
    assert abs(first.coefficients["k"] - 1.5) > 1e-6
    again = steady(Learning(1.5))
    assert dtpinn.fit(model, again, epochs=2, resume=path).coefficients == first.coefficients
    other = steady(Learning(1.5, load=2.0))
    with pytest.raises(ValueError, match="residual 'pde' of a test function"):
        dtpinn.fit(model, other, epochs=3, resume=path)
    assert float(other.pde.k.detach()) == 1.5


@pytest.mark.parametrize("scale", [1e-6, 1.0, 1e4])
def test_rounding_in_the_nodes_is_no_difference_and_a_real_one_is_at_any_scale(scale):
    """A ten-millionth of the spacing is rounding, a thousandth is another cloud."""
    cloud = nodes()
    rng = np.random.default_rng(0)
    noise = rng.uniform(-1.0, 1.0, cloud.interior.shape)
    made = [
        dtpinn.Nodes.from_points(
            scale * (cloud.interior + size * SPACING * noise),
            scale * cloud.boundary, cloud.normals, spacing=scale * SPACING,
        )
        for size in (0.0, 1e-14, 1e-3)
    ]  # fmt: skip
    zero, rounded, other = (identity(steady(cloud=cloud)) for cloud in made)
    assert list(differences(zero, rounded)) == []
    assert next(differences(zero, other))[0] == "the problem's nodes"


def test_identities_leave_the_random_state_alone_and_see_through_noise():
    class Noisy(dtpinn.PDE):
        def residual(self, u, D, x):
            return D.laplacian(u) + torch.rand(len(x), dtype=x.dtype)

        def boundary(self, u, D, x, n):
            return u

    problem, before = steady(Noisy()), torch.get_rng_state()
    assert list(differences(identity(problem), identity(problem))) == []
    assert torch.equal(torch.get_rng_state(), before)
