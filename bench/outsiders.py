"""The linear Poisson problem in DeepXDE and PINA, on our points and with our network's parameters.

Each returns a function without arguments that computes the loss as the library does. Sources and
boundary data are computed once for all, as ours are.
"""

from __future__ import annotations

import importlib.util
import os
from collections.abc import Callable

import torch
from torch import Tensor, nn

Loss = Callable[[], Tensor]


def unavailable(package: str) -> str | None:
    """Say that a library is not installed, and what to do."""
    if importlib.util.find_spec(package) is not None:
        return None
    return f"{package} is not installed; pip install 'dtpinn[rivals]'"


def plain(model) -> nn.Sequential:
    """Our MLP as any library takes it, (n, d) -> (n, 1), with the same parameters."""
    *hidden, last = model.layers
    return nn.Sequential(*(m for layer in hidden for m in (layer, nn.Tanh())), last)


def deepxde(pde, nodes, model) -> Loss:
    """DeepXDE asks for the equation on the boundary as well."""
    os.environ["DDE_BACKEND"] = "pytorch"
    import deepxde as dde

    dtype = model.dtype
    dde.config.set_default_float("float64" if dtype == torch.float64 else "float32")
    geometry = dde.geometry.PointCloud(nodes.interior, nodes.boundary, nodes.normals)
    # Unshuffled: `boundary_normal` returns normals in the order of the cloud, whatever it is asked.
    geometry.boundary_sampler = dde.data.BatchSampler(nodes.boundary_count, shuffle=False)
    known: dict[str, Tensor] = {}

    def equation(x, u):
        laplacian = dde.grad.hessian(u, x, i=0, j=0) + dde.grad.hessian(u, x, i=1, j=1)
        if "f" not in known:
            known["f"] = pde.f.function(x.detach())[:, None]
        return laplacian - known["f"]

    def condition(x, u):
        """Of Robin's condition du/dn = g - u."""
        if "g" not in known:
            points, normals = torch.as_tensor(x), torch.as_tensor(geometry.boundary_normal(x))
            known["g"] = pde.on[0].g.function(points, normals)[:, None].to(dtype)
        return known["g"] - u

    robin = dde.icbc.RobinBC(geometry, condition, lambda x, on_boundary: on_boundary)
    data = dde.data.PDE(
        geometry,
        equation,
        robin,
        num_domain=nodes.interior_count,
        num_boundary=nodes.boundary_count,
    )
    network = dde.nn.FNN([2, 1], "tanh", "zeros")
    network.forward = plain(model).forward
    solver = dde.Model(data, network)
    solver.compile("sgd", lr=1.0, verbose=0)
    x = data.train_x
    return lambda: solver.outputs_losses_train(x, None, None)[1].sum()


def pina(pde, nodes, model) -> Loss:
    """PINA asks for the equation in the interior; its logging is left out."""
    from pina import Condition, LabelTensor
    from pina.domain import CartesianDomain
    from pina.equation import Equation
    from pina.operator import grad, laplacian
    from pina.problem import SpatialProblem
    from pina.solver import PhysicsInformedSingleModelSolver

    axes = ["x", "y"]
    interior, boundary, normals = (
        torch.tensor(points, dtype=model.dtype)
        for points in (nodes.interior, nodes.boundary, nodes.normals)
    )
    f = pde.f.function(interior)[:, None]
    g = pde.on[0].g.function(boundary, normals)[:, None]

    def inside(x, u):
        return laplacian(u, x, components=["u"], d=axes).as_subclass(Tensor) - f

    def robin(x, u):
        gradient = grad(u, x, components=["u"], d=axes).as_subclass(Tensor)
        return (gradient * normals).sum(1, keepdim=True) + u.as_subclass(Tensor) - g

    class Poisson(SpatialProblem):
        output_variables = ["u"]  # noqa: RUF012  what PINA wants, as below
        spatial_domain = CartesianDomain({axis: [-1, 1] for axis in axes})
        conditions = {  # noqa: RUF012
            "inside": Condition(input=LabelTensor(interior, axes), equation=Equation(inside)),
            "boundary": Condition(input=LabelTensor(boundary, axes), equation=Equation(robin)),
        }

    solver = PhysicsInformedSingleModelSolver(Poisson(), plain(model))
    batches = [(c, {"input": c.input}) for c in solver.problem.conditions.values()]
    return lambda: sum(c.evaluate(b, solver).square().mean() for c, b in batches)
