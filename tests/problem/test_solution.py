"""What solve() returns: values on X, and a function of any points."""

import copy
import functools
import pickle

import numpy as np
import pytest
import torch

import dtpinn
from dtpinn.operators import partial
from dtpinn.problem import NotResolved, Solution


def torsion_of_a_square(x, y, terms=40):
    """u of Lap u = -2 in the square (-1, 1)^2 under u = 0, by its series."""
    n = 2 * np.arange(terms) + 1
    k = n * np.pi / 2
    each = (-1.0) ** ((n - 1) // 2) / n**3 * np.cos(k * x[:, None])
    each *= np.exp(k * (np.abs(y[:, None]) - 1)) * (1 + np.exp(-2 * k * np.abs(y[:, None])))
    return 1 - x**2 - 32 / np.pi**3 * (each / (1 + np.exp(-2 * k))).sum(axis=1)


@pytest.fixture(scope="module")
def torsion():
    square = dtpinn.geometry.Rectangle((-1.0, -1.0), (1.0, 1.0))
    nodes = dtpinn.place_nodes(square, spacing=0.1, seed=1)
    pde = dtpinn.Poisson(lambda x: -2.0 + 0.0 * x[:, 0], boundary=dtpinn.Dirichlet())
    return dtpinn.discretize(pde, nodes, order=4).solve()


class Decay(dtpinn.PDE):
    """A mode of the heat equation on (0, 1), and one that beats `rate` times as fast."""

    def __init__(self, rate):
        super().__init__()
        self.rate = rate

    def exact(self, points):
        x, t = points.unbind(1)
        return torch.cos(self.rate * t) * torch.sin(torch.pi * x)

    def residual(self, u, D, x, t):
        slope = -self.rate * torch.sin(self.rate * t) * torch.sin(torch.pi * x[:, 0])
        mode = torch.cos(self.rate * t) * torch.sin(torch.pi * x[:, 0])
        return D.time(u) - D.laplacian(u) - slope - torch.pi**2 * mode

    def boundary(self, u, D, x, n, t):
        return u

    def initial(self, u, D, x):
        return u - torch.sin(torch.pi * x[:, 0])


@functools.cache
def beating(rate, slices=9):
    nodes = dtpinn.place_nodes(dtpinn.geometry.Interval(0.0, 1.0), spacing=0.05)
    times = torch.linspace(0.0, 1.0, slices)
    return dtpinn.discretize(Decay(rate), nodes, order=4, times=times).solve()


def test_between_the_nodes_it_is_as_right_as_at_them(torsion):
    at_nodes = torsion.relative_error(lambda p: torch.from_numpy(torsion_of_a_square(*p.numpy().T)))
    points = np.random.default_rng(0).uniform(-1.0, 1.0, (300, 2))
    between = torsion.relative_error(torsion_of_a_square(*points.T), points)
    assert at_nodes < 2e-3  # a corner's r^2 log r
    assert between < 2 * at_nodes
    slopes = torsion([[0.5, 0.0]], partial(0)), torsion([[0.0, 0.5]], partial(1))
    step = np.array([0.5 + 1e-4, 0.5 - 1e-4])
    expected = -np.diff(torsion_of_a_square(step, np.zeros(2)))[0] / 2e-4
    torch.testing.assert_close(torch.cat(slopes), torch.full((2,), expected), rtol=5e-3, atol=0)


def test_at_the_nodes_it_is_its_values(torsion):
    assert torch.equal(torsion(torsion.nodes.collocation[::7]), torch.Tensor(torsion)[::7] + 0.0)


def test_what_is_computed_from_it_is_a_plain_tensor(torsion):
    assert isinstance(torsion, Solution)
    for plain in (torsion - 1.0, torsion.norm(), torsion([[0.0, 0.0]]), torsion[3:]):
        assert type(plain) is torch.Tensor
    for same in (copy.deepcopy(torsion), pickle.loads(pickle.dumps(torsion))):
        assert torch.equal(same, torsion)
        assert torch.equal(same([[0.1, 0.2]]), torsion([[0.1, 0.2]]))


@pytest.mark.parametrize(("rate", "slices"), [(20.0, 2), (16 * np.pi, 9)])
def test_between_the_slices_it_is_as_right_as_at_them(rate, slices):
    """Also between two of them, and where every slice finds the same."""
    u, exact = beating(rate, slices), Decay(rate).exact
    t = np.random.default_rng(0).uniform(0.0, 1.0, (4, u.nodes.count))
    rows = [np.column_stack([u.nodes.collocation, later]) for later in t]
    points = torch.from_numpy(np.concatenate(rows))
    assert u.relative_error(exact, points) < 2.5 * u.relative_error(exact)
    at = points.clone().requires_grad_()
    wanted = torch.autograd.grad(exact(at).sum(), at)[0][:, 1]
    assert (u(points, rate=1) - wanted).norm() < 2e-5 * wanted.norm()


def test_a_string_has_its_velocity_anywhere(tmp_path):
    """Of second order, u_t and u_tt of a standing wave, also of what a file has kept."""
    string = dtpinn.place_nodes(dtpinn.geometry.Interval(0.0, 1.0), spacing=0.05)
    pde = dtpinn.Wave(
        0.0, dtpinn.Dirichlet(), lambda x: torch.sin(torch.pi * x[:, 0]), lambda x: 0.0 * x[:, 0]
    )
    u = dtpinn.discretize(pde, string, order=5, times=[0.0, 1.0]).solve(time_tolerance=1e-8)
    u.save(tmp_path / "u.npz")
    kept, k = Solution.load(tmp_path / "u.npz"), np.pi
    for t in (0.0, 0.31, 1.0):
        for solution in (u, kept):
            found = [float(solution([[0.3, t]], rate=order)) for order in range(3)]
            wanted = [np.cos(k * t), -k * np.sin(k * t), -(k**2) * np.cos(k * t)]
            assert found == pytest.approx(np.sin(0.3 * k) * np.array(wanted), abs=2e-4)
        slope = float(u([[0.3, t]], partial(0), rate=1))
        assert slope == pytest.approx(-(k**2) * np.cos(0.3 * k) * np.sin(k * t), abs=2e-3)
    with pytest.raises(ValueError, match="rate must be 0"):
        u([[0.3, 0.5]], rate=3)


def test_steps_too_long_for_what_is_between_them_are_told():
    nodes = dtpinn.place_nodes(dtpinn.geometry.Interval(0.0, 1.0), spacing=0.05)
    problem = dtpinn.discretize(Decay(6.0), nodes, order=4, times=torch.linspace(0.0, 1.0, 2))
    coarse = problem.solve(time_tolerance=1e-2)
    with pytest.warns(NotResolved, match="too far apart for what happens between them"):
        coarse([[0.5, 0.2]], rate=2)


@pytest.mark.parametrize(
    ("points", "match"),
    [
        ([[0.5, 1.2]], "between 0 and 1"),
        ([[0.5]], r"shape \(m, 2\), the time in the last column"),
        ([[3.0, 0.5]], "beyond|away|cloud"),
    ],
)
def test_where_it_is_not_known_it_says_so(points, match):
    with pytest.raises(ValueError, match=match):
        beating(1.0)(points)


def test_a_solution_on_other_nodes_chooses_the_branch():
    """u'' + exp(u) = 0 on (0, 1) has two solutions, of which zero leads to the lower one."""

    class Bratu(dtpinn.PDE):
        def residual(self, u, D, x):
            return D.laplacian(u) + torch.exp(u)

        def boundary(self, u, D, x, n):
            return u

    coarse, fine = (
        dtpinn.discretize(
            Bratu(), dtpinn.place_nodes(dtpinn.geometry.Interval(0.0, 1.0), spacing=h), order=4
        )
        for h in (0.05, 0.02)
    )
    upper = coarse.solve(lambda x: 4.0 * torch.sin(torch.pi * x[:, 0]))
    assert fine.solve().max() == pytest.approx(0.140539, abs=1e-5)
    assert fine.solve(upper).max() == pytest.approx(4.091467, rel=1e-3)
    assert fine.estimate(upper).total < 0.1
    assert fine.estimate(fine.solve()).distance < 1e-9


@pytest.mark.parametrize(
    "of",
    [pytest.param(lambda: None, marks=pytest.mark.full), lambda: beating(1.0)],
    ids=["steady", "in time"],
)
def test_files_hold_it(of, torsion, tmp_path):
    u = of()
    u = torsion if u is None else u
    u.save(tmp_path / "u.npz")
    same = Solution.load(tmp_path / "u.npz")
    where = u.points[::5]
    assert torch.equal(same(where), u(where))
    u.save(tmp_path / "u.csv")
    table = np.loadtxt(tmp_path / "u.csv", delimiter=",", skiprows=1)
    assert np.array_equal(table, np.column_stack([u.points, u.numpy()]))
    u.save(tmp_path / "u.vtu")
    u.picture(tmp_path / "u.png", exact=lambda p: torch.zeros(len(p)))
    assert (tmp_path / "u.png").stat().st_size > 5_000
    with pytest.raises(ValueError, match=r"\.npz"):
        u.save(tmp_path / "u.txt")
    torsion.nodes.save(tmp_path / "nodes.npz")
    with pytest.raises(ValueError, match="does not hold a solution"):
        Solution.load(tmp_path / "nodes.npz")
