"""Tiled transparency logs: RFC 6962 trees, C2SP tlog-tiles, signed notes, checkpoints and cosignatures. Pure."""
