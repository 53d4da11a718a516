"""The matrices that a problem's residuals ask for: assembled, or somebody's own."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy.sparse
import torch
from scipy.sparse import csr_array
from torch import Tensor

from dtpinn import rbffd
from dtpinn.arrays import Floats
from dtpinn.nodes import Nodes
from dtpinn.operators import Operator, Space
from dtpinn.problem.dry_run import Request
from dtpinn.problem.regions import Region
from dtpinn.problem.stencil_plans import plans
from dtpinn.sparse import CSR

OwnName = str | tuple[str, str]
"""How a given matrix is named: by its operator, or by (region, operator)."""


def key_of(region: str, operator: Operator | str) -> str:
    """Return one name for an operator on a region; modules take no dots in theirs."""
    name = operator if isinstance(operator, str) else operator.name
    return f"{region}: {name}".replace(".", "/")


def read_ghosts(nodes: Nodes, given: Mapping[OwnName, Any] | None) -> bool:
    """Return whether somebody's own matrices have a column for every ghost."""
    columns = [tuple(getattr(matrix, "shape", ()))[1:] for matrix in (given or {}).values()]
    return nodes.ghost_count > 0 and (len(nodes.extended),) in columns


@dataclass(frozen=True)
class Matrices:
    """Operators as matrices, one for each region that uses them.

    Attributes
    ----------
    by_key : dict of key to (rows of the region, Ni+Nb+Ng) csr_array, float64
    condition : dict of region name to (rows,) array
        Estimated condition numbers of the stencils; a region whose matrices were all given has
        none.
    """

    by_key: dict[str, csr_array]
    condition: dict[str, Floats]

    def __repr__(self) -> str:
        sizes = (f"{key} {m.shape[0]} x {m.shape[1]}" for key, m in self.by_key.items())
        return f"Matrices({', '.join(sizes)})"

    def __or__(self, others: Matrices) -> Matrices:
        """Return these and those of other regions."""
        return Matrices({**self.by_key, **others.by_key}, {**self.condition, **others.condition})

    def of(self, region: str, operator: Operator) -> csr_array:
        """Return the matrix of an operator on a region."""
        return self.by_key[key_of(region, operator)]

    def at_first_of(self, times: int) -> Matrices:
        """Return them as they act on values at so many times, node-major: at the first alone."""

        def spread(matrix: csr_array) -> csr_array:
            shape = matrix.shape[0], matrix.shape[1] * times
            return csr_array((matrix.data, matrix.indices * times, matrix.indptr), shape=shape)

        return Matrices({key: spread(m) for key, m in self.by_key.items()}, self.condition)

    def split(self, region: str, count: int, rest: str) -> tuple[Matrices, Matrices]:
        """Return them with the first rows of a region alone, and with its other rows as `rest`."""
        prefix, other = key_of(region, ""), key_of(rest, "")
        own = {key: m for key, m in self.by_key.items() if key.startswith(prefix)}
        first = {**self.by_key, **{key: csr_array(m[:count]) for key, m in own.items()}}
        last = {other + key.removeprefix(prefix): csr_array(m[count:]) for key, m in own.items()}
        condition = dict(self.condition)
        if region in condition:
            condition[region] = condition[region][:count]
        return Matrices(first, condition), Matrices({**first, **last}, condition)

    def stack(self, requests: Sequence[Request]) -> tuple[csr_array | None, dict[str, slice]]:
        """Stack what acts on the unknown itself, and tell which rows hold what."""
        keys = [key_of(r.region, r.operator) for r in requests if not r.of_function]
        if not keys:
            return None, {}
        ends = np.cumsum([self.by_key[key].shape[0] for key in keys])
        rows = {
            key: slice(int(end) - self.by_key[key].shape[0], int(end))
            for key, end in zip(keys, ends, strict=True)
        }
        return scipy.sparse.vstack([self.by_key[key] for key in keys], format="csr"), rows


