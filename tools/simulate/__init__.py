"""A made-up history of any length, through the services' own decisions: for loads, benchmarks and demonstrations.

Nothing in it is a fact: titles say "Synthetic", references begin with SYN, persons are ids with boxes that
nobody sealed. The same seed gives the same bytes.
"""
