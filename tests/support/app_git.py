"""A git server over TLS, with a repository of seven commits and an unusual one of eight."""

from __future__ import annotations

import os
import ssl
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import ClassVar

from app.settings import Settings
from tests.support.app_client import settings
from tests.support.app_servers import program

AUTHORS = 7


def git(
    *arguments: str, cwd: Path, date: str = "2026-11-20T10:00:00+00:00", author: str = "Ada"
) -> None:
    person = {"NAME": author, "EMAIL": "ada@example.org", "DATE": date}
    who = ("AUTHOR", "COMMITTER")
    environment = {f"GIT_{each}_{name}": value for each in who for name, value in person.items()}
    command = ["git", "-c", "init.defaultBranch=main", *arguments]
    subprocess.run(command, cwd=cwd, env={**os.environ, **environment}, check=True)


class GitHandler(BaseHTTPRequestHandler):
    """git http-backend as CGI; /redirect redirects, /slow does not respond, /dumb lists files.

    The older protocol lets a server name other servers to fetch objects from.
    """

    root: ClassVar[Path]
    asked: ClassVar[list[str]] = []
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self._serve(b"")

    def do_POST(self) -> None:
        self._serve(self.rfile.read(int(self.headers["Content-Length"])))

    def _serve(self, body: bytes) -> None:
        path, _, query = self.path.partition("?")
        self.asked.append(path)
        if path.startswith("/slow"):
            time.sleep(5)
        if path.startswith("/dumb"):
            self._dumb(path)
            return
        if path.startswith("/redirect"):
            self.send_response(302)
            self.send_header("Location", path.replace("redirect", "shop.git") + f"?{query}")
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        environment = {
            "GIT_PROJECT_ROOT": str(self.root),
            "GIT_HTTP_EXPORT_ALL": "1",
            "PATH_INFO": path,
            "QUERY_STRING": query,
            "REQUEST_METHOD": self.command,
            "CONTENT_TYPE": self.headers.get("Content-Type", ""),
            "GIT_PROTOCOL": self.headers.get("Git-Protocol", ""),
            "HTTP_CONTENT_ENCODING": self.headers.get("Content-Encoding", ""),
            "PATH": os.environ["PATH"],
        }
        command = [program("git"), "http-backend"]
        done = subprocess.run(command, input=body, env=environment, capture_output=True)
        head, _, content = done.stdout.partition(b"\r\n\r\n")
        lines = [line.split(": ", 1) for line in head.decode().splitlines()]
        fields = {line[0]: line[1] for line in lines}
        self.send_response(int(fields.pop("Status", "200").split()[0]))
        for name, value in fields.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def _dumb(self, path: str) -> None:
        files = {"/HEAD": "ref: refs/heads/main\n", "/info/refs": f"{'1' * 40}\trefs/heads/main\n"}
        files["/objects/info/http-alternates"] = f"https://{self.headers['Host']}/other/objects\n"
        content = files.get(path.removeprefix("/dumb"), "").encode()
        self.send_response(200 if content else 404)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def git_server(
    root: Path, address: tuple[str, int] = ("127.0.0.1", 0), name: str = ""
) -> Iterator[Settings]:
    """Settings that allow one git server with a repository of seven commits.

    Its certificate, ``certificate.pem``, is for ``name``, or else for its address.
    """
    work = root / "work"
    work.mkdir()
    git("init", "--quiet", cwd=work)
    for number in range(1, AUTHORS + 1):
        (work / "file").write_text(str(number))
        git("add", "file", cwd=work)
        subject = f"Change {number}: caf\u00e9 \U0001f600"
        git("commit", "--quiet", "-m", subject, cwd=work, date=f"2026-11-0{number}T10:00:00+00:00")
    git("clone", "--quiet", "--bare", "work", "shop.git", cwd=root)
    odd = ["commit", "--quiet", "--allow-empty", "-m", "Odd\x1e\x1f\x1eend"]
    git(*odd, cwd=work, author="M\x1fallory\x1e" + "x" * 5_000)
    git("clone", "--quiet", "--bare", "work", "odd.git", cwd=root)
    git("config", "uploadpack.allowFilter", "true", cwd=root / "shop.git")
    key, certificate = root / "key.pem", root / "certificate.pem"
    alternative = f"DNS:{name}" if name else f"IP:{address[0]}"
    names = ["-subj", f"/CN={name or address[0]}", "-addext", f"subjectAltName={alternative}"]
    make = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", *names]
    command = [*make, "-keyout", str(key), "-out", str(certificate)]
    subprocess.run(command, check=True, capture_output=True)
    GitHandler.root = root
    server = ThreadingHTTPServer(address, GitHandler)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    host = f"{name or address[0]}:{server.server_port}"
    try:
        yield settings(root / "shop", git_hosts=(host,), git_ca=str(certificate))
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
