"""Quasi-uniform clouds that need nothing of dtpinn.nodes, and functions known on them."""

from __future__ import annotations

from itertools import product
from math import perm
from types import SimpleNamespace

import numpy as np


def disk(count, *, ghost_distance=0.25):
    """A sunflower spiral in the unit disk, equispaced boundary nodes, one ghost for each.

    Spacing h = sqrt(pi / count); ghosts at `ghost_distance` x count^(-1/2), as in the paper.
    """
    h = np.sqrt(np.pi / count)
    on_boundary = round(2 * np.pi / h)
    inside = count - on_boundary
    k = np.arange(inside) + 0.5
    radius = (1 - 0.6 * h) * np.sqrt(k / inside)
    angle = k * np.pi * (3 - np.sqrt(5))  # the golden angle
    interior = np.stack([radius * np.cos(angle), radius * np.sin(angle)], axis=1)
    angle = 2 * np.pi * np.arange(on_boundary) / on_boundary
    boundary = np.stack([np.cos(angle), np.sin(angle)], axis=1)
    ghost = boundary * (1 + ghost_distance * count**-0.5)
    return SimpleNamespace(
        interior=interior,
        boundary=boundary,
        ghost=ghost,
        normals=boundary.copy(),
        spacing=h,
        collocation=np.concatenate([interior, boundary]),
        extended=np.concatenate([interior, boundary, ghost]),
    )


def box(dimension, per_side, *, jitter=0.5, seed=0):
    """A perturbed grid in the unit cube: `jitter` is the width of the perturbation over h."""
    rng = np.random.default_rng(seed)
    axes = [np.arange(per_side, dtype=float)] * dimension
    grid = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, dimension)
    points = (grid + jitter * rng.uniform(-0.5, 0.5, grid.shape)) / per_side
    return SimpleNamespace(extended=points, spacing=1 / per_side)


def unit_vectors(count, dimension, rng):
    vectors = rng.standard_normal((count, dimension))
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def exponents_up_to(degree, dimension):
    box = product(range(degree + 1), repeat=dimension)
    return [powers for powers in box if sum(powers) <= degree]


def monomial(points, powers, alpha):
    """D^alpha of prod_i x_i^powers_i."""
    result = np.ones(len(points))
    for axis, (power, times) in enumerate(zip(powers, alpha, strict=True)):
        # perm(k, t) = k (k-1) .. (k-t+1) is 0 when t > k, where the power below does not matter
        result *= perm(power, times) * points[:, axis] ** max(power - times, 0)
    return result


def wave(points):
    """The paper's u(x, y) = 1 + sin(pi x) cos(pi y)."""
    x, y = points.T
    return 1 + np.sin(np.pi * x) * np.cos(np.pi * y)


def wave_laplacian(points):
    return -2 * np.pi**2 * (wave(points) - 1)


def wave_robin(points, normals):
    """n . grad u + u."""
    x, y = points.T
    u_x = np.pi * np.cos(np.pi * x) * np.cos(np.pi * y)
    u_y = -np.pi * np.sin(np.pi * x) * np.sin(np.pi * y)
    return u_x * normals[:, 0] + u_y * normals[:, 1] + wave(points)
