"""A synthetic history of any length, decided by the services' own code: for loads, benchmarks and demonstrations.

Nothing in it is a fact: titles say "Synthetic", references begin with SYN, persons are ids with random boxes in
place of ciphertext. The same seed gives the same bytes.
"""
