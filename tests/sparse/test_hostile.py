"""Integers that would send a kernel out of bounds are refused, whichever way they come in.

Run under AddressSanitizer (`.ci/sanitized`) this is also the proof that nothing is read or written
before they are refused.
"""

from __future__ import annotations

import copy
import pickle
from itertools import pairwise

import numpy as np
import pytest
import scipy.sparse as sp
import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st

import dtpinn

WRAPPING = [
    -1, -2, -(2**31), -(2**31) - 1, -(2**63), 2**31 - 1, 2**31, 2**32, 2**32 + 1, 2**62, 2**63 - 1,
]  # fmt: skip
SIZES = st.integers(0, 6)


@st.composite
def matrices(draw):
    """crow, col, shape: valid, with empty rows and columns, and nothing at all now and then."""
    rows, columns = draw(SIZES), draw(SIZES)
    lengths = [draw(st.integers(0, 9 if columns else 0)) for _ in range(rows)]
    col = [draw(st.integers(0, columns - 1)) for _ in range(sum(lengths))]
    return [0, *np.cumsum(lengths, dtype=int).tolist()], col, (rows, columns)


@st.composite
def one_integer_wrong(draw):
    """A matrix with one of its integers replaced: parts, the name of the array, the new value."""
    crow, col, shape = draw(matrices())
    name = draw(st.sampled_from(["crow", "col"] if col else ["crow"]))
    parts = {"crow": crow, "col": col}
    near = st.integers(-3, len(col) + 3)
    bad = draw(st.sampled_from(WRAPPING) | near)
    parts[name][draw(st.integers(0, len(parts[name]) - 1))] = bad
    return parts, shape, bad


def is_valid(crow: list[int], col: list[int], shape: tuple[int, int]) -> bool:
    """The definition, in Python's own integers."""
    rows, columns = shape
    return (
        len(crow) == rows + 1
        and (crow[0], crow[-1]) == (0, len(col))
        and all(a <= b for a, b in pairwise(crow))
        and all(0 <= j < columns for j in col)
    )


def index(integers, dtype=torch.int64) -> torch.Tensor:
    return torch.tensor(integers, dtype=dtype)


def multiplies_rightly(A: dtpinn.CSR) -> None:
    rows, columns = A.shape
    dense = np.zeros((rows, columns))
    of_row = np.repeat(np.arange(rows), np.diff(A.crow.numpy()))
    np.add.at(dense, (of_row, A.col.numpy()), A.values.detach().numpy())
    assert np.allclose((A @ torch.eye(columns)).detach().numpy(), dense)
    assert np.allclose((A.T @ torch.eye(rows)).detach().numpy(), dense.T)


def refused_or_right(make, valid: bool, bad: int) -> None:
    if valid:
        multiplies_rightly(make())
        return
    with pytest.raises((TypeError, ValueError, RuntimeError)) as error:
        make()
    assert str(bad) in str(error.value)


@settings(deadline=None, max_examples=100)
@given(one_integer_wrong(), st.sampled_from([torch.int32, torch.int64]), st.booleans())
def test_a_constructor_takes_a_matrix_or_names_the_number(case, dtype, learnt):
    parts, shape, bad = case
    if dtype == torch.int32 and not -(2**31) <= bad < 2**31:
        dtype = torch.int64
    crow, col = (index(parts[name], dtype) for name in ("crow", "col"))
    values = torch.randn(len(col), requires_grad=learnt)
    valid = is_valid(parts["crow"], parts["col"], shape)
    refused_or_right(lambda: dtpinn.CSR(crow, col, values, shape), valid, bad)


@settings(deadline=None, max_examples=100)
@given(matrices(), st.sampled_from(["crow", "col", "values"]), st.integers(0, 60))
def test_an_array_of_another_length_is_refused(case, name, length):
    crow, col, shape = case
    parts = {"crow": index(crow), "col": index(col), "values": torch.ones(len(col))}
    assume(length != len(parts[name]))
    parts[name] = torch.zeros(length, dtype=parts[name].dtype)
    with pytest.raises(ValueError, match=rf"\b{length}\b"):
        dtpinn.CSR(**parts, shape=shape)


@settings(deadline=None, max_examples=100)
@given(one_integer_wrong(), st.booleans())
def test_a_state_is_checked_before_it_is_used(case, assign):
    parts, shape, bad = case
    nnz = len(parts["col"])
    held = torch.zeros(shape[0] + 1, dtype=torch.int64)
    held[1:] = nnz
    A = dtpinn.CSR(held, torch.zeros(nnz, dtype=torch.int64), torch.ones(nnz), shape)
    state = {**{name: index(part) for name, part in parts.items()}, "values": torch.randn(nnz)}

    def load():
        A.load_state_dict(state, assign=assign)
        return A

    valid = is_valid(parts["crow"], parts["col"], shape)
    refused_or_right(load, valid, bad)
    multiplies_rightly(A)  # whatever was refused, what it holds is a matrix


def unpickled(state: dict) -> dtpinn.CSR:
    """What pickle does with a state, whoever wrote it."""
    A = dtpinn.CSR.__new__(dtpinn.CSR)
    A.__setstate__(copy.deepcopy(state))
    return A


@settings(deadline=None, max_examples=100)
@given(one_integer_wrong())
def test_a_pickle_is_checked_like_any_other_source(case):
    parts, shape, bad = case
    nnz = len(parts["col"])
    state = dtpinn.CSR(index([0]), index([]), torch.ones(0), (0, 0)).__getstate__()
    tensors = {name: index(part) for name, part in parts.items()}
    state = {**state, "_shape": shape, "_buffers": {**tensors, "values": torch.randn(nnz)}}
    valid = is_valid(parts["crow"], parts["col"], shape)
    refused_or_right(lambda: unpickled(state), valid, bad)


