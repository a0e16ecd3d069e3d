"""A shop that has one cart and names its colour."""

import http.server


class Cart(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        body = b'{"id": "11111111-1111-4111-8111-111111111111"}'
        self.send_response(200)
        self.send_header("X-Colour", "blue")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_POST = do_GET  # noqa: N815 - the name is http.server's


http.server.ThreadingHTTPServer(("127.0.0.1", 9001), Cart).serve_forever()
