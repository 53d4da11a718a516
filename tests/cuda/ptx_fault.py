"""What stops a program that `ptx_machine` runs."""

from __future__ import annotations


class Fault(Exception):
    """Something that a GPU would not have done, or would have done silently.

    `item` says which of the threads that execute the instruction is at fault.
    """

    def __init__(self, message: str, item: int = 0):
        super().__init__(message)
        self.item = item
