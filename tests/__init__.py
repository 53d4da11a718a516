"""Tests, a folder for each of dtpinn's.

By default the quick ones run; `-m full` runs those that take long or are one of many alike, as
`.ci/run` does; `-m gpu` those that need a CUDA device.

Two computations of one number agree to rounding, not to the bit: another processor, alignment or
batch takes another path through MKL and OpenBLAS, and so rounds otherwise. Equal bits are asserted
only where something of ours promises them:

- numbers that were copied, stored or loaded, and integers;
- the products of `csrc/` and the weights' solver: every row, and every stencil, is worked through
  by itself in its own order, whatever the threads, the batch, the strides and other rows are;
- one program run twice on one machine (the same seed, a training that is resumed): torch aligns
  what it allocates to 64 bytes, and with the same sizes and threads MKL then does the same. NumPy's
  arrays are not aligned so: a problem copies what it takes from them;
- powers of two, which scale without rounding.
"""
