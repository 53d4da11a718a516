"""The discrete system solved directly: Newton's method, in space-time the method of lines."""
