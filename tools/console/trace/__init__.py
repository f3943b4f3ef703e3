"""The page of a trace: its steps, the drawing of its chain, and its documents."""
