"""Queries beyond the folded states: the roster as at a day, the members of ESCAP and their nominations, what waits."""
