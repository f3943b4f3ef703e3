"""Checks of a deployment, from outside and from within: `throughline doctor`. Nothing here changes anything."""
