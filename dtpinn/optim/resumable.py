"""An optimizer over one flat vector of parameters, whose saved state continues bit for bit."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from torch import Tensor
from torch.optim import Optimizer

from dtpinn.optim.flat import FlatParameters


class Resumable(Optimizer):
    """Base of the quasi-Newton optimizers: one parameter group, and a memory saved as a whole.

    A method says what it keeps by three functions: `_allocate` makes its buffers anew for
    `self._flat`, `_memory` gives a copy of everything that the next iteration depends on, and
    `_remember` takes such a copy in. From these follow `state_dict`, `load_state_dict`, pickling,
    `copy.deepcopy`, and following a model that was given another dtype or device.

    torch's own way keeps all this in `Optimizer.state`, which is converted to the first parameter's
    dtype and aliased, not copied, on loading, and loses the attributes in a deep copy.
    """

    def __init__(self, params: Iterable[Tensor], options: dict[str, Any]) -> None:
        super().__init__(params, options)
        self._prepare()

    def _allocate(self) -> None:
        raise NotImplementedError

    def _memory(self) -> dict[str, Any]:
        raise NotImplementedError

    def _remember(self, memory: dict[str, Any]) -> None:
        raise NotImplementedError

    def add_param_group(self, param_group: dict[str, Any]) -> None:
        """Take the one group of parameters; a second one is a ValueError."""
        if self.param_groups:
            raise ValueError(
                f"{type(self).__name__}: expected one parameter group, got a second one: the "
                "method has one step length and one curvature for all parameters; pass them in "
                "one list"
            )
        super().add_param_group(param_group)

    def state_dict(self) -> dict[str, Any]:
        """Everything a resumed run needs to continue bit for bit, copied.

        The memory lies under the key "memory", beside torch's "state" (empty) and "param_groups"
        (the options).
        """
        return {**super().state_dict(), "memory": self._memory()}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Continue from a `state_dict`; the options in it replace those given at construction.

        What it does not have, as one written before there was the option, stays as it is.

        Raises
        ------
        ValueError
            If it is another optimizer's, or for parameters of another total length.
        """
        if "memory" not in state_dict:
            raise ValueError(
                f"{type(self).__name__}.load_state_dict: expected a state saved by this class, got "
                f"one without the key 'memory' (its keys: {', '.join(map(str, state_dict))})"
            )
        before = self.param_groups[0]
        super().load_state_dict(state_dict)
        self.param_groups[0] = {**before, **self.param_groups[0]}
        self._prepare()
        self._remember({**self._memory(), **state_dict["memory"]})

    def __getstate__(self) -> dict[str, Any]:
        return {**super().__getstate__(), "memory": self._memory()}

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__({key: state[key] for key in state if key != "memory"})
        if "memory" in state:  # a pickle or a deep copy; load_state_dict does this by itself
            self._prepare()
            self._remember(state["memory"])

    def _prepare(self) -> None:
        self._flat = FlatParameters(self.param_groups[0]["params"])
        self._allocate()

    def _follow(self) -> None:
        """Go where the model went, if it was given another dtype or device since."""
        if self._flat.moved:
            memory = self._memory()
            self._prepare()
            self._remember(memory)
