"""Events of the recommendations service: the register that recommendations rest on, and recommendations themselves."""

from shared.events.recommendations.recommendation import *  # noqa: F403
from shared.events.recommendations.register import *  # noqa: F403
