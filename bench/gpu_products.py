"""The product and its transpose on a device, timed against everybody who multiplies there."""

from __future__ import annotations

import functools
from dataclasses import asdict
from typing import Any

import torch
from scipy.sparse import csr_array

import dtpinn
from bench import rivals
from bench.gpu_target import Target
from bench.operands import Call, Operands, stencil_matrix
from bench.race import race, told
from bench.rivals import BACKWARD, FORWARD, RIVALS, Rival

TRANSPOSE = "transpose"
OPERATIONS = (FORWARD, TRANSPOSE, BACKWARD)
COPIED = 2**28  # bytes: more than any cache


@functools.cache
def copy_bandwidth(target: Target) -> dict[str, Any]:
    """Bytes per second of a copy within the device's memory, read and written ones together."""
    source = torch.ones(COPIED // 8, dtype=torch.float64, device=target.device)
    there = torch.empty_like(source)
    timing = race(target.timer, {"copy": lambda: there.copy_(source)})["copy"]
    rate = 2 * COPIED / timing.queued.median
    return {"bytes": 2 * COPIED, "seconds": asdict(timing.queued), "rate": rate}


def products(target: Target, count: int, n: int, seconds: float = 0.5) -> list[dict[str, Any]]:
    """Every operation on one matrix, about so many seconds each."""
    matrix = stencil_matrix(count, n)
    return [
        _operation(target, matrix, operation, columns, seconds)
        for operation in OPERATIONS
        for columns in (1, 25)
    ]


def _operation(
    target: Target, matrix: csr_array, operation: str, columns: int, seconds: float
) -> dict[str, Any]:
    """One operation, ours first. Rivals get the transpose as a matrix of its own.

    `fraction` is the bytes that a product must move over those that a copy moves in its time; more
    than 1 where the caches hold the matrix.
    """
    theirs = csr_array(matrix.T) if operation == TRANSPOSE else matrix
    operands = Operands.random(theirs, columns, backward=operation == BACKWARD)
    operands = operands.to(target.device).queued()
    own = ours_transposed(operands, matrix) if operation == TRANSPOSE else rivals.ours(operands)
    calls, left_out = {"ours": own}, {}
    for rival in RIVALS:
        if rival.setting == target.rivals and _multiplies(rival, operation, columns):
            try:
                calls[rival.name] = _checked(rival, operands, own)
            except Exception as error:  # whatever a library says, the others are still measured
                left_out[rival.name] = told(error)
    timings = race(target.timer, calls, seconds, left_out)
    result = {
        "operation": operation, "N": matrix.shape[0], "n": matrix.nnz // matrix.shape[0],
        "nnz": matrix.nnz, "columns": columns, "bytes": operands.traffic,
        "timings": {name: asdict(timing) for name, timing in timings.items()},
        "left_out": left_out,
    }  # fmt: skip
    if operation != BACKWARD and "ours" in timings:
        rate = operands.traffic / timings["ours"].queued.median
        result["fraction"] = rate / copy_bandwidth(target)["rate"]
    return result


def ours_transposed(operands: Operands, matrix: csr_array) -> Call:
    """``A.T @ y`` by what A has stored."""
    A = dtpinn.CSR.from_scipy(matrix).to(operands.x.device)
    return operands.call(lambda y: A.T @ y)


def _multiplies(rival: Rival, operation: str, columns: int) -> bool:
    if rival.make is rivals.dense:
        return False
    if rival.make is rivals.streaming and columns > 1:  # x is read from the caches then
        return False
    return (FORWARD if operation == TRANSPOSE else operation) in rival.operations


def _checked(rival: Rival, operands: Operands, own: Call) -> Call:
    """The rival's call, once it has given our result; one that does something else is no rival."""
    if reason := rival.unavailable():
        raise RuntimeError(reason)
    call = rival.make(operands)
    result = call()
    if rival.same_result:
        torch.testing.assert_close(result, own(), rtol=1e-10, atol=1e-10)
    return call
