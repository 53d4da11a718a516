"""The matrix a user holds: made, converted, moved, saved, and refused when it is wrong."""

from __future__ import annotations

import copy
import pickle

import numpy as np
import pytest
import scipy.sparse as sp
import torch

import dtpinn
from tests.sparse.matrices import MATRICES, unsorted_with_duplicates


def dense(A) -> np.ndarray:
    return (A @ torch.eye(A.shape[1], dtype=A.dtype)).numpy()


@pytest.mark.parametrize("name", MATRICES)
def test_scipy_and_back(name):
    matrix = MATRICES[name]
    A = dtpinn.CSR.from_scipy(matrix)
    assert (A.shape, A.nnz) == (matrix.shape, matrix.nnz)
    assert np.array_equal(A.to_scipy().toarray(), matrix.toarray())


@pytest.mark.filterwarnings("ignore:Sparse CSR tensor support is in beta")
def test_torch_and_back():
    matrix = MATRICES["random"].toarray()
    for layout in (torch.from_numpy(matrix).to_sparse_csr(), torch.from_numpy(matrix).to_sparse()):
        A = dtpinn.CSR.from_torch(layout)
        assert np.array_equal(A.to_torch().to_dense().numpy(), matrix)
    untidy = dtpinn.CSR.from_scipy(unsorted_with_duplicates())
    assert np.array_equal(
        untidy.to_torch().to_dense().numpy(), unsorted_with_duplicates().toarray()
    )


def test_the_stored_transpose_has_ascending_columns():
    A = dtpinn.CSR.from_scipy(unsorted_with_duplicates())
    wanted = unsorted_with_duplicates().toarray()
    assert np.array_equal((A.T @ torch.eye(3)).numpy(), wanted.T)
    assert A.T.shape == (3, 3)
    assert A.T.T is A
    order = A.col_t.long() + 3 * torch.repeat_interleave(torch.arange(3), A.crow_t.diff().long())
    assert torch.equal(order, order.sort().values)  # ascending columns in every row


def test_to_makes_another_matrix_and_a_parent_converts_in_place():
    A = dtpinn.CSR.from_scipy(MATRICES["random"])
    B = A.to(torch.float32)
    assert (A.dtype, B.dtype) == (torch.float64, torch.float32)
    assert B.col.dtype == torch.int32
    parent = torch.nn.ModuleList([A]).to(torch.float32)
    assert parent[0].dtype == torch.float32
    assert (A.T @ torch.ones(70, dtype=torch.float32)).dtype == torch.float32


def test_to_leaves_the_original_alone():
    A = dtpinn.CSR.from_scipy(MATRICES["random"])
    before = {name: id(tensor) for name, tensor in A._buffers.items()}
    A.to(torch.float32)
    assert {name: id(tensor) for name, tensor in A._buffers.items()} == before
    assert A.to("cpu").col is A.col  # nothing to convert, so nothing is copied


CONVERSIONS = {
    "float": lambda A: A.float(),
    "type": lambda A: A.type(torch.float32),
    "type by name": lambda A: A.type("torch.FloatTensor"),
    "double": lambda A: A.double(),
    "cpu": lambda A: A.cpu(),
    "a learnt one": lambda A: A.float(),
}


@pytest.mark.parametrize("name", CONVERSIONS)
def test_every_conversion_leaves_the_matrix_alone_as_a_dense_tensor_would(name):
    A = dtpinn.CSR.from_scipy(MATRICES["random"])
    if name == "a learnt one":
        A = dtpinn.CSR(A.crow, A.col, torch.nn.Parameter(A.values), A.shape)
    before, dense = dict(A.state_dict()), A.to_dense().detach()
    B = CONVERSIONS[name](A)
    assert B is not A
    assert B.dtype == CONVERSIONS[name](dense).dtype
    assert A.dtype == torch.float64
    assert all(torch.equal(before[key], value) for key, value in A.state_dict().items())
    transposes_agree(A)
    B.requires_grad_(False)
    B.values.mul_(2.0)
    if B.dtype != A.dtype:
        assert torch.equal(A.to_dense(), dense)
    transposes_agree(B)


