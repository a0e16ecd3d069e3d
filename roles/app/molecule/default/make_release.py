"""Make a tiny release: ``make_release.py DIRECTORY NAME [broken]``."""

import io
import json
import sys
import tarfile
from pathlib import Path

SHOP = """
import http.server, json, pathlib
name = json.loads(pathlib.Path("release.json").read_text())["name"]
class Ready(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.send_header("X-Release", name)
        self.end_headers()
http.server.HTTPServer(("0.0.0.0", 8080), Ready).serve_forever()
"""
BROKEN = "raise SystemExit('this release is broken')\n"


def main(directory: str, name: str, kind: str = "good") -> None:
    parts = {
        "app/__init__.py": "",
        "app/__main__.py": BROKEN if kind == "broken" else SHOP,
        "app/requirements.txt": "",
        "release.json": json.dumps({"name": name}),
    }
    with tarfile.open(Path(directory) / f"{name}.tar.gz", "w:gz") as archive:
        for path, text in parts.items():
            member = tarfile.TarInfo(path)
            member.size = len(text)
            archive.addfile(member, io.BytesIO(text.encode()))


if __name__ == "__main__":
    main(*sys.argv[1:])
