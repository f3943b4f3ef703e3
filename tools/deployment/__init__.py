"""Servers made ready by an administrator, as the declarations in deploy/ say."""