@pytest.mark.parametrize("convert", ["half", "bfloat16"])
def test_dtypes_without_products_are_refused_at_once(convert):
    A = dtpinn.CSR.from_scipy(MATRICES["random"])
    with pytest.raises(TypeError, match="must be float64 or float32, so not torch"):
        getattr(A, convert)()
    with pytest.raises(TypeError, match="must be float64 or float32, so not torch"):
        A.to("cpu", torch.complex128)
    assert A.dtype == torch.float64


def test_complex_numbers_are_told_of_both_their_parts():
    """Every remedy that a message proposes, carried out."""
    A = dtpinn.CSR.from_scipy(MATRICES["random"])
    x = torch.randn(90, 2, dtype=torch.complex128)
    for product in (lambda: A @ x, lambda: A(x), lambda: A.T @ x[:70]):
        with pytest.raises(TypeError, match=r"torch\.complex\(A @ x.real, A @ x.imag\)"):
            product()
    wanted = A.to_dense().to(torch.complex128) @ x
    torch.testing.assert_close(torch.complex(A @ x.real, A @ x.imag), wanted)
    for scale in (2 + 1j, torch.tensor(2 + 1j)):
        with pytest.raises(TypeError, match=r"scale .* is complex; make two matrices"):
            A * scale
    with pytest.raises(TypeError, match=r"with values\.real and with values\.imag"):
        dtpinn.CSR(A.crow, A.col, A.values * 1j, A.shape)


def transposes_agree(A):
    y = torch.randn(A.shape[0], dtype=A.dtype)
    wanted = torch.from_numpy(A.to_scipy().T @ y.numpy())
    torch.testing.assert_close(A.T @ y, wanted)
    x = torch.randn(A.shape[1], dtype=A.dtype, requires_grad=True)
    (A @ x).backward(y)
    torch.testing.assert_close(x.grad, wanted)


def change_in_place(A):
    A.values.mul_(2)


def make_learnt(A):
    A.values.requires_grad_(True)
    with torch.no_grad():
        A.values.add_(1.0)


def convert_and_change(A):
    torch.nn.ModuleList([A]).to(torch.float32)
    A.values.mul_(3)


@pytest.mark.parametrize("change", [change_in_place, make_learnt, convert_and_change])
def test_the_transpose_follows_whatever_becomes_of_the_values(change):
    A = dtpinn.CSR.from_scipy(MATRICES["random"])
    change(A)
    transposes_agree(A)


def test_the_transpose_follows_values_that_are_swapped_for_a_call():
    A = dtpinn.CSR.from_scipy(MATRICES["random"])
    x = torch.randn(90, requires_grad=True)
    y = torch.func.functional_call(A, {"values": 2 * A.values}, x)
    y.sum().backward()
    assert torch.allclose(x.grad, 2 * (A.T @ torch.ones(70)))


def test_a_frozen_parameter_stays_a_parameter():
    values = torch.nn.Parameter(torch.ones(1), requires_grad=False)
    A = dtpinn.CSR(torch.tensor([0, 1]), torch.tensor([0]), values, (1, 1))
    B = copy.deepcopy(A)
    for matrix in (A, B, A.to(torch.float32)):
        assert [p.requires_grad for p in matrix.parameters()] == [False]
    B.requires_grad_(True)
    with torch.no_grad():
        B.values.mul_(5)
    transposes_agree(B)


def test_to_does_not_convert_a_shared_parameter():
    values = torch.nn.Parameter(torch.randn(1))
    A = dtpinn.CSR(torch.tensor([0, 1]), torch.tensor([0]), values, (1, 1))
    assert A.to(torch.float32).dtype == torch.float32
    assert A.values is values
    assert values.dtype == torch.float64


@pytest.mark.parametrize("copied", [copy.deepcopy, lambda A: pickle.loads(pickle.dumps(A))])
def test_copies_multiply_alike(copied):
    A = dtpinn.CSR.from_scipy(MATRICES["random"])
    B = copied(A)
    y = torch.randn(70)
    assert np.array_equal(dense(A), dense(B))
    assert torch.equal(A.T @ y, B.T @ y)
    assert B.col.data_ptr() != A.col.data_ptr()


