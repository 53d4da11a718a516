import numpy as np
import pytest
from scipy.spatial import cKDTree

from dtpinn import geometry
from dtpinn.geometry import Disk
from dtpinn.nodes import Nodes, Quality, measure, place_nodes
from tests.nodes.node_domains import Ball, Interval, Polygon, Ring, l_shape, rectangle


def grid(count, dimension):
    """Nodes on a square grid of the unit cube, ``count`` steps a side."""
    axis = np.arange(count + 1) / count
    points = np.stack(np.meshgrid(*[axis] * dimension), axis=-1).reshape(-1, dimension)
    outward = (points == 1).astype(float) - (points == 0)
    edge = np.abs(outward).any(axis=1)
    normals = outward[edge] / np.linalg.norm(outward[edge], axis=1, keepdims=True)
    return points[~edge], points[edge], normals


@pytest.mark.parametrize("dimension", [1, 2, 3])
def test_on_a_square_grid_the_figures_are_known(dimension):
    nodes = Nodes.from_points(*grid(8, dimension))
    quality = nodes.quality()
    assert nodes.spacing == pytest.approx(1 / 8)
    assert quality.separation == pytest.approx(1.0)
    # The middle of a cell is half a diagonal from its corners.
    assert quality.fill == pytest.approx(np.sqrt(dimension) / 2)
    assert quality.ratio == quality.fill / quality.separation


@pytest.mark.parametrize("dimension", [2, 3])
def test_a_missing_node_is_a_hole_of_one_spacing(dimension):
    interior, boundary, normals = grid(8, dimension)
    keep = (interior != 0.5).any(axis=1)
    assert keep.sum() == len(keep) - 1
    quality = Nodes.from_points(interior[keep], boundary, normals).quality()
    assert quality.fill == pytest.approx(1.0)


@pytest.mark.parametrize(
    "domain",
    [Disk(), rectangle(), l_shape(), Ring(), Ball(), Interval((0.0, 1.0), (1.5, 3.0))],
    ids=lambda domain: type(domain).__name__,
)
def test_the_fill_is_the_supremum_of_a_dense_sample(domain):
    nodes = place_nodes(domain, count=600)
    lower, upper = domain.bounds
    sample = lower + (upper - lower) * np.random.default_rng(0).random((400_000, domain.dimension))
    sample = sample[domain.contains(sample)]
    sampled = cKDTree(nodes.collocation).query(sample)[0].max() / nodes.spacing
    fill = measure(nodes).fill
    assert sampled <= fill + 1e-6
    # The sample's own fill, about (volume of the box log(n) / n)^(1/d).
    assert fill <= sampled + (0.15 if domain.dimension == 3 else 0.05)


def test_flat_simplices_across_a_ring_in_space_are_not_holes():
    # A torus of square section, whose top is flat to within round-off.
    angle = 2 * np.pi * np.arange(60) / 60
    section = [(x, z) for x in range(-2, 3) for z in range(-2, 3)]
    points, normals = [], []
    for x, z in section:
        radius = 1 + 0.1 * x
        outward = np.array([(abs(x) == 2) * np.sign(x), (abs(z) == 2) * np.sign(z)], dtype=float)
        outward /= max(np.linalg.norm(outward), 1)
        ring = [radius * np.cos(angle), radius * np.sin(angle), 0.1 * z + 1e-7 * np.sin(7 * angle)]
        points.append(np.column_stack(ring))
        way = [outward[0] * np.cos(angle), outward[0] * np.sin(angle), 0 * angle + outward[1]]
        normals.append(np.column_stack(way))
    points, normals = np.concatenate(points), np.concatenate(normals)
    edge = normals.any(axis=1)
    assert edge.sum() == 16 * 60
    quality = Nodes.from_points(points[~edge], points[edge], normals[edge]).quality()
    # Bricks of 0.1 x 0.1 x 0.126 spacings at most, at the outer rim.
    assert quality.fill <= 0.5 * np.linalg.norm([0.1, 0.1, 0.126]) / 0.0838


def test_slender_triangles_outside_a_corner_are_not_holes():
    # A house with a pointed roof over half of it: triangles run from the roof to the far corner.
    shape = Polygon((-1, -1), (2, 0), (2, 1), (0.7, 1), (0.35, 1.62), (0.0, 1.7), (-1, 1))
    for count in (500, 3000):
        assert place_nodes(shape, count=count).quality().fill <= 1.13


def test_a_wide_gap_in_the_boundary_counts():
    nodes = place_nodes(rectangle(), 0.1)
    gap = np.abs(nodes.boundary - [1.0, 0.0]).max(axis=1) < 0.25
    thin = Nodes.from_points(nodes.interior, nodes.boundary[~gap], nodes.normals[~gap], spacing=0.1)
    sample = np.column_stack([np.linspace(0.5, 1.5, 10_001), np.zeros(10_001)])
    expected = cKDTree(thin.collocation).query(sample)[0].max() / 0.1
    fill = thin.quality().fill
    assert fill == pytest.approx(expected, abs=1e-3)
    assert fill > nodes.quality().fill


def test_a_quality_reads_well():
    quality = Quality(separation=0.9966, fill=1.02)
    assert str(quality) == "separation 0.997 h, fill 1.020 h, ratio 1.023"


@pytest.mark.parametrize(
    ("domain", "spacing"),
    [
        (Disk() - Disk(0.5, (0.499, 0.0)), 0.05),
        pytest.param(Disk() - Disk(0.5, (0.5, 0.0)), 0.05, marks=pytest.mark.full),
        pytest.param(
            geometry.Ball() - geometry.Ball(0.5, (0.5, 0.0, 0.0)), 0.15, marks=pytest.mark.full
        ),
        (geometry.Box() - geometry.Ball(0.3, (0.5, 0.5, 0.7)), 0.1),
    ],
    ids=["thin wall", "tangent hole", "tangent cavity", "cavity cut by a face"],
)
def test_a_domain_tells_what_its_thin_walls_leave_open(domain, spacing):
    """Against sampling, which finds no larger hole and nearly as large a one."""
    nodes = place_nodes(domain, spacing)
    points = np.random.default_rng(0).uniform(*domain.bounds, (100_000, domain.dimension))
    points = points[domain.contains(points)]
    sampled = cKDTree(nodes.collocation).query(points)[0].max() / spacing
    fill = nodes.quality(domain).fill
    assert sampled <= fill + 1e-3
    assert fill <= sampled + 0.15
    assert nodes.quality().fill >= fill - 0.05  # nodes alone may take what lies beyond for a hole


def test_what_is_no_domain_is_refused():
    with pytest.raises(TypeError, match=r"domain must be a dtpinn\.geometry\.Domain.*got str"):
        place_nodes(Disk(), 0.2).quality("disk")
