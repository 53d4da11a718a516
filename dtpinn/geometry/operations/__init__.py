"""New domains from others: set operations, motions and scalings, and parts named anew."""
