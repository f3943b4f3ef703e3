"""Meetings of the group: proposed, convened, held, or recorded as they were."""
