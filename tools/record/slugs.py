"""Slugs: ids derived from a citation or a title."""

from __future__ import annotations

from shared.domain.slugs import LIMIT, slug

__all__ = ["LIMIT", "slug"]
