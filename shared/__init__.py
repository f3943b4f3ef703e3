"""What the four services share: the published language and the plumbing under it."""
