"""Pages, one module a family: each has a router."""

from __future__ import annotations

from fastapi import APIRouter

from tools.console.pages import (
    audit,
    coverage,
    documents,
    exports,
    forms,
    group,
    mandates,
    meetings,
    nominations,
    preferences,
    privacy,
    recommendations,
    records,
    search,
    suspects,
    today,
    traces,
)

ROUTERS: tuple[APIRouter, ...] = (
    today.router,
    preferences.router,
    search.router,
    group.router,
    privacy.router,
    audit.router,
    exports.router,
    documents.router,
    meetings.router,
    nominations.router,
    traces.router,
    recommendations.router,
    coverage.router,
    mandates.router,
    suspects.router,
    forms.router,
    records.router,
)
"""The first route that fits an address serves it: pages of their own come before those that every kind has."""
