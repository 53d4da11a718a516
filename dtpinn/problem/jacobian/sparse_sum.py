"""Sums of scaled sparse matrices whose pattern is worked out once, and whose values change.

A Jacobian is ``sum_k diag(s_k) M_k diag(v_k)``: the matrices stay, the slopes change from state to
state. SciPy would merge the patterns anew with every sum, which costs far more than the numbers.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from dtpinn.arrays import Floats, Integers

Block = tuple[int, int, int, int]  # term, equation, component, field


@dataclass(frozen=True)
class Term:
    """``diag(outer) (M x I) diag(inner)``: what a residual depends on by way of one matrix.

    Attributes
    ----------
    matrix : (points, nodes) csr_array
        M, the same at every time; its rows are in the order of the residual's points.
    count : int
        Of the times.
    outer : (equations, points * times, components) array
        Slopes of the residual in the matrix's results.
    inner : (nodes * times, components, fields) array, or None
        Slopes of what the matrix is applied to in the unknown; None where it is the unknown.
    """

    matrix: csr_array
    count: int
    outer: Floats
    inner: Floats | None

    @property
    def kind(self) -> tuple[int, bool]:
        """What decides where its blocks are."""
        return id(self.matrix), self.inner is None

    def blocks(self, index: int) -> Iterator[Block]:
        """Yield (index, equation, component, field) where anything is not zero."""
        outer = np.any(self.outer, axis=1)
        inner = np.eye(outer.shape[1], dtype=bool)
        if self.inner is not None:
            inner = np.any(self.inner, axis=0)
        for equation, component in np.argwhere(outer).tolist():
            for field in np.flatnonzero(inner[component]).tolist():
                yield index, equation, component, field

    def values(self, block: Block) -> Floats:
        """Return a block's numbers, (nonzeros * times,): all times of an entry together."""
        _, equation, component, field = block
        lengths = np.diff(self.matrix.indptr)
        outer = self.outer[equation, :, component].reshape(-1, self.count)
        result = np.repeat(outer, lengths, axis=0) * self.matrix.data[:, None]
        if self.inner is not None:
            inner = self.inner[:, component, field].reshape(-1, self.count)
            result *= inner[self.matrix.indices]
        return np.asarray(result.ravel())

    def same_slopes(self, other: Term) -> bool:
        """Whether another term of the same kind gives the same numbers."""
        if not np.array_equal(self.outer, other.outer):
            return False
        return self.inner is None or np.array_equal(self.inner, other.inner)  # type: ignore[arg-type]


class SparseSum:
    """The sum of terms as one CSR matrix, its pattern kept for the next slopes.

    Row ``site * equations + equation``, column ``(node * times + time) * fields + field``. The
    pattern only ever grows: a slope that has been zero everywhere brings its entries when it first
    is not. The same slopes give back the same object, whose arrays are therefore read-only.

    Examples
    --------
    >>> M, I = csr_array(np.array([[1.0, 2.0], [0.0, 3.0]])), csr_array(np.eye(2))
    >>> slopes = lambda *s: np.array(s)[None, :, None]
    >>> total = SparseSum(columns=2, fields=1)
    >>> first = total([Term(M, 1, slopes(1.0, 10.0), None), Term(I, 1, slopes(5.0, 7.0), None)])
    >>> first.toarray()
    array([[ 6.,  2.],
           [ 0., 37.]])
    >>> first is total([Term(M, 1, slopes(1.0, 10.0), None), Term(I, 1, slopes(5.0, 7.0), None)])
    True
    """

    def __init__(self, columns: int, fields: int) -> None:
        self._columns, self._fields = columns, fields
        self._terms: Sequence[Term] = ()
        self._positions: dict[Block, NDArray[np.intp]] = {}
        self._total: csr_array | None = None

    def __call__(self, terms: Sequence[Term]) -> csr_array:
        """Return the sum; of all terms the number of equations and of sites is the same."""
        if [t.kind for t in terms] != [t.kind for t in self._terms]:
            self._positions = {}  # another branch of the residual: other matrices
        elif all(a.same_slopes(b) for a, b in zip(terms, self._terms, strict=True)):
            assert self._total is not None
            return self._total
        self._terms = terms
        active = {block for k, term in enumerate(terms) for block in term.blocks(k)}
        if self._total is None or not active <= self._positions.keys():
            self._plan(sorted(active | self._positions.keys()))
        data = np.zeros(len(self._indices))
        for block, position in self._positions.items():
            data[position] += terms[block[0]].values(block)
        self._total = self._matrix(data)
        return self._total

    def _plan(self, blocks: Sequence[Block]) -> None:
        """Find the union of all entries, and where in it those of each block go."""
        equations, sites, _ = self._terms[0].outer.shape
        keys = [self._keys(block, equations) for block in blocks]
        union, position = np.unique(np.concatenate([np.empty(0, int), *keys]), return_inverse=True)
        parts = np.split(position, np.cumsum([len(k) for k in keys]))
        self._positions = dict(zip(blocks, parts, strict=False))  # the last part is empty
        self._shape = (sites * equations, self._columns * self._fields)
        width = max(self._shape[1], 1)
        small = np.int32 if max(len(union), *self._shape) < 2**31 else np.int64
        self._indices = (union % width).astype(small)
        starts = np.arange(self._shape[0] + 1) * width
        self._indptr = np.searchsorted(union, starts).astype(small)

    def _keys(self, block: Block, equations: int) -> Integers:
        """Row * width + column of a block's entries, in the order of its values."""
        index, equation, _, field = block
        term = self._terms[index]
        times = np.arange(term.count)
        points = np.repeat(np.arange(term.matrix.shape[0]), np.diff(term.matrix.indptr))
        rows = (points[:, None] * term.count + times) * equations + equation
        nodes = term.matrix.indices.astype(np.int64)
        columns = (nodes[:, None] * term.count + times) * self._fields + field
        return np.asarray((rows * (self._columns * self._fields) + columns).ravel())

    def _matrix(self, data: Floats) -> csr_array:
        for array in (data, self._indices, self._indptr):
            array.flags.writeable = False
        total = csr_array((data, self._indices, self._indptr), shape=self._shape)
        total.has_canonical_format = True
        return total
