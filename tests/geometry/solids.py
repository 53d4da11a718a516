"""Bodies in space with creases and corners, known by their signed distance alone; and meshes."""

import numpy as np
from scipy.spatial import ConvexHull, cKDTree

from dtpinn.geometry import Ball, Box, Domain, Torus
from dtpinn.geometry.surfaces.sampling import sample_surface
from dtpinn.geometry.surfaces.surface_walk import walk_surface

AXES = np.array([1.0, 0.6, 0.4])
CUT = np.array([0.6, 0.0, 0.8])


class Solid(Domain):
    """A function of points as a domain."""

    dimension = 3
    bounds = parts = None  # of each object

    def __init__(self, distance, lower, upper, parts=("surface",), part=None):
        self.distance, self.parts, self.part = distance, parts, part
        self.bounds = np.array([lower, upper], dtype=float)

    def signed_distance(self, points):
        return self.distance(np.asarray(points, dtype=float))

    def nearest_part(self, points):
        return super().nearest_part(points) if self.part is None else self.part(points)

    def walk_boundary(self, spacing):
        return walk_surface(self, spacing)


def union(a, b):
    """Parts 0 and 1 are the surfaces of a and b."""
    bounds = np.minimum(a.bounds[0], b.bounds[0]), np.maximum(a.bounds[1], b.bounds[1])

    def distance(x):
        return np.minimum(a.signed_distance(x), b.signed_distance(x))

    def part(x):
        return (b.signed_distance(x) < a.signed_distance(x)).astype(int)

    return Solid(distance, *bounds, ("a", "b"), part)


def difference(a, b):
    def distance(x):
        return np.maximum(a.signed_distance(x), -b.signed_distance(x))

    def part(x):
        return (-b.signed_distance(x) > a.signed_distance(x)).astype(int)

    return Solid(distance, *a.bounds, ("a", "b"), part)


def ellipsoid():
    """By its implicit function, which underestimates the distance up to 2.5 times."""
    return Solid(lambda x: AXES.min() * (np.linalg.norm(x / AXES, axis=1) - 1.0), -AXES, AXES)


def cut_ball():
    """The unit ball below the plane CUT . x = 0.3; part 1 is the plane."""
    ball = Ball()
    return Solid(
        lambda x: np.maximum(ball.signed_distance(x), x @ CUT - 0.3),
        *ball.bounds,
        ("sphere", "plane"),
        lambda x: (x @ CUT - 0.3 > ball.signed_distance(x)).astype(int),
    )


def two_balls():
    return union(Ball(), Ball(0.8, (1.0, 0.1, 0.2)))


def dented_box():
    """A box without the ball about one of its corners."""
    return difference(Box((-1, -1, -1), (1, 1, 1)), Ball(0.6, (1, 1, 1)))


def notched_box():
    """A box without one of its octants: edges folded inwards, which meet in a corner."""
    return difference(Box((-1, -1, -1), (1, 1, 1)), Box((0, 0, 0), (2, 2, 2)))


SMOOTH = {"ball": Ball(), "torus": Torus(1.0, 0.4), "ellipsoid": ellipsoid()}
CREASED = {
    "box": Box((0, 0, 0), (1, 1.3, 0.7)),
    "cut ball": cut_ball(),
    "two balls": two_balls(),
    "dented box": dented_box(),
    "notched box": notched_box(),
}
SOLIDS = SMOOTH | CREASED


def constant(spacing):
    return lambda points: np.full(len(points), spacing)


def separation(points, spacing):
    """Smallest distance between two points, in spacings."""
    return (cKDTree(points).query(points, k=2)[0][:, 1] / spacing(points)).min()


def fill(domain, points, spacing):
    """Largest distance from a point of the surface to the nearest of ``points``, in spacings."""
    sample = sample_surface(domain, lambda x: 0.4 * spacing(x), np.random.default_rng(1))
    return (cKDTree(points).query(sample)[0] / spacing(sample)).max()


def cube_mesh():
    """Vertices and faces of the unit cube: 12 triangles."""
    vertices = np.array([[x, y, z] for x in (0, 1) for y in (0, 1) for z in (0, 1)], dtype=float)
    return vertices, hull_faces(vertices)


def ball_mesh(count=600):
    """Vertices and faces of a polyhedron with corners on the unit sphere."""
    height = 1.0 - (2.0 * np.arange(count) + 1.0) / count
    angle = np.pi * (3.0 - np.sqrt(5.0)) * np.arange(count)
    radius = np.sqrt(1.0 - height**2)
    vertices = np.column_stack([radius * np.cos(angle), radius * np.sin(angle), height])
    return vertices, hull_faces(vertices)


def hull_faces(vertices):
    """Triangles of the convex hull, counter-clockwise seen from outside."""
    hull = ConvexHull(vertices)
    a, b, c = vertices[hull.simplices].transpose(1, 0, 2)
    inwards = np.einsum("ni,ni->n", np.cross(b - a, c - a), hull.equations[:, :3]) < 0
    return np.where(inwards[:, None], hull.simplices[:, ::-1], hull.simplices)
