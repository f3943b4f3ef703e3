"""Notifications: who wants to hear of which events, and at most one message for each."""
