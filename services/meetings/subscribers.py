"""Who hears what, on one screen.

| heard | from | what follows |
|---|---|---|
| every event of meetings | Kafka | journal, fold |
| every event of nominations | Kafka | journal, fold: who is a member, nominated by whom |
| every event of recommendations | Kafka | journal, fold: which priorities and provisions there are |

No event makes this service do anything of itself.
"""

from __future__ import annotations

from services.meetings.projection import TOPICS

__all__ = ["TOPICS"]
