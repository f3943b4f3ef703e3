"""Calls for nominations, the nominations of Governments, and the memberships that come of them."""
