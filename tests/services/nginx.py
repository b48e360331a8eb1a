"""nginx as deploy/nginx.conf has it, on loopback: in front of server processes whose marks are web1 and web2."""

import re
import shutil
import signal
import socket
import subprocess
import time
from pathlib import Path

from tests.services.stack import ROOT, free_port

MARKS = ("web1", "web2")
CONF = ROOT / "deploy/nginx.conf"
SECONDS = 30


class Nginx:
    """Started by `start`, ended by `stop`. `ports`: of the servers that web1 and web2 stand for, in this order."""

    def __init__(self, data: Path, ports: tuple[int, int] | list[int]) -> None:
        self.data = data
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.file = data / "nginx.conf"
        self.file.write_text(self._configuration(dict(zip(MARKS, ports, strict=True))))
        self.process: subprocess.Popen[bytes] | None = None

    @staticmethod
    def program() -> str:
        return shutil.which("nginx") or "/usr/sbin/nginx"

    def start(self) -> "Nginx":
        command = [self.program(), "-c", str(self.file), "-e", "stderr", "-g", "daemon off;"]
        with (self.data / "nginx.log").open("ab") as output:
            self.process = subprocess.Popen(command, stdout=output, stderr=output)
        deadline = time.monotonic() + SECONDS
        while time.monotonic() < deadline and self.process.poll() is None:
            try:
                socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
            except OSError:
                time.sleep(0.05)
            else:
                return self
        raise AssertionError((self.data / "nginx.log").read_text())

    def stop(self) -> None:
        if self.process is not None:
            self.process.send_signal(signal.SIGTERM)
            self.process.wait(SECONDS)

    def lines(self) -> list[str]:
        """What it has served: address, "method path", status …"""
        return (self.data / "access.log").read_text().splitlines()

    def _configuration(self, ports: dict[str, int]) -> str:
        """The names of the web processes exist only within compose, and its paths only within its image."""
        text = re.sub(r"(web[12]):8000", lambda found: f"127.0.0.1:{ports[found[1]]}", CONF.read_text())
        text = text.replace("/tmp/nginx.pid", f"{self.data}/nginx.pid").replace(
            "/dev/stdout", f"{self.data}/access.log"
        )
        paths = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
        own = "".join(f"{name}_temp_path {self.data}/{name};\n" for name in paths)
        return text.replace("http {\n", f"http {{\n{own}", 1).replace("listen 80;", f"listen 127.0.0.1:{self.port};")
