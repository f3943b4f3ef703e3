"""Six kinds of stream of its own, and the meetings of a sibling."""
