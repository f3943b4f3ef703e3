"""The recommendations service: from a mandate to what the Committee did."""
