"""The parity checks on the CPU: they accept our products, and notice every kind of wrong one."""

from __future__ import annotations

import pytest
import torch

from bench import gpu_parity
from bench.gpu_parity import Subject, against_cupy, parity, parity_of
from bench.shapes import SHAPES
from dtpinn.reference import SciPyProduct
from dtpinn.sparse import CSR
from tests.marks import mostly_full


@pytest.mark.parametrize("name", mostly_full(SHAPES, list(SHAPES)[::3].__contains__))
def test_the_op_agrees_with_scipy_on_every_shape(name):
    checks = list(parity(name, "cpu", quick=True))
    assert [check for check in checks if not check.passed] == []
    assert all(check.worst < 0.5 for check in checks if check.worst is not None)


def subject(name="0 to 140 a row", dtype=torch.float64, index=torch.int32):
    return Subject.make(name, SHAPES[name](), dtype, index, "cpu")


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32])
@pytest.mark.parametrize("index", [torch.int32, torch.int64])
def test_every_type_of_number_and_index_is_used(dtype, index):
    made = subject("a dense row", dtype, index)
    assert made.constant.dtype == made.learnt.dtype == dtype
    assert made.constant.crow.dtype == made.learnt.perm.dtype == index
    assert all(check.passed for check in parity_of(made))


def last_row_forgotten(product, A, x, transpose):
    y = product(A, x, transpose)
    return torch.cat([y[:-1], 0 * y[-1:]]) if y.dim() < 3 else y


def last_column_forgotten(product, A, x, transpose):
    y = product(A, x, transpose)
    return torch.cat([y[..., :-1], 0 * y[..., -1:]], -1) if x.shape[-1] == 33 else y


def only_the_first_of_a_batch(product, A, x, transpose):
    y = product(A, x, transpose)
    return y[:1].expand_as(y) if y.dim() == 3 else y


def rounded_to_single(product, A, x, transpose):
    return product(A, x.float().double(), transpose)


def other_bits_each_time(product, A, x, transpose):
    y = product(A, x, transpose)
    return y + torch.finfo(y.dtype).eps * y.detach().abs() * torch.randn(y.shape)


def strides_ignored(product, A, x, transpose):
    dense = torch.empty(x.shape).stride()
    return product(A, x if x.stride() == dense else x.as_strided(x.shape, dense), transpose)


def nan_where_nothing_is_stored(product, A, x, transpose):
    y = product(A, x, transpose)
    empty = (A.crow_t if transpose else A.crow).diff() == 0
    return y.masked_fill(empty if y.dim() == 1 else empty[:, None], float("nan"))


class WrongGradient(torch.autograd.Function):
    @staticmethod
    def forward(ctx, tensor):
        return tensor.clone()

    @staticmethod
    def backward(ctx, g):
        return 1.01 * g


def wrong_in_the_operand(product, A, x, transpose):
    return product(A, WrongGradient.apply(x), transpose)


def wrong_in_the_values(product, A, x, transpose):
    y = product(A, x, transpose)
    return y + 1e-9 * (A.values.sum() - A.values.sum().detach())


WRONG = {
    last_row_forgotten: {"product", "transpose"},
    last_column_forgotten: {"product", "transpose"},
    only_the_first_of_a_batch: {"product", "transpose"},
    rounded_to_single: {"product", "transpose"},
    other_bits_each_time: {"product: the same bits again", "transpose: the same bits again"},
    strides_ignored: {"product: the same bits of a strided operand"},
    nan_where_nothing_is_stored: {"product"},
    wrong_in_the_operand: {"product: gradient in x", "transpose: gradient in x"},
    wrong_in_the_values: {"product: gradient in values", "transpose: gradient in values"},
}


@pytest.mark.parametrize("wrong", WRONG, ids=lambda f: f.__name__)
def test_a_wrong_product_is_noticed(wrong, monkeypatch):
    product = CSR._product
    monkeypatch.setattr(CSR, "_product", lambda A, x, t: wrong(product, A, x, t))
    failed = {check.what for check in parity_of(subject()) if not check.passed}
    assert failed >= WRONG[wrong]


@pytest.mark.parametrize("tensor", ["crow_t", "col_t", "perm", "values_t"])
def test_a_wrong_transpose_is_noticed(tensor):
    made = subject()
    made.constant._buffers[tensor] = getattr(made.constant, tensor).flip(0)
    failed = [c.operand for c in gpu_parity.stored_transpose(made) if not c.passed]
    assert failed == [tensor]


def test_cupy_is_compared_with_where_it_is(monkeypatch):
    """SciPy in CuPy's place: what it computes with is the host's part."""
    monkeypatch.setattr(gpu_parity, "CuPyProduct", SciPyProduct)
    checks = list(against_cupy(subject()))
    assert len(checks) == 6
    assert all(check.passed for check in checks)
    product = CSR._product
    monkeypatch.setattr(CSR, "_product", lambda A, x, t: rounded_to_single(product, A, x, t))
    assert not any(check.passed for check in against_cupy(subject()))


def test_a_broken_cupy_is_told_and_ends_nothing(monkeypatch):
    def broken():
        raise OSError("libnvrtc.so: cannot open shared object file")

    monkeypatch.setattr(gpu_parity, "cupy_unavailable", broken)
    (check,) = gpu_parity._by_cupy(subject())
    assert check.passed
    assert check.remark == "OSError: libnvrtc.so: cannot open shared object file"
