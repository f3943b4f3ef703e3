"""Progress lines of the local stack, and the error of a start that failed."""

from tools.deployment.messages import CannotStart, Say, say

__all__ = ["CannotStart", "Say", "say"]
