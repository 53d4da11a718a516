"""The memory of L-BFGS: the last m pairs (s, y), and the product of the inverse Hessian with them.

The two-loop recursion (Nocedal and Wright, *Numerical Optimization*, 2nd edition, algorithm 7.4) is
4 m dot products and updates of length n, each of them one small operation in Python. With the
pairs stacked as the rows of S and Y, both loops are triangular systems of size m. Write

    R = the upper triangle of S Y'   (R_ij = s_i . y_j for i no newer than j),   D = its diagonal.

The first loop, newest pair to oldest, computes alpha_i = rho_i s_i . (g - sum_{j>i} alpha_j y_j),
which is R alpha = S g by back substitution, and leaves q = g - Y' alpha. The second, oldest to
newest, computes c_i = alpha_i - rho_i y_i . (gamma q + sum_{j<i} c_j s_j), which is
R' c = D alpha - gamma Y q by forward substitution, and leaves H g = gamma q + S' c.

So H g costs four products with a stacked m x n matrix, and appending a pair one more, S y. With 100
pairs of 7,851 entries that is as much as the network's own step on 600 points, all of it the time
in which the memory is read: S y and S g, which are asked for together, share a pass. Byrd, Nocedal
and Schnabel (Math. Prog. 63, 1994, equation 3.1) eliminate q and need Y Y' as well; keeping q costs
the same number of passes and loses fewer digits, because Y q is formed from q and not as a
difference.

R itself is never stored, only its inverse: appending a pair borders R by a column v = S y, hence
inv(R) by -inv(R) v / (s.y); forgetting the oldest pair removes the first row and column of both.
Neither needs the rows in the order of their age, so S and Y are plain ring buffers.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor


class CurvaturePairs:
    """The last `size` curvature pairs of an L-BFGS run, in ring buffers allocated once.

    Parameters
    ----------
    size : int
        The number m of pairs kept.
    like : Tensor (n,)
        Gives the length, dtype and device of the vectors.

    Examples
    --------
    One pair, and the secant equation H y = s:

    >>> import torch
    >>> s, y = torch.tensor([1.0, 0.0]), torch.tensor([2.0, 1.0])
    >>> history = CurvaturePairs(5, like=s)
    >>> history.append(s, y, sy=2.0, yy=5.0)
    >>> history.inverse_hessian_product(y)
    tensor([1., 0.])
    """

    def __init__(self, size: int, *, like: Tensor) -> None:
        self.size = size
        self.steps = like.new_zeros(size, like.numel())  # S, rows in slots
        self.changes = like.new_zeros(size, like.numel())  # Y
        self.inverse = like.new_zeros(size, size)  # inv(R), in the slots' order
        self.curvatures = like.new_zeros(size)  # D
        self.gamma = 1.0  # H0 = gamma I
        self.count = 0
        self._along: tuple[Tensor, Tensor] | None = None  # a gradient g, and S g
        self._slot = 0  # where the next pair goes: the oldest one's place once the ring is full

    def __len__(self) -> int:
        return self.count

    def clear(self) -> None:
        """Forget every pair."""
        self.gamma = 1.0
        self.count = self._slot = 0
        self._along = None

    def append(
        self, s: Tensor, y: Tensor, *, sy: float, yy: float, g: Tensor | None = None
    ) -> None:
        """Take in a pair, in the place of the oldest one when the memory is full.

        Parameters
        ----------
        s, y : Tensor (n,)
            The step and the change of the gradient along it.
        sy, yy : float
            s . y and y . y, which the caller has on the host because it judged the pair by them.
        g : Tensor (n,), optional
            What `inverse_hessian_product` will be asked of next, not written into until then.

        Raises
        ------
        ValueError
            If s . y is not positive: the inverse Hessian would not be positive definite.
        """
        if not (sy > 0.0 and yy > 0.0):
            raise ValueError(
                f"CurvaturePairs.append: expected s.y > 0, got s.y = {sy:g}, y.y = {yy:g}; "
                "skip such a pair"
            )
        k, size = self._slot, self.size
        self.count = max(self.count, k + 1)
        self._slot = (k + 1) % size
        inverse = self.inverse[: self.count, : self.count]
        inverse[k].zero_()  # what the slot held: the oldest pair, or one from before `clear`
        inverse[:, k].zero_()
        self.steps[k].copy_(s)
        self.changes[k].copy_(y)
        self.curvatures[k].fill_(sy)
        steps = self.steps[: self.count]
        if g is None:
            of_y, self._along = _product(steps, y), None
        else:
            of_y, of_g = _products(steps, y, g)
            self._along = g, of_g
        column = inverse @ of_y  # the zero column k takes no part
        inverse[:, k].copy_(column).div_(-sy)
        inverse[k, k].fill_(1.0 / sy)
        self.gamma = sy / yy

    def inverse_hessian_product(self, g: Tensor) -> Tensor:
        """H g, as the two-loop recursion gives it; g itself while there are no pairs.

        Parameters
        ----------
        g : Tensor (n,)

        Returns
        -------
        Tensor (n,), new.
        """
        if self.count == 0:
            return g.clone()
        m = self.count
        s, y, inverse = self.steps[:m], self.changes[:m], self.inverse[:m, :m]
        known = self._along is not None and self._along[0] is g
        alpha = inverse @ (self._along[1] if known else _product(s, g))  # type: ignore[index]
        q = torch.addmv(g, y.T, alpha, alpha=-1.0)
        right = torch.addcmul(_product(y, q).mul_(-self.gamma), self.curvatures[:m], alpha)
        return torch.addmv(q, s.T, inverse.T @ right, beta=self.gamma)

    def state(self) -> dict[str, Any]:
        """A copy of everything, to be given to `restore`; only filled slots are in it."""
        m = self.count
        return {
            "steps": self.steps[:m].clone(),
            "changes": self.changes[:m].clone(),
            "inverse": self.inverse[:m, :m].clone(),
            "curvatures": self.curvatures[:m].clone(),
            "gamma": self.gamma,
            "slot": self._slot,
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Become the history whose `state` was taken, slot for slot, so that sums add alike.

        Raises
        ------
        ValueError
            If the vectors have another length, or there are more pairs than fit.
        """
        m, n = state["steps"].shape
        if n != self.steps.shape[1] or m > self.size:
            raise ValueError(
                f"CurvaturePairs.restore: expected at most {self.size} pairs of length "
                f"{self.steps.shape[1]}, got {m} of length {n}; restore into an optimizer of the "
                "same model"
            )
        self.clear()
        self.count, self._slot, self.gamma = m, int(state["slot"]), float(state["gamma"])
        self.steps[:m].copy_(state["steps"])
        self.changes[:m].copy_(state["changes"])
        self.inverse[:m, :m].copy_(state["inverse"])
        self.curvatures[:m].copy_(state["curvatures"])


# Of float64 numbers; the sums of longer products MKL splits among its threads.
_WHOLE = 2**12


def _products(matrix: Tensor, a: Tensor, b: Tensor) -> Tensor:
    """A matrix (m, n) times two vectors, (2, m), in one pass over the matrix."""
    return torch.mm(torch.stack([a, b]), matrix.T)


def _product(matrix: Tensor, a: Tensor) -> Tensor:
    """A matrix (m, n) times a vector, in an order of additions that no thread changes.

    A long one is doubled for that: products with two rows are split among their results.
    """
    if a.dtype == torch.float64 and len(a) <= _WHOLE:
        return matrix @ a
    return _products(matrix, a, a)[0]
