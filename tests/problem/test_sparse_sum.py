"""Sums of scaled sparse matrices: the pattern is kept, the numbers are those of SciPy."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.sparse
from scipy.sparse import csr_array

from dtpinn.problem.jacobian.sparse_sum import SparseSum, Term

POINTS, NODES, TIMES, FIELDS, EQUATIONS = 4, 6, 3, 2, 2


def matrix(rng):
    return csr_array(scipy.sparse.random(POINTS, NODES, density=0.5, random_state=rng))


def term(A, rng, components, inner=True):
    outer = rng.standard_normal((EQUATIONS, POINTS * TIMES, components))
    slopes = rng.standard_normal((NODES * TIMES, components, FIELDS)) if inner else None
    return Term(A, TIMES, outer, slopes)


def by_scipy(terms):
    """The same sum, dense, from its definition."""
    total = np.zeros((POINTS * TIMES * EQUATIONS, NODES * TIMES * FIELDS))
    for t in terms:
        spread = scipy.sparse.kron(t.matrix, scipy.sparse.eye(TIMES)).toarray()
        inner = t.inner
        if inner is None:
            inner = np.broadcast_to(np.eye(FIELDS), (NODES * TIMES, FIELDS, FIELDS))
        part = np.einsum("eic,ij,jcf->iejf", t.outer, spread, inner)
        total += part.reshape(total.shape)
    return total


def test_the_sum_is_its_definition_at_every_state(rng):
    A, B = matrix(rng), matrix(rng)
    total = SparseSum(NODES * TIMES, FIELDS)
    for _ in range(3):
        terms = [term(A, rng, 3), term(B, rng, FIELDS, inner=False)]
        found = total(terms)
        assert np.allclose(found.toarray(), by_scipy(terms), atol=1e-14)
        assert found.has_canonical_format
        found.check_format(full_check=True)


def test_the_pattern_grows_where_a_slope_was_zero_and_stays(rng):
    A = matrix(rng)
    total = SparseSum(NODES * TIMES, FIELDS)
    full, part = term(A, rng, 2), term(A, rng, 2)
    part.outer[0] = 0.0
    few = total([part])
    assert few.nnz == A.nnz * TIMES * FIELDS  # of one equation
    many = total([full])
    assert many.nnz == 2 * few.nnz
    again = total([part])
    assert again.nnz == many.nnz
    assert np.allclose(again.toarray(), few.toarray(), atol=1e-15)


def test_nothing_at_all_is_an_empty_matrix(rng):
    zero = Term(matrix(rng), TIMES, np.zeros((EQUATIONS, POINTS * TIMES, 1)), None)
    found = SparseSum(NODES * TIMES, 1)([zero])
    assert found.shape == (POINTS * TIMES * EQUATIONS, NODES * TIMES)
    assert found.nnz == 0


@pytest.mark.parametrize("which", ["outer", "inner"])
def test_every_slope_counts_when_sums_are_compared(which, rng):
    A = matrix(rng)
    total = SparseSum(NODES * TIMES, FIELDS)
    first = term(A, rng, 2)
    same = Term(A, TIMES, first.outer.copy(), first.inner.copy())
    other = Term(A, TIMES, first.outer.copy(), first.inner.copy())
    getattr(other, which)[-1] += 1.0
    made = total([first])
    assert total([same]) is made
    assert total([other]) is not made
    assert np.allclose(total([other]).toarray(), by_scipy([other]))


def test_another_branch_of_a_residual_brings_other_matrices(rng):
    A, B = matrix(rng), matrix(rng)
    total = SparseSum(NODES * TIMES, FIELDS)
    branches = [[term(A, rng, 2)], [term(B, rng, 2)], [term(A, rng, 2)]]
    by_itself = [Term(A, TIMES, branches[-1][0].outer, None)]  # of u where it was of a function
    nothing = [Term(B, TIMES, 0 * branches[-1][0].outer, None)]
    for terms in [*branches, by_itself, branches[0], nothing]:
        assert np.allclose(total(terms).toarray(), by_scipy(terms))
