"""Stencils do not reach through walls: thin, of no width, curved, in space."""

import numpy as np
import pytest
import shapely
import torch

import dtpinn
from dtpinn.geometry import Annulus, Ball, Box, Disk, Polygon, Rectangle
from dtpinn.nodes import Nodes, place_nodes
from dtpinn.rbffd import differential, interpolation, operators
from dtpinn.rbffd.stencils import find_stencils
from tests.marks import mostly_full


def rooms(width):
    return Rectangle((0, 0), (1, 1)) | Rectangle((1 + width, 0), (2 + width, 1))


def mirrored(nodes, at):
    """A room and its mirror image beyond a wall of no width, with nodes on both of its faces."""
    turned = [1.0] * nodes.dimension
    turned[0] = -1.0
    shift = np.zeros(nodes.dimension)
    shift[0] = 2.0 * at
    parts = [nodes.parts[k] for k in nodes.part]
    return Nodes.from_points(
        np.concatenate([nodes.interior, shift + turned * nodes.interior]),
        np.concatenate([nodes.boundary, shift + turned * nodes.boundary]),
        np.concatenate([nodes.normals, turned * nodes.normals]),
        parts=[f"left {name}" for name in parts] + [f"right {name}" for name in parts],
        spacing=nodes.spacing,
    )


def is_right(nodes, at):
    """Which nodes of X~ belong to the room on the right; on the wall the normal tells."""
    inner = nodes.interior[:, 0] > at
    edge = nodes.boundary[:, 0] - 0.01 * nodes.spacing * nodes.normals[:, 0] > at
    return np.concatenate([inner, edge, edge[nodes.ghost_of]])


def laplacian_error(nodes, right, degree, **options):
    """Of other polynomials on either side, over the size of the weights."""
    x = nodes.extended
    scale = np.where(right, 3.0, -1.0)
    u = np.where(right, (x[:, 0] - 2 * x[:, 1]) ** degree, scale + x[:, 0] * x[:, 1])
    second = 5 * degree * (degree - 1) * (x[:, 0] - 2 * x[:, 1]) ** (degree - 2)
    exact = np.where(right, second, 0.0)
    which = {"L": differential.laplacian, "dx": differential.partial(0)}
    L = operators(nodes, which, at="collocation", **options)["L"].to_scipy()
    size = abs(L) @ (1.0 + np.abs(u))
    return np.max(np.abs(L @ u - exact[: nodes.count]) / size)


CLOUDS = {
    "0.02 h": lambda: (place_nodes(rooms(0.002), 0.1, seed=1), 1.001),
    "0.3 h": lambda: (place_nodes(rooms(0.03), 0.1), 1.015),
    "2 h": lambda: (place_nodes(rooms(0.2), 0.1), 1.1),
    "no width": lambda: (mirrored(place_nodes(Rectangle((0, 0), (1, 1)), 0.1), 1.0), 1.0),
    "no width, in space": lambda: (
        mirrored(place_nodes(Box((0, 0, 0), (0.6, 1, 1)), 0.17), 0.6),
        0.6,
    ),
    "gap in space": lambda: (
        place_nodes(Box((0, 0, 0), (0.6, 1, 1)) | Box((0.84, 0, 0), (1.4, 1, 1)), 0.17),
        0.72,
    ),
}


@pytest.mark.parametrize("name", CLOUDS)
def test_different_polynomials_on_the_two_sides_are_differentiated_exactly(name):
    nodes, at = CLOUDS[name]()
    order = 4 if nodes.dimension == 2 else 2
    # theta + order - 1
    degree = order + 1
    error = laplacian_error(nodes, is_right(nodes, at), degree, order=order, degenerate="error")
    assert error < 1e-12


def test_stencils_that_serve_several_rows_keep_to_their_side_too():
    nodes, at = CLOUDS["no width"]()
    assert laplacian_error(nodes, is_right(nodes, at), 5, order=4, overlap=0.5) < 1e-12


@pytest.mark.parametrize("name", ["0.02 h", "no width", "no width, in space"])
def test_interpolation_takes_nodes_of_the_same_side(name):
    nodes, at = CLOUDS[name]()
    right = is_right(nodes, at)
    rng = np.random.default_rng(0)
    places = rng.uniform(0.02, 0.98, (400, nodes.dimension))
    beside = np.where(rng.random(400) < 0.5, -1, 1)
    places[:, 0] = at + beside * 0.002 * (1.0 + 100.0 * rng.random(400) ** 3)
    u = np.where(right, 7.0, nodes.extended[:, 0])
    values = (interpolation(nodes, places, order=2) @ torch.tensor(u)).numpy()
    np.testing.assert_allclose(values, np.where(beside > 0, 7.0, places[:, 0]), atol=1e-11)


@pytest.mark.parametrize(
    "domain",
    [Disk(), Rectangle(), Polygon([(0, 0), (1, 0), (0.3, 0.2)]), Box(), Ball()],
    ids=["disk", "square", "wedge", "box", "ball"],
)
def test_in_a_convex_domain_a_stencil_is_the_nearest_nodes(domain):
    nodes = place_nodes(domain, 0.25 if domain.dimension == 3 else 0.05)
    rows, size = np.arange(nodes.count), 31
    found = find_stencils(nodes.extended, rows, size, walls=nodes.walls)
    plain = find_stencils(nodes.extended, rows, size)
    np.testing.assert_array_equal(found.members, plain.members)


