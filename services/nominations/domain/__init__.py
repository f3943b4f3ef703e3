"""Three kinds of stream: call, nomination, membership."""
