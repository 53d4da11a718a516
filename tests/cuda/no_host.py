"""A stand-in for a GPU that shows, on any machine, whether the host has to wait for it.

Tensors on torch's "meta" device have shapes and no data: what brings their numbers to the host
cannot be computed, and torch says so. The modes below see every operator, those of backward passes
too, and refuse whatever else a CUDA graph cannot hold: sizes that depend on numbers, and copies
from the host. They say nothing of what a kernel does inside; test_gpu.py asks that of a GPU.
(Fake CUDA tensors would be nearer to the device, but torch's autograd needs a real one for them.)
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

DEVICE = torch.device("meta")
NEEDS_NUMBERS = {torch.Tag.data_dependent_output, torch.Tag.dynamic_output_shape}
MAKE_TENSORS = {torch.tensor, torch.as_tensor, torch.asarray, torch.Tensor.new_tensor}
INDEX = {torch.Tensor.__getitem__, torch.Tensor.__setitem__}


class HostNeeded(Exception):
    """What would make the host wait for the device, or copy from it in the middle of a step."""


@contextmanager
def no_host() -> Iterator[None]:
    """Raise `HostNeeded` (or let torch say that there is no data) where a step needs the host.

    Work of the host alone is free, and so is a scalar of the host in an operator of the device:
    the launch takes it along.
    """
    with _Calls(), _Operators():
        yield


class _Operators(TorchDispatchMode):
    """Refuses operators that read numbers of the device, or tensors of the host beside its own."""

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        given = _tensors((args, kwargs))
        if any(t.device == DEVICE for t in given) and _reads_numbers(func, given):
            raise HostNeeded(f"{func}: the host would wait for numbers of the device")
        result = func(*args, **(kwargs or {}))
        both = [*given, *_tensors(result)]
        if any(t.device == DEVICE for t in both) and any(_fills_host(t) for t in both):
            raise HostNeeded(f"{func}: a tensor would be copied between host and device")
        return result


class _Calls(TorchFunctionMode):
    """Refuses Python's numbers made into a tensor of the device, which no operator shows."""

    def __torch_function__(self, func, types, args=(), kwargs=None):
        result = func(*args, **(kwargs or {}))
        if func in MAKE_TENSORS and result.device == DEVICE:
            raise HostNeeded(f"{func.__name__}: numbers of the host would be copied to the device")
        if func in INDEX and args[0].device == DEVICE and _holds_a_list(args[1]):
            raise HostNeeded(f"{func.__name__}: a list as an index would be copied to the device")
        return result


def _reads_numbers(func, given: list[torch.Tensor]) -> bool:
    if func is torch.ops.aten.index.Tensor:  # x[mask] does; x[rows] is a gather
        return any(t.dtype in (torch.bool, torch.uint8) for t in given[1:])
    return bool(NEEDS_NUMBERS & {*func.tags})


def _holds_a_list(index) -> bool:
    return any(isinstance(part, list) for part in (index if isinstance(index, tuple) else (index,)))


def _fills_host(tensor: torch.Tensor) -> bool:
    return tensor.device != DEVICE and tensor.dim() > 0


def _tensors(tree) -> list[torch.Tensor]:
    return [leaf for leaf in tree_leaves(tree) if isinstance(leaf, torch.Tensor)]
