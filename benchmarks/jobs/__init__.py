"""The works that are measured and their ceilings, each run in a process of its own."""
