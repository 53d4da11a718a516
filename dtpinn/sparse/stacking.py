"""Matrices on top of each other: one product then serves several operators."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from dtpinn.sparse.csr import CSR


def vstack(matrices: Sequence[CSR]) -> CSR:
    """Stack matrices of equally many columns on top of each other, as ``torch.vstack`` would.

    Entries that are learnt stay so: gradients flow to the matrices they came from.

    Parameters
    ----------
    matrices : sequence of CSR
        At least one; all of one dtype and on one device.

    Raises
    ------
    TypeError, ValueError
        Nothing to stack, something else than a CSR, or different columns, dtypes or devices.

    Examples
    --------
    >>> one, two = CSR.from_dense(torch.eye(3)), CSR.from_dense(2 * torch.eye(3))
    >>> vstack([one, two]) @ torch.ones(3)
    tensor([1., 1., 1., 2., 2., 2.])
    """
    matrices = list(matrices)
    _check(matrices)
    crow, entries = [matrices[0].crow.long()[:1]], 0
    for matrix in matrices:
        crow.append(matrix.crow.long()[1:] + entries)
        entries += matrix.nnz
    col = torch.cat([matrix.col.long() for matrix in matrices])
    values = torch.cat([matrix.values for matrix in matrices])
    rows = sum(matrix.shape[0] for matrix in matrices)
    return CSR(torch.cat(crow), col, values, (rows, matrices[0].shape[1]))


def _check(matrices: list[CSR]) -> None:
    if not matrices:
        raise ValueError("vstack: expected at least one matrix, got none")
    for matrix in matrices:
        if not isinstance(matrix, CSR):
            raise TypeError(f"vstack: expected dtpinn.CSR matrices, got {type(matrix).__name__}")
    columns = [matrix.shape[1] for matrix in matrices]
    if len(set(columns)) > 1:
        raise ValueError(f"vstack: matrices must have equally many columns, got {columns}")
    for name in ("dtype", "device"):
        found = {str(getattr(matrix, name)) for matrix in matrices}
        if len(found) > 1:
            raise ValueError(
                f"vstack: matrices must share one {name}, got {sorted(found)}; convert with .to()"
            )
