"""Shapes by name: disks and boxes, polygons, closed curves, and anything with a signed distance."""
