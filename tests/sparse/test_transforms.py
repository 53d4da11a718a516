"""torch's transformations of functions, each against the same function of a dense matrix."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch.func import functional_call, grad, hessian, jacfwd, jacrev, jvp, vjp, vmap
from torch.testing import assert_close

import dtpinn
from tests.sparse.matrices import MATRICES

# A rule of our own answers vmap: torch's loop over the batch would say so.
pytestmark = pytest.mark.filterwarnings("error:There is a performance drop")

CSR = dtpinn.CSR.from_dense(
    torch.tensor(
        [[0, 1.5, 0, -2], [0, 0, 0, 0], [3, 0, 0.5, 1], [0, 0, -1, 0], [2, 0, 0, 0]],
        dtype=torch.float64,
    )
)
DENSE = CSR.to_dense()
ROW, COLUMN = DENSE.nonzero(as_tuple=True)
BUFFERS = CSR._buffers


def sparse_product(values, x):
    b = BUFFERS
    return torch.ops.dtpinn.csr_product(
        b["crow"], b["col"], values, b["crow_t"], b["col_t"], None, b["perm"], x
    )


def dense_product(values, x):
    return torch.zeros(5, 4).index_put((ROW, COLUMN), values) @ x


def scalar(product):
    """A function of values and operand whose derivatives of every order differ from zero."""
    return lambda values, x: torch.exp(0.3 * product(values, x)).sum()


@pytest.fixture
def both():
    return torch.randn(CSR.nnz), torch.randn(4)


@pytest.mark.parametrize("transform", [grad, jacrev, jacfwd, hessian], ids=lambda t: t.__name__)
@pytest.mark.parametrize("argnums", [0, 1, (0, 1)])
def test_derivatives_by_torch_func(transform, argnums, both):
    ours = transform(scalar(sparse_product), argnums=argnums)(*both)
    wanted = transform(scalar(dense_product), argnums=argnums)(*both)
    assert_close(ours, wanted)


@pytest.mark.parametrize("argnums", [0, 1])
@pytest.mark.parametrize("order", [(jacrev, jacrev), (jacfwd, jacrev), (jacrev, jacfwd)])
def test_third_derivatives(order, argnums, both):
    def third(product):
        f = grad(scalar(product), argnums=argnums)
        for transform in order:
            f = transform(f, argnums=argnums)
        return f(*both)

    assert_close(third(sparse_product), third(dense_product))


def test_vjp_and_jvp(both):
    values, x = both
    tangents = torch.randn_like(values), torch.randn_like(x)
    assert_close(jvp(sparse_product, both, tangents), jvp(dense_product, both, tangents))
    (_, ours), (_, wanted) = vjp(sparse_product, *both), vjp(dense_product, *both)
    g = torch.randn(5)
    assert_close(ours(g), wanted(g))


@pytest.mark.parametrize("shape", [(4,), (4, 3), (2, 4, 3)], ids=str)
@pytest.mark.parametrize("in_dim", [0, -1])
def test_vmap_over_the_operand(shape, in_dim):
    batch = torch.randn(6, *shape).movedim(0, in_dim)
    assert_close(
        vmap(lambda x: CSR @ x, in_dims=in_dim)(batch),
        vmap(lambda x: DENSE @ x, in_dims=in_dim)(batch),
    )
    y = torch.randn(6, 5)
    assert_close(vmap(lambda y: CSR.T @ y)(y), y @ DENSE)


@pytest.mark.parametrize("in_dims", [(0, None), (0, 0), (0, 1), (None, 0), (1, 0)])
def test_vmap_over_values_and_operand(in_dims):
    values, x = torch.randn(CSR.nnz), torch.randn(4)
    if in_dims[0] is not None:
        values = torch.randn(3, CSR.nnz).movedim(0, in_dims[0])
    if in_dims[1] is not None:
        x = torch.randn(3, 4).movedim(0, in_dims[1])
    ours = vmap(sparse_product, in_dims=in_dims)(values, x)
    assert_close(ours, vmap(dense_product, in_dims=in_dims)(values, x))


def test_nested_vmap():
    batch = torch.randn(2, 3, 4)
    assert_close(vmap(vmap(lambda x: CSR @ x))(batch), batch @ DENSE.T)
    outer = vmap(lambda x: vmap(lambda s: CSR @ (s * x))(torch.arange(2.0)))(batch[0])
    assert_close(outer, torch.stack([torch.zeros(3, 5), batch[0] @ DENSE.T], 1))


@pytest.mark.parametrize("transform", [grad, hessian], ids=lambda t: t.__name__)
def test_vmap_of_derivatives(transform):
    values, x = torch.randn(CSR.nnz), torch.randn(6, 4)
    for argnums in (0, 1):
        ours = vmap(transform(scalar(sparse_product), argnums=argnums), in_dims=(None, 0))
        wanted = vmap(transform(scalar(dense_product), argnums=argnums), in_dims=(None, 0))
        assert_close(ours(values, x), wanted(values, x))


def test_a_derivative_between_two_vmaps_sees_its_own_level():
    """The operand is batched outside, the values are differentiated in between, and only another
    factor is batched inside: a rule that took the wrong level would sum over the outer batch."""

    def gradient(product):
        def f(x, values):
            def inner(v):
                return vmap(lambda s: (s * product(v, x)).square().sum())(torch.arange(3.0))

            return grad(lambda v: inner(v).sum())(values)

        return vmap(f, in_dims=(0, None))

    x, values = torch.randn(6, 4), torch.randn(CSR.nnz)
    assert_close(gradient(sparse_product)(x, values), gradient(dense_product)(x, values))


def test_vmap_over_the_structure_is_refused():
    b = BUFFERS
    col = b["col"].expand(2, -1)
    with pytest.raises(ValueError, match="structure of its own"):
        vmap(
            lambda col: torch.ops.dtpinn.csr_product(
                b["crow"], col, b["values"], b["crow_t"], b["col_t"], None, b["perm"], torch.ones(4)
            )
        )(col)


@pytest.mark.parametrize("transform", [jacrev, jacfwd], ids=lambda t: t.__name__)
def test_a_matrix_made_inside_a_transformation(transform, both):
    def product(values):
        A = dtpinn.CSR(CSR.crow, CSR.col, values, CSR.shape)
        return (A.scale_rows(torch.arange(5.0)).T @ torch.ones(5)) + 2 * A.T @ torch.ones(5)

    def dense(values):
        D = torch.zeros(5, 4).index_put((ROW, COLUMN), values)
        return (torch.arange(5.0)[:, None] * D).sum(0) + 2 * D.sum(0)

    assert_close(transform(product)(both[0]), transform(dense)(both[0]))
    batch = torch.randn(3, CSR.nnz)
    assert_close(vmap(product)(batch), vmap(dense)(batch))


def test_functional_call_replaces_the_values():
    A = dtpinn.CSR.from_dense(DENSE)
    x = torch.randn(4)
    assert_close(functional_call(A, {"values": 3 * A.values}, (x,)), 3 * (DENSE @ x))
    jacobian = jacrev(lambda v: functional_call(A, {"values": v}, (x,)))(A.values)
    assert_close(jacobian, jacrev(dense_product)(A.values, x))
    y = torch.randn(5)
    with torch.no_grad():
        assert_close(A.T @ y, DENSE.T @ y)  # afterwards all is as it was


# -- compilers ----------------------------------------------------------------------------------


def step(A, x):
    return torch.sin(A(x)).square().sum() + A.T(A(x)).sum()


@pytest.mark.parametrize(
    ("backend", "dynamic"),
    [("aot_eager", True),
     pytest.param("aot_eager", False, marks=pytest.mark.full),
     pytest.param("inductor", True, marks=pytest.mark.full),
     pytest.param("inductor", False, marks=pytest.mark.full)],
)  # fmt: skip
def test_compiles_without_a_graph_break(backend, dynamic, tmp_path, monkeypatch):
    # A cache of its own: inductor takes what a process with other instruction sets has left.
    monkeypatch.setenv("TORCHINDUCTOR_CACHE_DIR", str(tmp_path))
    torch.compiler.reset()
    A = dtpinn.CSR.from_scipy(MATRICES["random"])
    compiled = torch.compile(step, fullgraph=True, backend=backend, dynamic=dynamic)
    for columns in (2, 5):
        x = torch.randn(90, columns, requires_grad=True)
        (wanted,) = torch.autograd.grad(step(A, x), x)
        (got,) = torch.autograd.grad(compiled(A, x), x)
        assert_close(got, wanted)


def test_compiled_learnt_values():
    torch.compiler.reset()
    A = dtpinn.CSR(CSR.crow, CSR.col, torch.nn.Parameter(CSR.values.clone()), CSR.shape)
    x = torch.randn(4)
    step(A, x).backward()
    wanted, A.values.grad = A.values.grad, None
    torch.compile(step, fullgraph=True, backend="aot_eager")(A, x).backward()
    assert_close(A.values.grad, wanted)


def test_the_infix_product_breaks_the_graph_and_stays_right():
    torch.compiler.reset()
    x = torch.randn(4)
    compiled = torch.compile(lambda x: (CSR @ torch.sin(x)).sum(), backend="aot_eager")
    assert_close(compiled(x), (DENSE @ torch.sin(x)).sum())


@pytest.mark.parametrize("strict", [False, True])
def test_export(strict):
    class Model(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.A = dtpinn.CSR.from_dense(DENSE)

        def forward(self, x):
            return self.A.T(torch.tanh(self.A(x)))

    model, x = Model(), torch.randn(4, 3)
    shapes = {"x": {1: torch.export.Dim("k", min=2, max=64)}}
    program = torch.export.export(model, (x,), dynamic_shapes=shapes, strict=strict)
    names = {str(node.target) for node in program.graph.nodes}
    assert any("csr_product" in name for name in names)
    for columns in (3, 7):
        x = torch.randn(4, columns)
        assert_close(program.module()(x), model(x))


@pytest.mark.parametrize("learnt", [pytest.param(False, marks=pytest.mark.full), True])
def test_compiled_autograd(learnt):
    from torch._dynamo import compiled_autograd

    torch.compiler.reset()

    start = torch.randn(4)

    def gradients():
        values, x = CSR.values.clone().requires_grad_(learnt), start.clone().requires_grad_()
        torch.exp(sparse_product(values, x)).sum().backward()
        return x.grad, values.grad

    wanted = gradients()
    with compiled_autograd._enable(torch.compile(backend="aot_eager", fullgraph=True)):
        got = gradients()
    assert_close(got[0], wanted[0])
    if learnt:
        assert_close(got[1], wanted[1])


def test_compiled_autograd_traces_a_new_matrix_anew():
    """The graph is cached by what was collected: another matrix must not reuse these entries."""
    from torch._dynamo import compiled_autograd

    torch.compiler.reset()
    x = torch.randn(4, requires_grad=True)
    with compiled_autograd._enable(torch.compile(backend="aot_eager", fullgraph=True)):
        for scale in (1.0, 2.0):
            x.grad = None
            (scale * CSR @ x).sum().backward()
            assert_close(x.grad, scale * DENSE.sum(0))
        x.grad, y = None, torch.randn(5, requires_grad=True)
        (CSR.T @ y).sum().backward()
        assert_close(y.grad, DENSE.sum(1))


# -- shapes without data ------------------------------------------------------------------------


@pytest.mark.parametrize("shape", [(90,), (90, 3), (2, 5, 90, 3), (90, 0)], ids=str)
def test_fake_and_meta_tensors_have_the_shape_of_the_result(shape):
    from torch._subclasses.fake_tensor import FakeTensorMode

    A = dtpinn.CSR.from_scipy(MATRICES["random"])
    wanted = A @ torch.randn(shape)
    meta = A.to("meta") @ torch.empty(shape, device="meta")
    assert (meta.shape, meta.dtype) == (wanted.shape, wanted.dtype)
    assert meta.stride() == wanted.stride()
    with FakeTensorMode(allow_non_fake_inputs=True):
        fake = A @ torch.empty(shape)
    assert (fake.shape, fake.stride()) == (wanted.shape, wanted.stride())


def test_a_function_mode_sees_the_call():
    from torch.overrides import TorchFunctionMode

    seen = []

    class Spy(TorchFunctionMode):
        def __torch_function__(self, func, types, args=(), kwargs=None):
            seen.append(str(func))
            return func(*args, **(kwargs or {}))

    with Spy():
        y = CSR @ torch.ones(4)
    assert any("csr_product" in name for name in seen)
    assert np.array_equal(y.numpy(), DENSE.sum(1).numpy())
