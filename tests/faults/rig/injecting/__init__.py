"""The faults, one function each, in the words of the list that they were asked for by."""
