"""Small domains that show that nodes are placed through the Domain interface alone."""

import numpy as np

from dtpinn.geometry import Boundary, Domain


class Interval(Domain):
    """Union of disjoint intervals on the line; every end is a part of its own."""

    dimension = 1

    def __init__(self, *ends):
        self.ends = np.array(ends, dtype=float)

    @property
    def parts(self):
        return tuple(f"end{i}" for i in range(self.ends.size))

    @property
    def bounds(self):
        return np.array([[self.ends.min()], [self.ends.max()]])

    def signed_distance(self, points):
        x = np.asarray(points, dtype=float)[:, 0]
        middle, half = self.ends.mean(axis=1), np.ptp(self.ends, axis=1) / 2
        return (np.abs(x[:, None] - middle) - half).min(axis=1)

    def walk_boundary(self, spacing):
        normals = np.tile([-1.0, 1.0], len(self.ends))[:, None]
        return Boundary(self.ends.reshape(-1, 1), normals, range(self.ends.size), self.parts)


class Polygon(Domain):
    """A simple polygon, counter-clockwise; edge 0 is the part "first", the others are "rest"."""

    dimension = 2
    parts = ("first", "rest")

    def __init__(self, *corners):
        self.corners = np.array(corners, dtype=float)
        self.edges = np.roll(self.corners, -1, axis=0) - self.corners

    @property
    def bounds(self):
        return np.array([self.corners.min(axis=0), self.corners.max(axis=0)])

    def signed_distance(self, points):
        points = np.asarray(points, dtype=float)
        distance = np.full(len(points), np.inf)
        inside = np.zeros(len(points), dtype=bool)
        for start, edge in zip(self.corners, self.edges, strict=True):
            offset = points - start
            along = np.clip(offset @ edge / (edge @ edge), 0, 1)
            distance = np.minimum(distance, np.linalg.norm(offset - along[:, None] * edge, axis=1))
            crosses = (offset[:, 1] >= 0) != (points[:, 1] >= start[1] + edge[1])
            with np.errstate(divide="ignore", invalid="ignore"):
                inside ^= crosses & (offset[:, 0] < edge[0] * offset[:, 1] / edge[1])
        return np.where(inside, -distance, distance)

    def walk_boundary(self, spacing):
        length = np.linalg.norm(self.edges, axis=1)
        outward = np.column_stack([self.edges[:, 1], -self.edges[:, 0]]) / length[:, None]
        points, normals, part = [], [], []
        for i, (start, edge) in enumerate(zip(self.corners, self.edges, strict=True)):
            steps = max(round(length[i] / spacing), 1)
            points.append(start + np.arange(steps)[:, None] / steps * edge)
            normals.append(np.repeat(outward[i : i + 1], steps, axis=0))
            bisector = outward[i] + outward[i - 1]
            normals[-1][0] = bisector / np.linalg.norm(bisector)
            part += [min(i, 1)] * steps
        return Boundary(np.concatenate(points), np.concatenate(normals), part, self.parts)


class Ring(Domain):
    """A disk of radius 1 with a hole about ``center``."""

    dimension = 2
    parts = ("outer", "inner")
    bounds = np.array([[-1.0, -1.0], [1.0, 1.0]])

    def __init__(self, radius=0.3, center=(0.2, 0.1)):
        self.radius, self.center = radius, np.array(center)

    def signed_distance(self, points):
        points = np.asarray(points, dtype=float)
        inner = self.radius - np.linalg.norm(points - self.center, axis=1)
        return np.maximum(np.linalg.norm(points, axis=1) - 1.0, inner)

    def walk_boundary(self, spacing):
        points, normals, part = [], [], []
        for index, (radius, center, sign) in enumerate(
            [(1.0, np.zeros(2), 1.0), (self.radius, self.center, -1.0)]
        ):
            count = round(2 * np.pi * radius / spacing)
            angle = 2 * np.pi * np.arange(count) / count
            unit = np.column_stack([np.cos(angle), np.sin(angle)])
            points.append(center + radius * unit)
            normals.append(sign * unit)
            part += [index] * count
        return Boundary(np.concatenate(points), np.concatenate(normals), part, self.parts)


class Ball(Domain):
    """The unit ball; the sphere is walked along a Fibonacci spiral, nearest 0.91 spacings."""

    dimension = 3
    parts = ("sphere",)
    bounds = np.array([[-1.0] * 3, [1.0] * 3])

    def signed_distance(self, points):
        return np.linalg.norm(np.asarray(points, dtype=float), axis=1) - 1.0

    def walk_boundary(self, spacing):
        count = round(4 * np.pi / (1.1 * spacing**2))
        height = 1 - (2 * np.arange(count) + 1) / count
        angle = np.pi * (3 - np.sqrt(5)) * np.arange(count)
        radius = np.sqrt(1 - height**2)
        points = np.column_stack([radius * np.cos(angle), radius * np.sin(angle), height])
        normals = points / np.linalg.norm(points, axis=1, keepdims=True)
        return Boundary(points, normals, np.zeros(count, dtype=int), self.parts)


def rectangle():
    return Polygon((0, 0), (2, 0), (2, 1), (0, 1))


def l_shape():
    return Polygon((0, 0), (1, 0), (1, 0.5), (0.5, 0.5), (0.5, 1), (0, 1))
