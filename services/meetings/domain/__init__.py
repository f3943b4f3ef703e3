"""One kind of stream, the meeting, and the siblings' streams that it rests on."""
