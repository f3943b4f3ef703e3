"""Notifications: subscriptions to events, and at most one message for each event and subscription."""
