"""What the sparse product's benchmark multiplies: matrices as RBF-FD makes them, and vectors."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import torch
from scipy.sparse import csr_array
from scipy.spatial import cKDTree
from torch import Tensor

import dtpinn

Call = Callable[[], object]
Product = Callable[[Tensor], Tensor]


@functools.cache
def disk_nodes(count: int) -> dtpinn.Nodes:
    return dtpinn.place_nodes(dtpinn.geometry.Disk(), count=count)


@functools.lru_cache(maxsize=16)  # all of a report's: 0.4 GB at N = 200,000 and below
def stencil_matrix(count: int, n: int) -> csr_array:
    """Rows are X, columns the n nearest of X~, values random; nodes in Hilbert order.

    `count` is what is asked for; the disk gets as many within 2%.
    """
    nodes = disk_nodes(count)
    _, near = cKDTree(nodes.extended).query(nodes.collocation, k=n)
    col = np.sort(near, axis=1).astype(np.int32).ravel()
    crow = np.arange(0, len(col) + 1, n, dtype=np.int32)
    values = np.random.default_rng(0).standard_normal(len(col))
    return csr_array((values, col, crow), shape=(len(nodes.collocation), len(nodes.extended)))


@dataclass(frozen=True)
class Operands:
    """``y = matrix x`` and, where there is a `g`, the gradient ``matrix^T g`` after it.

    On a GPU a call ends when its result is there, unless it `waits` not.
    """

    matrix: csr_array
    x: Tensor
    g: Tensor | None
    waits: bool = True

    @classmethod
    def random(cls, matrix: csr_array, columns: int, *, backward: bool) -> Operands:
        """Normally distributed; one column is a vector, as a user would have it."""
        generator = torch.Generator().manual_seed(0)
        tail = () if columns == 1 else (columns,)
        g, x = (
            torch.randn(size, *tail, dtype=torch.float64, generator=generator)
            for size in matrix.shape
        )
        return cls(matrix, x.requires_grad_(backward), g if backward else None)

    def to(self, device: str) -> Operands:
        """The vectors on another device; a product brings the matrix along itself."""
        x = self.x.detach().to(device).requires_grad_(self.x.requires_grad)
        return replace(self, x=x, g=None if self.g is None else self.g.to(device))

    def queued(self) -> Operands:
        """The same for a caller who waits himself, such as one with CUDA events."""
        return replace(self, waits=False)

    def call(self, product: Product) -> Call:
        """The whole operation with this product."""
        x, g = self.x, self.g
        once: Call = lambda: product(x)  # noqa: E731
        if g is not None:
            once = lambda: torch.autograd.grad(product(x), x, g)[0]  # noqa: E731
        return self.finish(once)

    def finish(self, once: Call) -> Call:
        """A call that ends as calls of these operands do."""
        return synchronised(once) if self.x.is_cuda and self.waits else once

    @property
    def traffic(self) -> int:
        """Bytes that a product must move at least: values and int32 indices, x, y."""
        rows, nnz = self.matrix.shape[0], self.matrix.nnz
        columns = self.x[0].numel()
        return 12 * nnz + 4 * (rows + 1) + 8 * self.x.numel() + 8 * rows * columns


def synchronised(once: Call) -> Call:
    def call() -> object:
        result = once()
        torch.cuda.synchronize()
        return result

    return call


def torch_csr(matrix: csr_array, dtype: torch.dtype, device: str = "cpu") -> Tensor:
    """As torch.sparse, with indices of this type; memory is shared where the types allow."""
    return torch.sparse_csr_tensor(
        torch.from_numpy(matrix.indptr).to(device, dtype),
        torch.from_numpy(matrix.indices).to(device, dtype),
        torch.from_numpy(matrix.data).to(device),
        matrix.shape,
    )
