"""Published language of the platform, and the plumbing of its services."""
