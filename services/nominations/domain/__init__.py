"""Four kinds of stream: call, nomination, membership, expert."""
