"""New matrices from old ones, against the same on dense tensors."""

from __future__ import annotations

import copy
import pickle

import numpy as np
import pytest
import torch
from torch.testing import assert_close

import dtpinn
from tests.sparse.matrices import MATRICES, unsorted_with_duplicates

DENSE = torch.from_numpy(MATRICES["random"].toarray())
A = dtpinn.CSR.from_dense(DENSE)
ROWS, COLUMNS = A.shape


@pytest.mark.parametrize(
    "s",
    [
        3, -0.5, True, np.float64(2.5), np.float32(0.5), torch.tensor(3.0), torch.tensor([2.0]),
        torch.randn(ROWS, 1), torch.randn(COLUMNS), torch.randn(1, COLUMNS),
        torch.randn(ROWS, COLUMNS), torch.tensor([[0.5]]),
    ],
    ids=lambda s: f"{type(s).__name__} {tuple(getattr(s, 'shape', ()))}",
)  # fmt: skip
def test_scaling_is_that_of_a_dense_matrix(s):
    for ours, wanted in ((A * s, DENSE * s), (s * A, s * DENSE), (A / s, DENSE / s)):
        assert isinstance(ours, dtpinn.CSR)
        assert_close(ours.to_dense(), wanted)
        y = torch.randn(ROWS)
        assert_close(ours.T @ y, wanted.T @ y)


@pytest.mark.parametrize(
    "s",
    [3, torch.tensor(0.5), torch.randn(COLUMNS, 1), torch.randn(ROWS)],
    ids=lambda s: f"{type(s).__name__} {tuple(getattr(s, 'shape', ()))}",
)
def test_scaling_the_transpose(s):
    for ours, wanted in ((A.T * s, DENSE.T * s), (s * A.T, DENSE.T * s), (A.T / s, DENSE.T / s)):
        assert_close(ours.to_dense(), wanted)
        assert_close(ours.T.to_dense(), wanted.T)
    assert_close((-A.T).to_dense(), -DENSE.T)


def test_negation_and_rows():
    assert_close((-A).to_dense(), -DENSE)
    d = torch.randn(ROWS)
    assert_close(A.scale_rows(d).to_dense(), torch.diag(d) @ DENSE)


def test_repeated_entries_are_scaled_each():
    B = dtpinn.CSR.from_scipy(unsorted_with_duplicates())
    wanted = torch.from_numpy(unsorted_with_duplicates().toarray())
    d = torch.randn(3)
    assert_close(B.scale_rows(d).to_dense(), torch.diag(d) @ wanted)


def test_the_original_stays_and_the_structure_is_shared():
    before = A.values.clone()
    B = 2 * A
    assert torch.equal(A.values, before)
    assert B.col is A.col
    torch.nn.ModuleList([B]).to(torch.float32)
    assert A.dtype == torch.float64
    assert_close(A.to_dense(), DENSE)


def test_scaled_matrices_are_saved_and_copied_like_any():
    B = (2 * A).scale_rows(torch.randn(ROWS))
    for copied in (copy.deepcopy(B), pickle.loads(pickle.dumps(B))):
        assert torch.equal(copied.to_dense(), B.to_dense())
        assert torch.equal(copied.T @ torch.ones(ROWS), B.T @ torch.ones(ROWS))


def test_gradients_flow_to_the_scale_and_to_learnt_entries():
    values = torch.nn.Parameter(A.values.clone())
    B = dtpinn.CSR(A.crow, A.col, values, A.shape)
    d, s = torch.randn(ROWS, requires_grad=True), torch.randn((), requires_grad=True)
    x = torch.randn(COLUMNS)
    wanted = torch.autograd.grad(
        torch.sin((s * d[:, None] * B.to_dense()) @ x).sum(), (d, s, values)
    )
    got = torch.autograd.grad(torch.sin(s * B.scale_rows(d) @ x).sum(), (d, s, values))
    assert_close(got, wanted)


