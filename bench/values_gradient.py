"""The gradient in the matrix's values, and how much memory it takes."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path

import torch

import dtpinn
from bench.operands import Call, Operands, torch_csr


def ours(operands: Operands) -> Call:
    constant = dtpinn.CSR.from_scipy(operands.matrix)
    values = constant.values.clone().requires_grad_()
    A = dtpinn.CSR(constant.crow, constant.col, values, constant.shape)
    x, g = operands.x.detach(), operands.g
    return lambda: torch.autograd.grad(A @ x, values, g)[0]


def torch_sparse(operands: Operands) -> Call:
    """The same through torch.sparse, which makes a dense matrix of rows x columns on the way."""
    constant = torch_csr(operands.matrix, torch.int32)
    crow, col = constant.crow_indices(), constant.col_indices()
    values = constant.values().clone().requires_grad_()
    x, g = operands.x.detach(), operands.g

    def call() -> object:
        A = torch.sparse_csr_tensor(crow, col, values, constant.shape)
        return torch.autograd.grad(A @ x, values, g)[0]

    return call


def peak_memory(call: Call) -> int:
    """Bytes that torch holds at most during a call, beyond what it held before."""
    activities = [torch.profiler.ProfilerActivity.CPU]
    with torch.profiler.profile(activities=activities, profile_memory=True) as profile:
        call()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "trace.json"
        profile.export_chrome_trace(str(path))
        events = json.loads(path.read_text())["traceEvents"]
    memory = [event for event in events if event["name"] == "[memory]"]
    held = peak = 0
    for event in sorted(memory, key=lambda event: event["args"]["Ev Idx"]):
        held += event["args"]["Bytes"]
        peak = max(peak, held)
    return peak