def test_state_dict_restores_the_matrix_and_its_transpose():
    A = dtpinn.CSR.from_scipy(MATRICES["random"])
    other = MATRICES["random"].copy()
    other.data[:] = 0.0
    B = dtpinn.CSR.from_scipy(other)
    assert sorted(A.state_dict()) == ["col", "crow", "values"]
    B.load_state_dict(A.state_dict())
    y = torch.randn(70)
    assert torch.equal(A.T @ y, B.T @ y)


def test_load_state_dict_checks_before_it_writes():
    A = dtpinn.CSR.from_scipy(MATRICES["random"])
    before = dense(A)
    state = {name: value.clone() for name, value in A.state_dict().items()}
    state["col"][3] = 10_000
    with pytest.raises(RuntimeError, match=r"col\[3\] = 10000"):
        A.load_state_dict(state)
    assert np.array_equal(dense(A), before)


@pytest.mark.parametrize(
    "part",
    [
        {"col": torch.full((630,), 2**30, dtype=torch.int32)},
        {"crow": torch.arange(71, dtype=torch.int32) * 1000},
        {"values": torch.ones(629)},
    ],
)
def test_a_part_of_a_state_is_checked_with_the_rest_of_the_matrix(part):
    A = dtpinn.CSR.from_scipy(MATRICES["random"])
    before = dense(A)
    with pytest.raises(RuntimeError, match="CSR: "):
        A.load_state_dict(part, strict=False)
    assert np.array_equal(dense(A), before)


@pytest.mark.parametrize("entries", [629, 631])
def test_a_state_of_another_size_changes_nothing(entries):
    A = dtpinn.CSR.from_scipy(MATRICES["random"])
    before = dense(A)
    crow = torch.cat([torch.zeros(70), torch.tensor([entries])]).int()
    state = {"crow": crow, "col": torch.zeros(entries).int(), "values": torch.ones(entries)}
    with pytest.raises(RuntimeError, match=f"has 630 entries, the state {entries}"):
        A.load_state_dict(state)
    assert np.array_equal(dense(A), before)


def test_unpickling_checks_too():
    A = dtpinn.CSR.from_scipy(MATRICES["random"])
    A.col[3] = 10_000
    with pytest.raises(ValueError, match=r"col\[3\] = 10000"):
        copy.deepcopy(A)


def test_made_under_inference_mode_it_still_trains():
    with torch.inference_mode():
        A = dtpinn.CSR.from_scipy(MATRICES["random"])
        made = [A, copy.deepcopy(A), pickle.loads(pickle.dumps(A)), A.to(torch.float32)]
    for matrix in made:
        transposes_agree(matrix)


ONES = torch.ones(3)
GOOD = {"crow": torch.tensor([0, 1, 3]), "col": torch.tensor([0, 1, 2]), "values": ONES}


@pytest.mark.parametrize(
    ("error", "message", "wrong"),
    [
        (ValueError, r"\[0, 3\), got col\[1\] = 3", {"col": torch.tensor([0, 3, 1])}),
        (ValueError, r"got col\[2\] = -1", {"col": torch.tensor([0, 2, -1])}),
        # 2^32 + 1 would wrap to the valid column 1 if it were narrowed before it is checked.
        (ValueError, "4294967297", {"col": torch.tensor([0, 2**32 + 1, 1])}),
        (
            ValueError,
            r"crow\[0\] = 2 > crow\[1\] = 1|start at 0",
            {"crow": torch.tensor([2, 1, 3])},
        ),
        (ValueError, r"crow\[1\] = 4 > crow\[2\] = 3", {"crow": torch.tensor([0, 4, 3])}),
        (ValueError, "start at 0", {"crow": torch.tensor([1, 1, 3])}),
        (ValueError, "end at the number of entries", {"crow": torch.tensor([0, 1, 2])}),
        (ValueError, "rows \\+ 1 = 3 entries", {"crow": torch.tensor([0, 3])}),
        (ValueError, "1-D", {"crow": torch.tensor([[0, 1, 3]])}),
        (ValueError, "one number per entry", {"values": torch.ones(4)}),
        (ValueError, "shape must be two sizes", {"shape": (2, -3)}),
        (TypeError, "shape must be two integers", {"shape": (2, 3, 4)}),
        (TypeError, "shape must be two integers", {"shape": 3}),
        (TypeError, "shape must be two integers", {"shape": (2.5, 3)}),
        (TypeError, "int32 or int64", {"crow": torch.tensor([0.0, 1.0, float("nan")])}),
        (TypeError, "int32 or int64", {"col": np.array([0, 1, 2])}),
        (TypeError, "float64 or float32", {"values": ONES.half()}),
        (TypeError, "ndarray", {"values": np.ones(3)}),
    ],
)
def test_a_wrong_matrix_is_refused_at_the_door(error, message, wrong):
    dtpinn.CSR(**{"shape": (2, 3), **GOOD})
    with pytest.raises(error, match=message):
        dtpinn.CSR(**{"shape": (2, 3), **GOOD, **wrong})


