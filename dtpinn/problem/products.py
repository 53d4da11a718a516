"""Products: the matrices of a problem as training multiplies with them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import cast

import numpy as np
import torch
from torch import nn

from dtpinn.nodes import Nodes
from dtpinn.pde import Operator
from dtpinn.problem.curve import Product, curve_through, make_product
from dtpinn.problem.dry_run import Request
from dtpinn.problem.matrices import Matrices, key_of
from dtpinn.problem.regions import Region


class Products(nn.Module):
    """All operators on the unknown as one product, those of functions of it each by itself.

    Parameters
    ----------
    nodes : Nodes
    regions : sequence of Region
    requests : sequence of Request
        What the residuals ask for on these regions.
    matrices : Matrices
    dtype : torch.dtype

    Attributes
    ----------
    stacked : CSR or CurveProduct or None
        All matrices that act on the unknown itself, one below the other: ``stacked(u)`` takes
        values on X~ in the order of the nodes. Of scattered nodes it is stored along a curve.
    single : ModuleDict of CSR or CurveProduct
        Those that act on a function of the unknown, by key.
    """

    stacked: Product | None

    def __init__(
        self,
        nodes: Nodes,
        regions: Sequence[Region],
        requests: Sequence[Request],
        matrices: Matrices,
        dtype: torch.dtype,
    ) -> None:
        super().__init__()
        order = curve_through(nodes)
        nodes_of = {region.name: region.rows for region in regions}
        stacked, self._rows = matrices.stack(requests)
        if stacked is None:
            self.stacked = None
        else:
            rows = [nodes_of[r.region] for r in requests if not r.of_function]
            self.stacked = make_product(stacked, np.concatenate(rows), order, dtype)
        self.single = nn.ModuleDict(
            {
                key_of(r.region, r.operator): make_product(
                    matrices.of(r.region, r.operator), nodes_of[r.region], order, dtype
                )
                for r in requests
                if r.of_function
            }
        )

    @property
    def all(self) -> list[Product]:
        """Every product of a step."""
        stacked = [] if self.stacked is None else [self.stacked]
        return [*stacked, *cast("Iterable[Product]", self.single.values())]

    def slice_of(self, region: str, operator: Operator) -> slice:
        """Return the rows of the common product that hold an operator on a region."""
        return self._rows[key_of(region, operator)]

    def of_function(self, region: str, operator: Operator) -> nn.Module:
        """Return what multiplies the values of a function of the unknown."""
        return self.single[key_of(region, operator)]
