"""Domains bounded by a triangle mesh: checks of the mesh, its nearest points and its normals."""
