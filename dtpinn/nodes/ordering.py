"""An order in which neighbours in space are neighbours in memory."""

from __future__ import annotations

import numpy as np

from dtpinn.arrays import Floats, Integers

# 2 * 31 and 3 * 20 bits fit one 64-bit key; the cells are far smaller than any spacing.
BITS = {1: 62, 2: 31, 3: 20}

# Rows between two neighbours from which on a first-level cache (32 KiB, 4,096 doubles) does not
# hold both. In random order in the plane the median is 0.29 n. Measured there, 43 nonzeros a row,
# forward and backward, one thread: the product along the curve with its two permutations takes as
# long as the product as it is at n = 5,000, two thirds of it at 10,000, half from 20,000 on. With
# 5 columns, or two threads with a cache each, they are even at 10,000, so the limit is above that.
FAR = 4096


def hilbert_order(points: Floats) -> Integers:
    """Rows of ``points`` along a Hilbert curve through their bounding box.

    The rows of a stencil then lie close together, and a sparse product finds them in the cache:
    2.5 times faster than random order at 20,000 nodes. On the line it is ascending order.

    Parameters
    ----------
    points
        (n, d) with d = 1, 2 or 3.

    Returns
    -------
    order
        (n,), so that ``points[order]`` follows the curve. Points in one cell keep their order.

    References
    ----------
    J. Skilling, "Programming the Hilbert curve", AIP Conf. Proc. 707 (2004) 381-387.

    Examples
    --------
    >>> hilbert_order(np.array([[0.0, 0.0], [1.0, 0.0], [1.0, 1.0], [0.0, 1.0]]))
    array([0, 3, 2, 1])
    """
    if points.shape[1] == 1:
        return np.argsort(points[:, 0], kind="stable")
    return np.argsort(_hilbert_key(_cells(points)), kind="stable")


def scattered(*blocks: Floats) -> bool:
    """Whether neighbours in space lie so far apart in memory that a product along the curve pays.

    True if more than half of the pairs of neighbours along the Hilbert curve are over 4,096 rows
    apart. That takes 14,000 points in random order, of one block; small clouds are in the cache
    anyhow. Points sorted by a coordinate, row by row, or in chunks of whatever origin (a mesh
    generator's, an octree's) are local enough: there the permutations would cost more than they
    win. The way from row to row tells less: it is long in points sorted by a coordinate as well.

    Parameters
    ----------
    blocks
        (n, d) each, rows that are to be neighbours of rows of their own block: interior, boundary
        and ghost nodes. Blocks are compared with a curve each, as no order of theirs can bring
        rows of different blocks together.

    Returns
    -------
    scattered
        Takes about 1 s per million points.

    Examples
    --------
    >>> grid = np.stack(np.meshgrid(np.arange(200.0), np.arange(200.0)), axis=-1).reshape(-1, 2)
    >>> scattered(grid), scattered(np.random.default_rng(0).permutation(grid))
    (False, True)
    """
    if max(map(len, blocks)) <= FAR:  # no two rows are so far apart
        return False
    apart = np.concatenate([np.abs(np.diff(hilbert_order(points))) for points in blocks])
    return float(np.median(apart)) > FAR


def _cells(points: Floats) -> Integers:
    """Integer coordinates (d, n) of the cell that holds each point; the cells are cubes."""
    if not len(points):
        return np.zeros(points.shape[::-1], dtype=np.int64)
    lower = points.min(axis=0)
    size = float((points.max(axis=0) - lower).max()) or 1.0
    cells = 2 ** BITS[points.shape[1]]
    index = ((points - lower) / size * cells).astype(np.int64)
    return np.ascontiguousarray(np.minimum(index, cells - 1).T)


def _hilbert_key(x: Integers) -> Integers:
    """Position along the curve (n,) of integer coordinates (d, n): Skilling's AxesToTranspose."""
    dimension = len(x)
    bits = BITS[dimension]
    x = x.copy()
    for level in range(bits - 1, 0, -1):
        bit, low = 1 << level, (1 << level) - 1
        for axis in range(dimension):
            # Where the bit is set reflect axis 0, elsewhere exchange the low bits with axis 0.
            reflect = (x[axis] & bit) != 0
            exchange = np.where(reflect, 0, (x[0] ^ x[axis]) & low)
            x[0] ^= np.where(reflect, low, exchange)
            x[axis] ^= exchange
    for axis in range(1, dimension):
        x[axis] ^= x[axis - 1]
    flip = np.zeros_like(x[0])
    for level in range(bits - 1, 0, -1):
        flip ^= np.where(x[-1] & (1 << level), (1 << level) - 1, 0)
    return _interleave(x ^ flip, bits)


def _interleave(x: Integers, bits: int) -> Integers:
    """Weave the bits of (d, n) coordinates into one key each, axis 0 most significant."""
    key = np.zeros(x.shape[1], dtype=np.int64)
    for level in range(bits - 1, -1, -1):
        for axis in x:
            key = (key << 1) | ((axis >> level) & 1)
    return key
