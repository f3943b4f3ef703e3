"""A stand-in for the recommendations service: it answers every request with one document."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import orjson

from tools.client.tokens import make_key
from tools.files import write_json


@contextmanager
def home_of_stand_in(home: Path, answer: object) -> Iterator[Path]:
    """Write the home of a local stack whose recommendations service answers with `answer`."""
    body = orjson.dumps(answer)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        make_key(home)
        ports = {"recommendations": server.server_address[1]}
        write_json(home / "stack.json", {"services": ["recommendations"], "ports": ports})
        yield home
    finally:
        server.shutdown()
        server.server_close()