@pytest.mark.parametrize(
    ("error", "message", "scale"),
    [
        (
            ValueError,
            r"shape \(70,\) does not broadcast to the matrix's \(70, 90\)",
            torch.ones(70),
        ),
        (TypeError, "number or a torch tensor", "2"),
        (TypeError, "one after the other", A),
        (TypeError, "1j is complex", 1j),
        (TypeError, "is complex; make two", torch.tensor(1j)),
    ],
)
def test_wrong_scales_are_refused(error, message, scale):
    with pytest.raises(error, match=message):
        A * scale


def test_wrong_row_scales_are_refused():
    for wrong in (torch.ones(COLUMNS), torch.ones(ROWS, 1), 2.0):
        with pytest.raises(ValueError, match=r"expected a tensor \(70,\)"):
            A.scale_rows(wrong)


def test_vstack():
    B = dtpinn.CSR.from_scipy(MATRICES["empty rows"][:, :40])
    stacked = dtpinn.vstack([B, -B, 2 * B])
    dense = B.to_dense()
    assert_close(stacked.to_dense(), torch.vstack([dense, -dense, 2 * dense]))
    assert stacked.crow.dtype == torch.int32
    assert dtpinn.vstack([A]).shape == A.shape
    assert dtpinn.vstack([A, dtpinn.CSR.from_dense(torch.zeros(0, COLUMNS))]).shape == A.shape


def test_vstack_of_learnt_matrices():
    one = dtpinn.CSR(A.crow, A.col, torch.nn.Parameter(A.values.clone()), A.shape)
    x = torch.randn(COLUMNS)
    (dtpinn.vstack([A, one]) @ x).square().sum().backward()
    wanted = torch.autograd.grad((one @ x).square().sum(), one.values)[0]
    assert_close(one.values.grad, wanted)


@pytest.mark.parametrize(
    ("error", "message", "matrices"),
    [
        (ValueError, "at least one", []),
        (TypeError, "Tensor", [A, DENSE]),
        (ValueError, r"many columns, got \[90, 70\]", [A, dtpinn.CSR.from_dense(DENSE.T)]),
        (ValueError, r"one dtype, got .*float32", [A, A.to(torch.float32)]),
        (ValueError, "one device", [A, A.to("meta")]),
    ],
)  # fmt: skip
def test_what_cannot_be_stacked(error, message, matrices):
    with pytest.raises(error, match=message):
        dtpinn.vstack(matrices)


def test_dense_and_back():
    assert torch.equal(A.to_dense(), DENSE)
    assert torch.equal(A.T.to_dense(), DENSE.T)
    assert dtpinn.CSR.from_dense(torch.eye(3, dtype=torch.int32)).dtype == torch.float64
    assert dtpinn.CSR.from_dense(torch.eye(3, dtype=torch.float32)).dtype == torch.float32
    for wrong in (np.eye(2), torch.ones(3), torch.eye(2).to_sparse(), [[1.0]]):
        with pytest.raises(TypeError, match="dense 2-D torch tensor"):
            dtpinn.CSR.from_dense(wrong)
    with pytest.raises(TypeError, match="complex"):
        dtpinn.CSR.from_dense(torch.eye(2, dtype=torch.complex128))


def test_the_transpose_tells_what_it_is():
    assert (A.T.nnz, A.T.dtype, A.T.device) == (A.nnz, A.dtype, A.device)
    assert np.array_equal(A.T.to_scipy().toarray(), DENSE.numpy().T)
    assert "shape=(90, 70)" in repr(A.T)


def test_numpy_arrays_get_a_hint_from_either_side():
    with pytest.raises(TypeError, match=r"ndarray; use torch.as_tensor"):
        np.ones((2, ROWS)) @ A
    with pytest.raises(TypeError, match=r"ndarray; use torch.as_tensor"):
        A @ np.ones(COLUMNS)