def assemble_matrices(
    nodes: Nodes,
    regions: Sequence[Region],
    requests: Sequence[Request],
    order: int,
    given: Mapping[OwnName, Any] | None,
    options: rbffd.Options,
    *,
    sturdy: bool,
) -> Matrices:
    """Assemble what is requested and not given; one set of stencils for each region.

    All operators of a region share the stencils of the highest derivative among them: one
    factorisation, and the lower ones come out more accurate than asked for.

    Parameters
    ----------
    sturdy : bool
        Whether rows at the boundary have stencils of their own (:func:`plans`), or the paper's.
    """
    sums = {region.name for region in regions if region.weights is not None}
    own = {name: _as_scipy(name, matrix) for name, matrix in (given or {}).items()}
    _check_finite(own)
    _check_asked_for(own, requests)
    by_key: dict[str, csr_array] = {}
    condition: dict[str, Floats] = {}
    for region in regions:
        wanted = {r.operator.name: r.operator for r in requests if r.region == region.name}
        # A constraint takes what stencils the others have, and changes none of theirs.
        asked = [r for r in requests if r.region == region.name or r.region not in sums]
        # What is given for this region alone goes before what is given for all.
        found = {name: key for name in wanted for key in (name, (region.name, name)) if key in own}
        for name, key in found.items():
            by_key[key_of(region.name, wanted[name])] = _rows_of(key, own[key], region, nodes)
        # With the region's own normals: at a corner those of one side.
        place = Space(nodes.dimension, region.outward)
        missing = {name: op for name, op in wanted.items() if name not in found}
        for op in missing.values():
            if op.where is not None:
                there = _elsewhere(nodes, region, op, requests, order)
                by_key[key_of(region.name, op)] = there.matrices["there"]
                condition[region.name] = there.condition
        rest = {name: op.terms_at(place) for name, op in missing.items() if op.where is None}
        if rest:
            built = [
                rbffd.assemble(nodes, rest, region.rows[plan.rows], plan.order, **plan.options)
                for plan in plans(nodes, region, asked, order, options, sturdy)
            ]
            condition[region.name] = np.concatenate([piece.condition for piece in built])
            for name in rest:
                stacked = scipy.sparse.vstack([p.matrices[name] for p in built], format="csr")
                by_key[key_of(region.name, wanted[name])] = csr_array(stacked)
    return Matrices(by_key, condition)


def _elsewhere(
    nodes: Nodes, region: Region, operator: Operator, requests: Sequence[Request], order: int
) -> rbffd.Assembly:
    """An operator at other places than the region's rows.

    With polynomials of the degree of the equation's own, for what ties two places together carries
    its error into both.
    """
    assert operator.where is not None
    x = torch.tensor(nodes.collocation[region.rows])
    places = operator.where(x).numpy()
    highest = max((r.operator.order for r in requests), default=0)
    terms = operator.terms_at(Space(nodes.dimension, region.outward))
    higher = order + max(0, highest - operator.order)
    return rbffd.assemble(nodes, {"there": terms}, places, higher)


def _check_asked_for(own: Iterable[OwnName], requests: Sequence[Request]) -> None:
    names = {request.operator.name for request in requests}
    by_region = {(request.region, request.operator.name) for request in requests}
    if unknown := set(own) - names - by_region:
        raise ValueError(
            f"operators: no residual asks for {sorted(map(str, unknown))}; asked for are "
            f"{sorted(names)}, or for one region alone {sorted(by_region)}"
        )


def _as_scipy(name: OwnName, matrix: Any) -> csr_array:
    if isinstance(matrix, CSR):
        return matrix.to_scipy()
    if isinstance(matrix, Tensor) and matrix.layout != torch.strided:
        return CSR.from_torch(matrix).to_scipy()
    if scipy.sparse.issparse(matrix):
        if np.iscomplexobj(matrix):
            raise TypeError(f"operators[{name!r}] is complex; operators are real matrices")
        return csr_array(matrix).astype(np.float64)
    raise TypeError(
        f"operators[{name!r}]: expected a dtpinn.CSR, a SciPy sparse matrix or a sparse torch "
        f"tensor, got {type(matrix).__name__}"
    )


def _check_finite(own: Mapping[OwnName, csr_array]) -> None:
    for name, matrix in own.items():
        if not np.isfinite(matrix.data).all():
            bad = int(np.flatnonzero(~np.isfinite(matrix.data))[0])
            row = int(np.searchsorted(matrix.indptr, bad, side="right")) - 1
            raise ValueError(f"operators[{name!r}] has an entry {matrix.data[bad]} in row {row}")


def _rows_of(name: OwnName, matrix: csr_array, region: Region, nodes: Nodes) -> csr_array:
    """Take a region's rows of somebody's matrix, widened to X~ where it stops at X."""
    rows, columns = matrix.shape
    total = len(nodes.extended)
    on_boundary = region.on_boundary and rows == nodes.boundary_count
    if not (rows == nodes.count or on_boundary) or columns not in (nodes.count, total):
        wanted = f"{nodes.count} rows" + f" (or {nodes.boundary_count})" * region.on_boundary
        raise ValueError(
            f"operators[{name!r}] is {rows} x {columns}, but on region {region.name!r} of these "
            f"nodes it needs {wanted} and {nodes.count} or {total} columns, interior before "
            f"boundary before ghost. operators[({region.name!r}, ...)] is for this region alone"
        )
    picked = csr_array(matrix[region.rows - nodes.interior_count * on_boundary])
    picked.resize((len(region.rows), total))
    return picked
