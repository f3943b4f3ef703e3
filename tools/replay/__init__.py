"""A history replayed in memory that does not grow with it: put aside by stream, folded bucket by bucket, composed."""
