"""The same rebuild by two peers, each in an environment of its own."""
