"""Six kinds of stream of its own, and the meetings that it hears of."""