@pytest.mark.parametrize(
    "shape",
    [(2, -1), (-1, 3), (2, 2), (1, 3), (3, 3), (2.0, 3.0), (2, 3, 4), (2,), 3, None, "23",
     (2, 2**63 - 1), (2, 2**63), (2**63 - 1, 3), (2, 2**62), (2, 2**70)],
)  # fmt: skip
def test_a_shape_from_a_file_is_checked(shape):
    A = dtpinn.CSR(index([0, 1, 3]), index([0, 1, 2]), torch.ones(3), (2, 3))
    with pytest.raises((TypeError, ValueError, RuntimeError)):
        unpickled({**A.__getstate__(), "_shape": shape})
    with pytest.raises((TypeError, ValueError, RuntimeError)):
        dtpinn.CSR(A.crow, A.col, A.values, shape)


@pytest.mark.parametrize("columns", [2**62, 2**63 - 1])
def test_the_operator_refuses_sizes_that_would_overflow(columns):
    with pytest.raises((ValueError, RuntimeError), match=f"{columns}|{columns + 1}"):
        torch.ops.dtpinn.csr_transpose(index([0, 1]), index([0]), columns)


@settings(deadline=None, max_examples=100)
@given(st.data())
def test_a_pickle_with_flipped_bits_is_refused_or_still_a_matrix(data):
    """Anywhere in the bytes of the integers, past whatever checksum the format may have."""
    A = dtpinn.CSR.from_scipy(sp.random_array((30, 40), density=0.1, rng=0, format="csr"))
    state = copy.deepcopy(A.__getstate__())
    crow, col = (state["_buffers"][name].numpy() for name in ("crow", "col"))
    flipped = data.draw(st.sampled_from([crow, col]))
    place = data.draw(st.integers(0, flipped.size - 1))
    flipped.view(np.uint32)[place] ^= np.uint32(1 << data.draw(st.integers(0, 31)))
    stream = pickle.dumps(state)  # as a matrix would have been written that was wrong in memory
    valid = is_valid(crow.tolist(), col.tolist(), A.shape)
    refused_or_right(lambda: unpickled(pickle.loads(stream)), valid, flipped[place])


def test_a_damaged_file_is_refused_or_still_a_matrix():
    """One bit flipped in every fourth byte of the integers as they lie in the file."""
    A = dtpinn.CSR.from_scipy(sp.random_array((30, 40), density=0.1, rng=0, format="csr"))
    stream = pickle.dumps(A)
    start = stream.find(A.col.numpy().tobytes())
    assert start > 0
    for place in range(start, start + 4 * A.nnz, 4):
        damaged = bytearray(stream)
        damaged[place] ^= 0x80
        try:
            B = pickle.loads(bytes(damaged))
        except (TypeError, ValueError, RuntimeError):
            continue
        multiplies_rightly(B)


STRANGE = {
    "expanded": index([0]).expand(5),
    "strided": torch.arange(20)[::4],
    "a column": torch.arange(20).reshape(5, 4)[:, 1],
    "2-D": torch.zeros(5, 1, dtype=torch.int64),
    "0-D": index(4),
    "sparse": torch.zeros(5, dtype=torch.int64).to_sparse(),
    "on meta": torch.zeros(5, dtype=torch.int64, device="meta"),
    "bytes": torch.zeros(5, dtype=torch.uint8),
    "bool": torch.zeros(5, dtype=torch.bool),
    "nan": torch.full((5,), float("nan")),
}


@pytest.mark.parametrize("crow", STRANGE)
def test_strange_tensors_are_refused_or_read_through_their_strides(crow):
    """With every other one for columns."""
    for columns in STRANGE.values():
        refused_or_read(STRANGE[crow], columns)


def refused_or_read(starts, columns):
    lists = [t.tolist() if t.layout == torch.strided and t.device.type == "cpu" else None
             for t in (starts, columns)]  # fmt: skip
    usable = all(t.dtype == torch.int64 and t.dim() == 1 for t in (starts, columns))
    make = lambda: dtpinn.CSR(starts, columns, torch.ones(columns.numel()), (4, 20))  # noqa: E731
    if usable and None not in lists and is_valid(*lists, (4, 20)):
        multiplies_rightly(make())
    else:
        with pytest.raises((TypeError, ValueError, RuntimeError)):
            make()


def test_strided_structures_and_values_are_read_through_their_strides():
    crow, col = index([0, 9, 2, 9, 5, 9])[::2], index([1, 0, 3, 2, 0]).repeat(3, 1).T[:, 1]
    for values in (torch.ones(1).expand(5), torch.arange(10.0)[::2], torch.ones(5, 2)[:, 1]):
        for learnt in (False, True):
            A = dtpinn.CSR(crow, col, values.requires_grad_() if learnt else values, (2, 4))
            multiplies_rightly(A)


@pytest.mark.filterwarnings("ignore:Sparse CSR tensor support is in beta")
@pytest.mark.parametrize("bad", [-1, 3, 2**31 - 1])
def test_conversions_check_what_they_are_given(bad):
    matrix = sp.csr_array(np.ones((2, 3)))
    matrix.indices[4] = bad
    with pytest.raises(ValueError, match=rf"col\[4\] = {bad}"):
        dtpinn.CSR.from_scipy(matrix)
    crow, col = torch.tensor(matrix.indptr), torch.tensor(matrix.indices)
    unchecked = torch.sparse_csr_tensor(crow, col, torch.ones(6), (2, 3), check_invariants=False)
    with pytest.raises(ValueError, match=rf"col\[4\] = {bad}"):
        dtpinn.CSR.from_torch(unchecked)
