"""Subscribed topics, as one table.

| event | from | effect |
|---|---|---|
| every event of meetings | Kafka | journal, fold |
| every event of nominations | Kafka | journal, fold: members of the group, with the nominating Government |
| every event of recommendations | Kafka | journal, fold: priorities and provisions |

This service has no policies.
"""

from __future__ import annotations

from services.meetings.projection import TOPICS

__all__ = ["TOPICS"]
