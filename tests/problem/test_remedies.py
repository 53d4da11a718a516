"""What messages propose, carried out: each remedy must lead to the right answer."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

import dtpinn
from dtpinn.geometry import Disk, Interval

LINE = dtpinn.place_nodes(Interval(0.0, 1.0), spacing=0.02)
TIMES = torch.linspace(0.0, 0.5, 6, dtype=torch.float64)
BACKENDS = [dtpinn.discretize, dtpinn.vanilla]


def pde(residual, boundary=None, initial=None, fields=1):
    made = type("Mine", (dtpinn.PDE,), {"fields": fields, "residual": residual})
    made.boundary = boundary or (lambda self, u, D, x, n: u)
    made.initial = initial or (lambda self, u, D, x: u)
    return made()


def in_time(self, u, D, x, n, t):
    return u


@pytest.mark.parametrize("make", BACKENDS)
def test_a_second_derivative_in_time_is_told_of_its_word(make):
    twice = pde(lambda self, u, D, x, t: D.time(D.time(u)) - D.laplacian(u), in_time)
    with pytest.raises(TypeError, match=r"D.time\(...\): .*u_tt is D.time\(u, 2\)"):
        make(twice, LINE, times=TIMES)
    thrice = pde(lambda self, u, D, x, t: D.time(u, 3), in_time)
    with pytest.raises(
        ValueError, match=r"must be 1 or 2, got 3; .*D.time\(u, 2\)\[:, 0\] - u\[:, 1\]"
    ):
        make(thrice, LINE, times=TIMES)


def test_a_third_derivative_in_time_as_it_is_told():
    """u_ttt = -u_t / 4 at every node: u = 2 sin(t / 2) + 1 from u = 1, u_t = 1, u_tt = 0."""

    def residual(self, u, D, x, t):
        second, rates = D.time(u, 2)[:, 0], D.time(u)
        return torch.stack([second - u[:, 1], rates[:, 1] + rates[:, 0] / 4], dim=1)

    def initial(self, u, D, x):
        return torch.stack([u[:, 0] - 1, D.time(u)[:, 0] - 1, u[:, 1]], dim=1)

    free = pde(residual, lambda self, u, D, x, n, t: D.normal(u), initial, fields=2)
    problem = dtpinn.discretize(free, LINE, order=2, times=TIMES)
    u, (_, t) = problem.solve()[:, 0], problem.points.T
    assert (u - 1 - 2 * torch.sin(t / 2)).abs().max() < 1e-9


@pytest.mark.parametrize("make", BACKENDS)
def test_a_flux_that_is_a_tensor_is_told_of_the_function(make):
    """((1 + x) u')' = 0 with u(0) = 0 and u(1) = log 2 has u = log(1 + x), by the code told."""
    inside = pde(lambda self, u, D, x: D.divergence((1 + x[:, :1]) * D.gradient(u)))
    with pytest.raises(TypeError, match=r"^D.divergence\(...\): .*of a flux") as error:
        make(inside, LINE)
    code = str(error.value).split("a D of its own, ")[1]
    scope = {"k": lambda x: 1 + x[:, 0]}
    flow = pde(
        lambda self, u, D, x: eval(code, {"D": D, **scope}),
        lambda self, u, D, x, n: u - math.log(2.0) * x[:, 0],
    )
    problem = make(flow, LINE)
    assert problem.residuals(lambda x: torch.log1p(x[:, 0]))["pde"].abs().max() < 1e-4


ASKED = {
    "laplacian": lambda D, of: D.laplacian(of),
    "partial(0)": lambda D, of: D.partial(of, 0),
    "partial(0, 1)": lambda D, of: D.partial(of, 0, 1),
    "gradient": lambda D, of: D.gradient(of)[..., 0],
    "divergence": lambda D, of: D.divergence(of),
}


@pytest.mark.parametrize("make", BACKENDS)
@pytest.mark.parametrize("word", ASKED)
def test_the_code_in_a_message_runs(word, make):
    """What is between 'pass a function,' and the next bracket is taken out and put in."""
    nodes = dtpinn.place_nodes(Disk(), spacing=0.2)
    with pytest.raises(TypeError) as error:
        make(pde(lambda self, u, D, x: ASKED[word](D, 3 * u)), nodes)
    code = str(error.value).split("pass a function, ")[1].split(" (lambda u, x, t")[0]
    assert code.startswith(f"D.{word.split('(')[0]}(lambda u, x: ")
    residual = lambda self, u, D, x: eval(code, {"D": D, "torch": torch})  # noqa: E731
    problem = make(pde(residual), nodes)
    model = dtpinn.MLP(2, width=4, depth=1, seed=0)
    assert problem.residuals(model)["pde"].isfinite().all()


def test_words_that_are_none_and_functions_of_too_little_are_told():
    nodes = dtpinn.place_nodes(Disk(), spacing=0.2)
    with pytest.raises(AttributeError, match=r"D knows no 'curl'; it knows .*laplacian.*normal"):
        dtpinn.discretize(pde(lambda self, u, D, x: D.curl(u)), nodes)
    with pytest.raises(TypeError, match=r"calls it with \(u, x\)"):
        dtpinn.vanilla(pde(lambda self, u, D, x: D.laplacian(lambda u: u**2)), nodes)


def test_complex_unknowns_are_told_of_two_fields():
    """Helmholtz' equation with damping, u'' + (3 + i) u = 0: as two fields it has its solution."""
    wanted = r"two fields, its real and its imaginary part\. dtpinn\.Complex\(pde\)"
    equation = pde(lambda self, u, D, x: D.laplacian(u) + (3 + 1j) * u)
    with pytest.raises(TypeError, match=f"Mine.* returned torch.complex128; .*{wanted}"):
        dtpinn.discretize(equation, LINE)
    problem = dtpinn.discretize(pde(lambda self, u, D, x: D.laplacian(u) + 3 * u), LINE)
    with pytest.raises(TypeError, match=f"the model returned torch.complex128, .*{wanted}"):
        problem.loss(lambda x: 1j * x[:, 0])
    layer = torch.nn.Linear(1, 1, dtype=torch.complex128)
    with pytest.raises(TypeError, match="two real parameters, its real and its imaginary part"):
        dtpinn.fit(layer, problem, epochs=1)

    def residual(self, u, D, x):
        re, im = u.unbind(1)
        return D.laplacian(u) + torch.stack([3 * re - im, 3 * im + re], dim=1)

    fixed = lambda self, u, D, x, n: u - torch.stack([x[:, 0], 0 * x[:, 0]], dim=1)  # noqa: E731
    u = dtpinn.discretize(pde(residual, fixed, fields=2), LINE, order=4).solve()
    k, x = np.sqrt(3 + 1j), LINE.collocation[:, 0]
    assert np.abs(u.numpy() @ [1, 1j] - np.sin(k * x) / np.sin(k)).max() < 1e-6


@pytest.mark.filterwarnings("ignore:Complex modules")
def test_complex_and_half_problems_matrices_and_data_are_refused():
    equation = dtpinn.Poisson(None, dtpinn.Dirichlet())
    problem = dtpinn.discretize(equation, LINE)
    for dtype in (torch.complex128, torch.float16):
        with pytest.raises(TypeError, match=f"float64 or torch.float32, so not {dtype}"):
            problem.to(dtype)
    assert problem.dtype == torch.float64
    L = 1j * dtpinn.rbffd.laplacian(LINE).to_scipy()
    with pytest.raises(TypeError, match=r"operators\['laplacian'\] is complex"):
        dtpinn.discretize(equation, LINE, operators={"laplacian": L})
    with pytest.raises(TypeError, match=r"returned torch.complex128.*dtpinn\.Complex"):
        dtpinn.discretize(dtpinn.Poisson(lambda x: 1j * x[:, 0], dtpinn.Dirichlet()), LINE)
    with pytest.raises(TypeError, match="u must be real, got complex128"):
        problem.linearize(np.zeros(len(problem.extended_points), dtype=complex))


def test_models_that_return_no_numbers_of_the_right_kind_are_told():
    problem = dtpinn.discretize(dtpinn.Poisson(None, dtpinn.Dirichlet()), LINE)
    with pytest.raises(TypeError, match="must return a torch tensor, got NoneType"):
        problem.loss(lambda x: None)
    with pytest.raises(TypeError, match=r"convert the model: model.to.torch.float64.$"):
        problem.loss(lambda x: torch.zeros(len(x), dtype=torch.int64))
    single = dtpinn.MLP(1, width=4, depth=1, dtype=torch.float32, seed=0)
    message = r"model.to\(torch.float64\), or the problem: problem.to\(torch.float32\)"
    with pytest.raises(TypeError, match=message):
        problem.loss(lambda x: single(x.float()))
    assert dtpinn.discretize(problem.pde, LINE).to(torch.float32).loss(single).isfinite()
    assert problem.loss(single.to(torch.float64)).isfinite()
