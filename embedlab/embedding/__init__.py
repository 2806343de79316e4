"""From pictures to a matrix on disk, a chunk at a time."""
