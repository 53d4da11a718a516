"""Equations in complex arithmetic, by pairs of real unknowns."""

import numpy as np
import pytest
import torch
from scipy.special import jv

import dtpinn
from dtpinn.pde import to_complex, to_real

K = 5.0


def humming_disk():
    """Lap u + k^2 u = 1 in a disk whose rim absorbs, du/dn = ik u, and what Bessel says of it."""
    pde = dtpinn.Helmholtz(
        lambda x: torch.ones_like(x[:, 0]), dtpinn.Robin(1.0, -1j * K), wavenumber=K
    )

    def exact(x):
        r = np.linalg.norm(x, axis=1)
        factor = -1j / (K**2 * (jv(1, K) + 1j * jv(0, K)))
        return factor * jv(0, K * r) + 1 / K**2

    return dtpinn.Complex(pde), exact


class Soliton(dtpinn.PDE):
    """i u_t + u_xx + 2 |u|^2 u = 0 (Zakharov and Shabat, 1972), with one soliton of speed 2 c."""

    c = 0.5

    def exact(self, x, t):
        place = x[:, 0] + 1.0 - 2 * self.c * t
        phase = self.c * (x[:, 0] + 1.0) + (1.0 - self.c**2) * t
        return torch.exp(1j * phase) / torch.cosh(place)

    def residual(self, u, D, x, t):
        return 1j * D.time(u) + D.laplacian(u) + 2 * u.abs() ** 2 * u

    def boundary(self, u, D, x, n, t):
        return u - self.exact(x, t)

    def initial(self, u, D, x):
        return u - self.exact(x, torch.zeros_like(x[:, 0]))


def relative(u, exact):
    return float((u - exact).norm() / exact.norm())


@pytest.mark.parametrize("seed", [0, 1])
def test_a_wave_that_leaves_a_disk_is_bessels(seed):
    pde, exact = humming_disk()
    errors = []
    for spacing in (0.1, 0.05):
        nodes = dtpinn.place_nodes(dtpinn.geometry.Disk(), spacing=spacing, seed=seed)
        u = to_complex(dtpinn.discretize(pde, nodes, order=4).solve())
        errors.append(relative(u, torch.from_numpy(exact(nodes.collocation))))
    assert errors[0] < 0.02
    assert errors[1] < errors[0] / 8  # order 3 at least


def test_a_soliton_keeps_its_shape():
    nodes = dtpinn.place_nodes(dtpinn.geometry.Interval(-8.0, 8.0), spacing=0.1)
    pde = Soliton()
    problem = dtpinn.discretize(dtpinn.Complex(pde), nodes, order=6, times=[0.0, 1.0, 2.0])
    u = problem.solve(time_tolerance=1e-8)
    wanted = pde.exact(problem.points[:, :1], problem.points[:, 1])
    assert relative(to_complex(u), wanted) < 2e-4
    mass = to_complex(u).abs().square().reshape(nodes.count, 3).sum(0)
    torch.testing.assert_close(mass[1:], mass[:1].expand(2), rtol=1e-3, atol=0)


def test_derivatives_agree_and_training_reaches_the_floor():
    pde, exact = humming_disk()
    nodes = dtpinn.place_nodes(dtpinn.geometry.Disk(), spacing=0.1, seed=0)
    problem = dtpinn.discretize(pde, nodes, order=4)
    model = dtpinn.MLP(2, width=40, depth=1, fields=2, seed=0)
    dtpinn.fit(model, problem, epochs=60, optimizer="gauss-newton")
    comparison = problem.compare(model)
    assert comparison.agrees, comparison
    found = to_complex(model(problem.points)).detach()
    floor = relative(to_complex(problem.solve()), torch.from_numpy(exact(nodes.collocation)))
    assert relative(found, torch.from_numpy(exact(nodes.collocation))) < 2 * floor


@pytest.mark.parametrize("mode", ["forward", "reverse"])
def test_a_plane_wave_made_the_solution_is_a_root(mode):
    def wave(x):
        return torch.exp(1j * (3.0 * x[:, 0] + 4.0 * x[:, 1]))

    pde = dtpinn.Complex(
        dtpinn.Helmholtz.from_solution(wave, boundary=dtpinn.Robin(1.0, -2j), wavenumber=6.0)
    )
    nodes = dtpinn.place_nodes(dtpinn.geometry.Rectangle(), spacing=0.2)

    def pairs(x):
        phase = 3.0 * x[:, 0] + 4.0 * x[:, 1]
        return torch.stack([torch.cos(phase), torch.sin(phase)], dim=1)

    residuals = dtpinn.vanilla(pde, nodes, mode=mode).residuals(pairs)
    assert {r.shape[1] for r in residuals.values()} == {2}
    assert max(float(r.detach().abs().max()) for r in residuals.values()) < 1e-11


def test_functions_of_the_unknown_are_complex_as_well():
    class Cubic(dtpinn.PDE):
        def residual(self, u, D, x):
            return D.laplacian(lambda u, x: u.abs() ** 2 * u) - D.laplacian(lambda u, x: u.abs())

        def boundary(self, u, D, x, n):
            return u

    nodes = dtpinn.place_nodes(dtpinn.geometry.Disk(), spacing=0.1)
    problem = dtpinn.discretize(dtpinn.Complex(Cubic()), nodes, order=4)
    residual = problem.residuals(lambda x: to_real(x[:, 0] + 1j * x[:, 1] + 3.0))["pde"]
    # |z|^2 z = z^2 conj(z), whose Laplacian is 8 z; that of |z| is 1 / |z|.
    z = torch.view_as_complex(torch.tensor(nodes.collocation[problem.regions[0].rows])) + 3.0
    torch.testing.assert_close(to_complex(residual), 8 * z - 1 / z.abs(), rtol=0, atol=2e-3)


def test_what_is_no_equation_or_no_pairs_is_refused():
    with pytest.raises(TypeError, match=r"expected a dtpinn\.PDE, got function"):
        dtpinn.Complex(humming_disk)
    with pytest.raises(ValueError, match=r"\(n, 2\)"):
        to_complex(torch.ones(3))


@pytest.mark.parametrize(
    "constraint",
    [dtpinn.Mean(3 + 4j, field="psi"), dtpinn.Pin((0.0, 0.0), 3 + 4j, field="psi")],
    ids=["mean", "pin"],
)
def test_a_complex_field_has_complex_constraints_and_data(constraint):
    class Potential(dtpinn.PDE):
        fields = ("psi",)

        def residual(self, u, D, x):
            return D.laplacian(u)

        def boundary(self, u, D, x, n):
            return D.normal(u) - (1 + 1j) * x[:, 0]

    nodes = dtpinn.place_nodes(dtpinn.geometry.Disk(), spacing=0.2)
    seen = dtpinn.Data([[0.5, 0.0]], [3.5 + 4.5j], field="psi")
    pde = dtpinn.Complex(Potential())
    problem = dtpinn.discretize(pde, nodes, constraints=[constraint], data=[seen])
    u, x = problem.solve(), problem.points[:, 0]
    torch.testing.assert_close(u, torch.stack([3 + x, 4 + x], dim=1))
    exact = problem.residuals(lambda x: torch.stack([3 + x[:, 0], 4 + x[:, 0]], dim=1))
    assert {"data.Re psi", "data.Im psi"} < set(exact)
    assert max(float(r.abs().max()) for r in exact.values()) < 1e-6
    with pytest.raises(TypeError, match="a complex value is one of a complex field, by its name"):
        dtpinn.discretize(pde, nodes, constraints=[dtpinn.Mean(1j)])
