"""A shop on port 9001 with six carts, whose requests increase by one with each scrape."""

import http.server
import itertools

SCRAPES = itertools.count(1)


class Shop(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        text = f'shop_carts 6\nshop_requests_total{{route="/cart",status="200"}} {next(SCRAPES)}\n'
        self.send_response(200)
        self.send_header("Content-Type", "text/plain; version=0.0.4")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text.encode())


http.server.ThreadingHTTPServer(("127.0.0.1", 9001), Shop).serve_forever()
