"""Matrices of every shape that a kernel may get wrong, in sizes that keep a GPU's blocks busy."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np
from scipy.sparse import csr_array

from bench.operands import stencil_matrix


def drawn(lengths: np.ndarray, columns: int) -> csr_array:
    """Rows of these lengths, values normally distributed, columns with repetition and unsorted."""
    rng = np.random.default_rng(0)
    crow = np.concatenate([[0], np.cumsum(lengths)])
    col = rng.integers(0, columns, crow[-1])
    values = rng.standard_normal(crow[-1])
    return csr_array((values, col, crow), shape=(len(lengths), columns))


SHAPES: dict[str, Callable[[], csr_array]] = {
    "RBF-FD, 31 a row": partial(stencil_matrix, 2236, 31),
    # From nothing to more than four warps and any staging chunk, neighbours differing.
    "0 to 140 a row": partial(drawn, np.arange(500) * 37 % 141, 300),
    "mostly empty rows": partial(drawn, (np.arange(3000) % 97 == 5).astype(int), 400),
    "a dense row": partial(drawn, np.where(np.arange(200) == 77, 5000, 3), 5000),
    "more rows than 65,535": partial(drawn, np.full(66_000, 1), 3),
    "more columns than 65,535": partial(drawn, np.full(3, 1000), 66_000),
    "1 x 1": partial(drawn, np.ones(1, dtype=int), 1),
    "1 x 1, nothing stored": partial(csr_array, (1, 1)),
    "nothing stored": partial(csr_array, (40, 30)),
    "no rows": partial(csr_array, (0, 5)),
    "no columns": partial(csr_array, (5, 0)),
    "nothing at all": partial(csr_array, (0, 0)),
}