def spiral(width, wall, turns=1.6):
    """A corridor that winds around itself, a wall between its turns."""
    angle = np.linspace(0.0, 2 * np.pi * turns, 400)
    radius = 0.3 + (width + wall) * angle / (2 * np.pi)
    ring = np.stack([np.cos(angle), np.sin(angle)], axis=1)
    return Polygon(
        np.concatenate([radius[:, None] * ring, ((radius + width)[:, None] * ring)[::-1]])
    )


def comb(teeth=3, width=0.3, wall=0.05):
    points = [(0.0, 0.0)]
    for k in range(teeth):
        left = k * (width + wall)
        points += [(left, 1.0), (left + width, 1.0)]
        if k + 1 < teeth:
            points += [(left + width, 0.3), (left + width + wall, 0.3)]
    return Polygon([*points, (teeth * (width + wall) - wall, 0.0)])


BENT = {"spiral": spiral(0.3, 0.05), "comb": comb()}


@pytest.mark.parametrize("name", mostly_full(BENT, lambda name: name == "comb"))
def test_the_straight_line_to_a_member_stays_in_the_domain(name):
    domain = BENT[name]
    h = 0.05
    nodes = place_nodes(domain, h)
    count = nodes.count
    found = find_stencils(nodes.extended, np.arange(count), 31, walls=nodes.walls)
    centre = np.repeat(found.members[:, 0], 31)
    member = nodes.walls.stand[found.members.ravel()]
    lines = shapely.linestrings(np.stack([nodes.extended[centre], nodes.extended[member]], axis=1))
    # A boundary node looks from a place a fifth of a spacing inside.
    outside = shapely.difference(lines, shapely.Polygon(domain.vertices).buffer(0.3 * h))
    assert shapely.length(outside).max() < 1e-9
    # And so it was not where walls are no obstacle.
    blind = find_stencils(nodes.extended, np.arange(count), 31)
    through = (blind.members != found.members).any(axis=1).sum()
    assert through > 0.1 * count


@pytest.mark.parametrize("gap", [0.01, 0.06])
@pytest.mark.parametrize("dimension", [2, 3])
def test_a_curved_wall_parts_what_is_inside_from_what_is_outside(dimension, gap):
    if dimension == 2:
        domain, h, size = Annulus(0.3, 0.8) | Disk(0.3 - gap), 0.05, 43
    else:
        domain, h, size = (Ball(1.0) - Ball(0.6)) | Ball(0.6 - gap), 0.17, 40
    middle = (0.3 if dimension == 2 else 0.6) - gap / 2
    nodes = place_nodes(domain, h)
    found = find_stencils(nodes.extended, np.arange(nodes.count), size, walls=nodes.walls)
    outside = np.linalg.norm(nodes.collocation, axis=1)[nodes.walls.stand] > middle
    assert (outside[found.members] == outside[found.members[:, :1]]).all()


def test_a_room_with_too_few_nodes_is_named_and_a_finer_spacing_asked_for():
    nodes = place_nodes(Rectangle((0, 0), (1, 1)) | Rectangle((1.01, 0), (1.21, 0.2)), 0.05)
    with pytest.raises(
        ValueError, match=r"node \d+ at \[1\..*only \d+ are in sight.*finer spacing"
    ):
        operators(nodes, {"L": differential.laplacian}, 4)


def without_ghosts(nodes):
    return Nodes(
        nodes.interior,
        nodes.boundary,
        nodes.ghost[:0],
        nodes.normals,
        nodes.part,
        nodes.parts,
        nodes.ghost_of[:0],
        nodes.local_spacing,
    )


@pytest.mark.parametrize(
    ("width", "order", "bound"),
    mostly_full(
        (
            (width, order, bound)
            for width in (0.001, 0.004, 0.1)
            for order, bound in ((2, 3e-4), (4, 3e-6), (6, 1e-7))
        ),
        lambda case: case[:2] in ((0.001, 4), (0.004, 6), (0.1, 2)),
    ),
)
def test_two_rooms_with_different_solutions_do_not_know_of_each_other(width, order, bound):
    def u(x, n=None):
        left = torch.exp(x[:, 1]) * torch.sin(x[:, 0])
        return torch.where(
            x[:, 0] < 1 + width / 2, left, 3 + torch.exp(2 * x[:, 0] - 2) * torch.cos(2 * x[:, 1])
        )

    nodes = without_ghosts(place_nodes(rooms(width), 0.05, seed=2))
    problem = dtpinn.discretize(dtpinn.Poisson(None, dtpinn.Dirichlet(u)), nodes, order=order)
    exact = u(torch.tensor(nodes.collocation))
    error = (problem.solve() - exact).abs().max() / exact.abs().max()
    assert error < bound


@pytest.mark.parametrize("order", mostly_full([2, 4, 6], lambda order: order == 4))
def test_at_the_end_of_a_crack_the_error_falls_with_the_root_of_the_spacing(order):
    """r^(1/2) sin(theta / 2), which jumps across the crack: 21 where stencils reach through it."""
    half = 0.001
    crack = Rectangle((-1, -1), (1, 1)) - Rectangle((-1.1, -half), (0, half))

    def u(x, n=None):
        r, angle = torch.hypot(x[:, 0], x[:, 1]), torch.atan2(x[:, 1], x[:, 0])
        return r**0.5 * torch.sin(angle / 2)

    pde = dtpinn.Poisson(None, dtpinn.Dirichlet(u))
    for h in (0.06, 0.03):
        for seed in (0, 1):
            nodes = without_ghosts(place_nodes(crack, h, seed=seed))
            error = dtpinn.discretize(pde, nodes, order=order).solve()
            error -= u(torch.tensor(nodes.collocation))
            assert error.abs().max() < 0.3 * h**0.5
            assert error.square().mean().sqrt() < 0.2 * h
