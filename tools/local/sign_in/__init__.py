"""The development sign-in: an OpenID provider for one machine, where a person chooses who to be."""
