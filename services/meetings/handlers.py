"""Command handlers: this service adds no step to read, fold, decide, append."""

from __future__ import annotations

from shared.store.command_handler import CommandHandler as Handlers

__all__ = ["Handlers"]