def test_a_missing_argument_is_told_by_the_name_of_the_class_that_was_called():
    with pytest.raises(TypeError, match=r"^CSR\.__init__.* 'values' and 'shape'"):
        dtpinn.CSR(GOOD["crow"], GOOD["col"])


def test_wrong_operands_are_refused():
    A = dtpinn.CSR.from_scipy(MATRICES["random"])
    with pytest.raises(ValueError, match=r"shape \[70\] has 70 rows where .* 90 columns"):
        A @ torch.ones(70)
    with pytest.raises(ValueError, match=r"shape \[90\] has 90 rows where .* 70 rows"):
        A.T @ torch.ones(90)
    with pytest.raises(TypeError, match="Float where the matrix is Double"):
        A @ torch.ones(90, dtype=torch.float32)
    with pytest.raises(TypeError, match="ndarray"):
        A @ np.ones(90)
    with pytest.raises(ValueError, match=r"\(n,\) or \(..., n, k\), got a scalar"):
        A @ torch.tensor(1.0)
    with pytest.raises(ValueError, match="has 2 rows where the matrix has 90 columns"):
        A @ torch.ones(90, 2, 2)
    with pytest.raises(ValueError, match="on meta"):
        A @ torch.ones(90, device="meta")


@pytest.mark.parametrize("end", [2**31 - 1, 0, -5])
def test_row_pointers_that_were_changed_are_refused(end):
    A = dtpinn.CSR.from_scipy(MATRICES["random"])
    A.crow[-1] = end
    with pytest.raises(ValueError, match=f"crow ends at {end} where there are 630 entries"):
        A @ torch.ones(90)


def test_a_state_with_something_else_than_tensors_is_refused():
    A = dtpinn.CSR.from_scipy(MATRICES["random"])
    with pytest.raises(RuntimeError, match="col must be an int32 or int64 torch tensor, got list"):
        A.load_state_dict({**A.state_dict(), "col": [0, 1]})


def test_raw_operators_check_sizes_without_reading_the_columns():
    b = dtpinn.CSR.from_scipy(MATRICES["random"])._buffers
    x = torch.ones(90)
    with pytest.raises(ValueError, match="perm has 3"):
        torch.ops.dtpinn.csr_product(
            b["crow"], b["col"], b["values"], b["crow_t"], b["col_t"], None, b["perm"][:3], x
        )
    with pytest.raises(TypeError, match="dtype of crow"):
        torch.ops.dtpinn.csr_product(
            b["crow"].long(), b["col"], b["values"], b["crow_t"], b["col_t"], None, b["perm"], x
        )
    with pytest.raises(ValueError, match=r"crow\[70\]"):
        torch.ops.dtpinn.csr_transpose(b["crow"], b["col"][:5], 90)


def test_from_scipy_refuses_what_it_cannot_hold():
    with pytest.raises(TypeError, match="complex"):
        dtpinn.CSR.from_scipy(sp.csr_array(np.array([[1j]])))
    with pytest.raises(TypeError, match="ndarray"):
        dtpinn.CSR.from_scipy(np.eye(2))
    with pytest.raises(TypeError, match="strided"):
        dtpinn.CSR.from_torch(torch.eye(2))
    assert dtpinn.CSR.from_scipy(sp.eye_array(2, dtype=int)).dtype == torch.float64
