"""One kind of stream, the meeting, and what it rests on of its siblings' streams."""
