"""How long the way between two nodes is through the domain, round its walls."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_array
from scipy.sparse.csgraph import dijkstra
from scipy.spatial import cKDTree

from dtpinn.nodes.walls import Walls

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.integer]

# A way goes from a node to one of so many nearest: to about two spacings.
NEIGHBOURS = {1: 4, 2: 16, 3: 40}
# Starts that share a piece of the graph.
BATCH = 256


def ways(walls: Walls, starts: Integers, nodes: Integers, longest: float) -> Floats:
    """Lengths of the shortest ways from node to node, each step of them to a neighbour in sight.

    Parameters
    ----------
    walls
        The boundary.
    starts
        (k,), nodes of X.
    nodes
        (k, m), for each start some nodes of X. Ways lead over the nodes named here.
    longest
        Ways longer than this need not be found.

    Returns
    -------
    length
        (k, m); inf where there is none, or none that short.

    Examples
    --------
    Round a wall that ends at the origin:

    >>> x, y = np.meshgrid(np.arange(-2.0, 3.0), [-0.5, 0.5])
    >>> tip = [[0.0, 0.0]]
    >>> upper, lower = [[-2.0, 0.0], [-1.0, 0.0]], [[-2.0, 0.0], [-1.0, 0.0]]
    >>> normals = [[-1.0, 0.0]] + 2 * [[0.0, -1.0]] + 2 * [[0.0, 1.0]]
    >>> walls = Walls(np.column_stack([x.ravel(), y.ravel()]), [*tip, *upper, *lower], normals)
    >>> ways(walls, np.array([1]), np.array([[6, 2, 7, 3, 8, 10]]), 9.0)[0, 0].round(3)
    3.236
    """
    used = np.unique(np.concatenate([starts, nodes.ravel()]))
    graph = _graph(walls, used)
    starts, nodes = np.searchsorted(used, starts), np.searchsorted(used, nodes)
    result = np.empty(nodes.shape)
    for begin in range(0, len(starts), BATCH):
        part = slice(begin, begin + BATCH)
        near = np.unique(np.concatenate([starts[part], nodes[part].ravel()]))
        some = graph[near][:, near]
        at, row = np.unique(np.searchsorted(near, starts[part]), return_inverse=True)
        length = dijkstra(some, directed=False, indices=at, limit=longest)
        result[part] = length[row[:, None], np.searchsorted(near, nodes[part])]
    return result


def _graph(walls: Walls, used: Integers) -> csr_array:
    """Distances between neighbours among the nodes ``used`` that see each other."""
    points = walls.points[used]
    count = min(NEIGHBOURS[points.shape[1]] + 1, len(walls.points))
    distance, near = cKDTree(walls.points).query(points, k=np.arange(1, count + 1))
    hidden = walls.hidden(walls.eyes[used], near)
    column = np.searchsorted(used, near)
    there = used[np.minimum(column, len(used) - 1)] == near
    row, k = np.nonzero(there & (distance > 0.0))
    pair = row, column[row, k]
    shape = (len(used), len(used))
    every = csr_array((distance[row, k], pair), shape)
    barred = csr_array((hidden[row, k].astype(np.float64), pair), shape)
    # What one of the two does not see is no step, whatever the other sees.
    every, barred = every.maximum(every.T), barred.maximum(barred.T)
    steps = csr_array(every - every.multiply(barred))
    steps.eliminate_zeros()
    return steps
