"""Integrals from values at the nodes: over the domain, along its boundary and along parts of it."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.special import iv

import dtpinn
from dtpinn.nodes.side_sizes import side_sizes
from dtpinn.rbffd import quadrature

G = dtpinn.geometry
L_SHAPE = G.Polygon([[0, 0], [1, 0], [1, 0.5], [0.5, 0.5], [0.5, 1], [0, 1]])


def petals(t):
    angle = 2 * np.pi * t
    return np.stack([np.cos(angle), np.sin(angle)], 1) * (1 + 0.2 * np.cos(5 * angle))[:, None]


FLOWER = G.ClosedCurve(petals)


def exponential(x):
    return np.exp(x[:, 0] + 0.5 * x[:, 1])


def in_a_rectangle(a, b, c, d):
    return (np.exp(b) - np.exp(a)) * 2 * (np.exp(d / 2) - np.exp(c / 2))


def in_the_flower():
    """By rays from its middle: the integral of r exp(k r) from 0 to the rim is closed."""

    def ray(t):
        k, r = np.cos(t) + 0.5 * np.sin(t), 1 + 0.2 * np.cos(5 * t)
        if abs(k * r) < 1e-3:
            return r**2 / 2 + k * r**3 / 3 + k**2 * r**4 / 8
        return (np.exp(k * r) * (k * r - 1) + 1) / k**2

    return quad(ray, 0, 2 * np.pi, limit=400)[0]


# Of exp(k . x): in the plane 2 pi R I_1(R |k|) / |k| on a disk, in the ball 4 pi (c cosh c -
# sinh c) / c^3 with c = |k|.
K = np.sqrt(1.25)
ANSWERS = {
    "disk": (G.Disk(), 2 * np.pi * iv(1, K) / K, 2 * np.pi),
    "annulus": (
        G.Annulus(inner=0.4, outer=1.0), 2 * np.pi * (iv(1, K) - 0.4 * iv(1, 0.4 * K)) / K,
        2.8 * np.pi,
    ),
    "L": (L_SHAPE, in_a_rectangle(0, 1, 0, 0.5) + in_a_rectangle(0, 0.5, 0.5, 1), 4.0),
    "flower": (FLOWER, in_the_flower(), None),
    "ball": (G.Ball(), 4 * np.pi * (K * np.cosh(K) - np.sinh(K)) / K**3, 4 * np.pi),
}  # fmt: skip


@pytest.mark.parametrize("seed", [0, 1])
@pytest.mark.parametrize(
    ("name", "spacing", "order", "allowed"),
    [
        ("disk", 0.1, 2, 1e-2), ("disk", 0.1, 4, 1e-4), ("disk", 0.05, 4, 5e-6),
        ("annulus", 0.05, 4, 2e-5), ("L", 0.04, 4, 1e-5), ("flower", 0.06, 4, 1e-4),
        ("ball", 0.25, 3, 2e-3),
    ],
)  # fmt: skip
def test_an_exponential_integrates_to_its_closed_form(name, spacing, order, allowed, seed):
    domain, exact, perimeter = ANSWERS[name]
    nodes = dtpinn.place_nodes(domain, spacing=spacing, seed=seed)
    weights = quadrature(nodes, order)
    found = weights.domain @ exponential(nodes.collocation)
    assert found == pytest.approx(exact, rel=allowed)
    if perimeter is not None:
        assert weights.sides.sum() == pytest.approx(perimeter, rel=1e-8 if perimeter < 10 else 1e-4)
    assert np.abs(weights.domain).sum() < 1.1 * weights.domain.sum()
    assert (weights.sides > 0.0).all()


def test_the_flux_through_one_side_of_a_square_is_its_integral_there():
    nodes = dtpinn.place_nodes(G.Rectangle(), spacing=0.08)
    weights, sides = quadrature(nodes).sides, nodes.sides
    on_top = sides.part == nodes.parts.index("top")
    x = nodes.boundary[sides.point, 0]
    assert weights[on_top] @ np.exp(x[on_top]) == pytest.approx(np.e - 1, rel=1e-7)


def test_a_hole_has_its_own_length_and_area():
    """The divergence theorem alone put 3% of the inner circle on the outer one."""
    nodes = dtpinn.place_nodes(G.Annulus(0.4, 1.0), spacing=0.14)
    weights = quadrature(nodes)
    inner = nodes.sides.part == nodes.parts.index("inner")
    assert weights.sides[inner].sum() == pytest.approx(0.8 * np.pi, rel=1e-9)
    assert weights.domain.sum() == pytest.approx(0.84 * np.pi, rel=1e-8)


@pytest.mark.parametrize(
    ("domain", "spacing", "volume", "sides", "allowed"),
    [
        (G.Interval(0.0, 2.0, periodic=True), 0.1, 2.0, 0.0, 1e-12),
        (G.Rectangle(periodic=True), 0.1, 1.0, 0.0, 1e-12),
        (G.Rectangle(periodic=(True, False)), 0.08, 1.0, 2.0, 1e-8),
        (G.Rectangle(periodic=True) - G.Disk(0.3, (0.1, 0.9)), 0.05, 1 - 0.09 * np.pi, 0.6 * np.pi,
         1e-8),
        (G.Rectangle(periodic=(False, True)) - G.Disk(0.3, (0.5, 0.1)), 0.05, 1 - 0.09 * np.pi,
         2 + 0.6 * np.pi, 1e-8),
        (G.Box(periodic=(True, True, False)), 0.2, 1.0, 2.0, 1e-4),
        (G.Box(periodic=True) - G.Ball(0.3, (0.1, 0.5, 0.9)), 0.12, 1 - 0.036 * np.pi,
         0.36 * np.pi, 1e-3),
    ],
)  # fmt: skip
def test_a_period_has_its_measure(domain, spacing, volume, sides, allowed):
    weights = quadrature(dtpinn.place_nodes(domain, spacing=spacing))
    assert weights.domain.sum() == pytest.approx(volume, rel=allowed)
    assert weights.sides.sum() == pytest.approx(sides, rel=allowed)


@pytest.mark.parametrize("periodic", [True, (True, False)])
def test_a_wave_over_its_period_integrates_to_a_bessel_function(periodic):
    nodes = dtpinn.place_nodes(G.Rectangle(periodic=periodic), spacing=0.05)
    values = np.exp(np.sin(2 * np.pi * nodes.collocation[:, 0]))
    assert quadrature(nodes).domain @ values == pytest.approx(iv(0, 1.0), rel=3e-4)


@pytest.mark.parametrize("order", [2, 4])
def test_integrals_converge_at_the_order(order):
    """On a plate with holes, where all kinds of cubes and layers meet."""
    holes = ((-0.5, 0.0), 0.3), ((0.5, 0.2), 0.2)
    plate = G.Rectangle((-1.0, -0.6), (1.0, 0.6))
    exact = in_a_rectangle(-1.0, 1.0, -0.6, 0.6)
    for centre, r in holes:
        plate = plate - G.Disk(r, centre)
        middle = exponential(np.array([centre]))[0]
        exact -= middle * 2 * np.pi * r * iv(1, r * K) / K
    errors = [
        abs(quadrature(nodes, order).domain @ exponential(nodes.collocation) / exact - 1)
        for nodes in (dtpinn.place_nodes(plate, spacing=h) for h in (0.1, 0.05))
    ]
    assert errors[1] < max(errors[0] / 2**order, 2e-6)


def test_finer_nodes_somewhere_are_cut_into_finer_cubes():
    spacing = dtpinn.nodes.graded(G.Disk(), near=0.03, far=0.15)
    nodes = dtpinn.place_nodes(G.Disk(), spacing=spacing)
    found = quadrature(nodes).domain @ exponential(nodes.collocation)
    assert found == pytest.approx(ANSWERS["disk"][1], rel=1e-4)


def test_a_slit_thinner_than_the_spacing_has_its_length():
    slit = G.Rectangle((-1, -1), (1, 1)) - G.Rectangle((-0.02, -2), (0.02, 0))
    nodes = dtpinn.place_nodes(slit, spacing=0.042)
    weights = quadrature(nodes)
    assert weights.sides.sum() == pytest.approx(10.0, rel=1e-5)
    assert weights.domain.sum() == pytest.approx(3.96, rel=1e-5)


def test_a_corner_that_is_given_once_costs_accuracy_and_no_more():
    line = np.linspace(0.0, 1.0, 11)
    grid = np.stack(np.meshgrid(line, line, indexing="ij"), -1).reshape(-1, 2)
    on = ((grid == 0.0) | (grid == 1.0)).any(axis=1)
    normals = (grid[on] == 1.0) * 1.0 - (grid[on] == 0.0)
    normals /= np.linalg.norm(normals, axis=1)[:, None]
    nodes = dtpinn.Nodes.from_points(grid[~on], grid[on], normals)
    assert quadrature(nodes).domain.sum() == pytest.approx(1.0, rel=0.02)


def test_pieces_that_hang_apart_have_their_own_measures():
    apart = G.Disk(radius=0.5) | G.Rectangle((1.0, 0.0), (2.0, 1.0))
    nodes = dtpinn.place_nodes(apart, spacing=0.1)
    weights, right = quadrature(nodes, 3).domain, nodes.collocation[:, 0] > 0.75
    assert weights[~right].sum() == pytest.approx(np.pi / 4, rel=1e-2)
    assert weights[right].sum() == pytest.approx(1.0, rel=1e-2)


@pytest.mark.parametrize(
    ("domain", "spacing", "exact", "allowed"),
    [
        (G.Interval(0.0, 2.0), 0.1, 2.0, 1e-12),
        (L_SHAPE, 0.05, 4.0, 1e-12),
        (G.Ellipse((2.0, 1.0)), 0.1, 9.688448220547675, 1e-6),
        (G.Box(), 0.2, 6.0, 1e-4),
        (G.Ball(), 0.2, 4 * np.pi, 3e-5),
        (G.Torus(1.0, 0.4), 0.2, 1.6 * np.pi**2, 2e-3),
        (G.Ball() - G.Box((-2, -2, -2), (0, 2, 2)), 0.2, 3 * np.pi, 3e-3),
    ],
)
def test_sides_add_up_to_the_boundary(domain, spacing, exact, allowed):
    assert side_sizes(dtpinn.place_nodes(domain, spacing=spacing)).sum() == pytest.approx(
        exact, rel=allowed
    )
