"""Derivatives of the product, of first and second order, in the operand and in the values."""

from __future__ import annotations

import subprocess
import sys

import pytest
import torch
from torch.autograd import gradcheck, gradgradcheck

import dtpinn
from tests.sparse.matrices import MATRICES

# An empty row, an empty column, an unsorted row and a repeated entry.
CROW = torch.tensor([0, 2, 2, 4, 7])
COL = torch.tensor([2, 0, 1, 2, 0, 1, 1])
SHAPE = (4, 4)


def product(values, x, transpose):
    A = dtpinn.CSR(CROW, COL, values, SHAPE)
    return A.T @ x if transpose else A @ x


def raw_sampled(y, x):
    b = dtpinn.CSR(CROW, COL, torch.ones(7), SHAPE)._buffers
    return torch.ops.dtpinn.csr_sampled(
        b["crow"], b["col"], b["crow_t"], b["col_t"], b["perm"], y, x
    )


@pytest.fixture(params=[(4,), (4, 1), (4, 3), (2, 4, 3)], ids=str)
def pair(request):
    shape = request.param
    return torch.randn(shape, requires_grad=True), torch.randn(shape, requires_grad=True)


@pytest.mark.parametrize("transpose", [False, True])
def test_in_values_and_operand(pair, transpose):
    values = torch.randn(7, requires_grad=True)

    def f(values, x):
        return product(values, x, transpose)

    assert gradcheck(f, (values, pair[0]), check_forward_ad=True)
    assert gradgradcheck(f, (values, pair[0]), check_fwd_over_rev=True)


def test_of_a_constant_matrix(pair):
    A = dtpinn.CSR(CROW, COL, torch.randn(7), SHAPE)
    for f in (lambda x: A @ x, lambda x: A.T @ x):
        assert gradcheck(f, (pair[0],), check_forward_ad=True)
        assert gradgradcheck(lambda x, f=f: f(x) ** 2, (pair[0],))


def test_of_the_sampled_product(pair):
    assert gradcheck(raw_sampled, pair, check_forward_ad=True)
    assert gradgradcheck(raw_sampled, pair)


def test_the_gradient_is_the_transposed_product():
    A = dtpinn.CSR.from_scipy(MATRICES["random"])
    x = torch.randn(A.shape[1], requires_grad=True)
    g = torch.randn(A.shape[0])
    (A @ x).backward(g)
    assert torch.equal(x.grad, A.T @ g)


def test_learnt_values_follow_their_parameter():
    values = torch.nn.Parameter(torch.randn(7))
    A = dtpinn.CSR(CROW, COL, values, SHAPE)
    assert next(A.parameters()) is values
    y = torch.randn(4)
    before = A.T @ y
    with torch.no_grad():
        values.mul_(2.0)
    assert torch.allclose(A.T @ y, 2 * before)


@pytest.mark.parametrize("op", ["csr_product", "csr_sampled", "csr_transpose"])
def test_opcheck(op):
    b = dtpinn.CSR.from_scipy(MATRICES["random"])._buffers
    rows, columns = 70, 90
    y, x = (torch.randn(n, 3, requires_grad=True) for n in (rows, columns))
    structure = (b["crow_t"], b["col_t"])
    arguments = {
        "csr_product": [
            (b["crow"], b["col"], b["values"].clone().requires_grad_(), *structure, v, b["perm"], z)
            for v, z in (
                (None, x),
                (b["values_t"], x),
                (None, x[:, 0]),
                (None, torch.randn(2, 90, 3, requires_grad=True)),
            )
        ],
        "csr_sampled": [
            (b["crow"], b["col"], *structure, b["perm"], *operands)
            for operands in ((y, x), (y[:, 0], x[:, 0]), (y.expand(2, 70, 3), x.expand(2, 90, 3)))
        ],
        "csr_transpose": [(b["crow"], b["col"], columns)],
    }
    for args in arguments[op]:
        torch.library.opcheck(getattr(torch.ops.dtpinn, op).default, args)


@pytest.mark.full
def test_two_threads_in_one_graph_get_an_error_and_no_crash():
    """The second backward through a freed graph is refused, as for any torch operation."""
    code = """
import threading, torch, dtpinn
torch.set_default_dtype(torch.float64)
n = 200
A = dtpinn.CSR(torch.arange(n + 1), torch.arange(n), torch.ones(n), (n, n))
outcomes = []
def work(y, x, start):
    start.wait()
    try:
        torch.autograd.grad(y, x)
        outcomes.append("ok")
    except RuntimeError as error:
        outcomes.append("second time" if "second time" in str(error) else repr(error))
for _ in range(200):
    x = torch.randn(n, requires_grad=True)
    values = torch.ones(n, requires_grad=True)
    B = dtpinn.CSR(torch.arange(n + 1), torch.arange(n), values, (n, n))
    y = (A @ (B @ x)).sum()
    start = threading.Barrier(3)
    threads = [threading.Thread(target=work, args=(y, x, start)) for _ in range(3)]
    [t.start() for t in threads]
    [t.join() for t in threads]
assert set(outcomes) <= {"ok", "second time"}, set(outcomes)
print("done")
"""
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert run.stdout.strip() == "done", run.stderr[-500:]
