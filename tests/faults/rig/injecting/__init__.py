"""The faults, one function each, named in the words of the list of required faults."""
