"""Programs that use Unix sockets of their own, as projects and their libraries do, and what they print."""

from __future__ import annotations

from dataclasses import dataclass

PRELUDE = """
import os, socket, struct, subprocess, sys, threading
os.chdir(sys.argv[2])
def listen(path, backlog=10, kind=socket.SOCK_STREAM):
    sock = socket.socket(socket.AF_UNIX, kind)
    sock.bind(path)
    sock.listen(backlog)
    return sock
def connect(path, kind=socket.SOCK_STREAM):
    sock = socket.socket(socket.AF_UNIX, kind)
    sock.connect(path)
    return sock
def error(function, *arguments):
    try:
        function(*arguments)
    except OSError as problem:
        return problem.strerror
"""


@dataclass(frozen=True)
class Program:
    """A program, and its standard output."""

    name: str
    body: str
    output: str

    @property
    def code(self) -> str:
        """The whole program; the main module of a spawned child does nothing."""
        lines = "\n".join("    " + line for line in self.body.strip().splitlines())
        return f"{PRELUDE}\nif __name__ == '__main__':\n{lines}\n"


PROGRAMS = (
    Program("a server with a relative path", """
server = listen("own")
client = connect("./own")
print(server.getsockname(), client.getpeername(), repr(client.getsockname()))
peer, _ = server.accept()
client.sendall(b"hello"); print(peer.recv(5))
""", "own own ''\nb'hello'\n"),
    Program("the permissions of a socket", """
os.umask(0o027)
listen("own")
status = os.stat("own")
print(oct(status.st_mode), status.st_uid == os.getuid(), status.st_gid == os.getgid())
""", "0o140750 True True\n"),
    Program("an abstract name", """
name = chr(0) + "own" + sys.argv[3]
server = listen(name)
print(connect(name).getpeername() == server.getsockname())
automatic = socket.socket(socket.AF_UNIX); automatic.bind(""); automatic.listen()
print(len(automatic.getsockname()), connect(automatic.getsockname()).getpeername() == automatic.getsockname())
""", "True\n6 True\n"),
    Program("packets", """
server = listen("own", kind=socket.SOCK_SEQPACKET)
client = connect("own", socket.SOCK_SEQPACKET)
client.send(b"one"); client.send(b"two")
print(server.accept()[0].recv(10), error(connect, "own"))
""", "b'one' Protocol wrong type for socket\n"),
    Program("the errors of the kernel", """
server = listen("own")
print(error(listen, "own"), error(connect, "none"), error(connect, "own/below"), error(listen, "none/below"))
print(error(server.bind, "again"), error(connect("own").connect, "own"))
open("file", "w").close(); print(error(connect, "file"))
server.close(); print(error(connect, "own"))
os.unlink("own"); print(error(connect, "own"))
""", "Address already in use No such file or directory Not a directory No such file or directory\n"
     "Invalid argument Transport endpoint is already connected\n"
     "Connection refused\nConnection refused\nNo such file or directory\n"),
    Program("a full queue", """
server = listen("own", 0)
clients = [connect("own")]
def fill():
    while True:
        sock = socket.socket(socket.AF_UNIX); sock.setblocking(False)
        clients.append(sock); sock.connect("own")
print(error(fill))
waiting = threading.Thread(target=lambda: clients.append(connect("own"))); waiting.start()
second = listen("second"); connect("second"); print("another connection is not kept waiting")
server.accept(); waiting.join(); print("connected")
""", "Resource temporarily unavailable\nanother connection is not kept waiting\nconnected\n"),
    Program("a non-blocking client", """
server = listen("own")
sock = socket.socket(socket.AF_UNIX); sock.setblocking(False)
print(sock.connect_ex("own"), os.get_blocking(sock.fileno()), os.get_inheritable(sock.fileno()))
""", "0 False False\n"),
    Program("a manager", """
import multiprocessing
for method in ("fork", "spawn"):
    with multiprocessing.get_context(method).Manager() as manager:
        shared = manager.dict(a=1); queue = manager.Queue(); queue.put(2)
        print(shared["a"], queue.get())
""", "1 2\n1 2\n"),
    Program("a listener of multiprocessing", """
from multiprocessing.connection import Client, Listener
with Listener(family="AF_UNIX", authkey=b"key") as listener:
    def run():
        with listener.accept() as connection:
            connection.send("hello")
    thread = threading.Thread(target=run); thread.start()
    with Client(listener.address, authkey=b"key") as client:
        print(client.recv())
    thread.join()
""", "hello\n"),
    Program("asyncio", """
import asyncio
async def main():
    async def answer(reader, writer):
        writer.write(await reader.readline()); await writer.drain(); writer.close()
    server = await asyncio.start_unix_server(answer, "own")
    reader, writer = await asyncio.open_unix_connection("own")
    writer.write(b"hello\\n"); print(await reader.read()); writer.close()
    server.close()
asyncio.run(main())
""", "b'hello\\n'\n"),
    Program("a server in another process", """
import socketserver
class Handler(socketserver.StreamRequestHandler):
    def handle(self):
        self.wfile.write(self.rfile.readline().upper())
server = socketserver.UnixStreamServer("own", Handler)
child = os.fork()
if child == 0:
    server.handle_request(); os._exit(0)
client = connect("own"); client.sendall(b"hello\\n"); print(client.recv(10)); os.waitpid(child, 0)
""", "b'HELLO\\n'\n"),
    Program("a socket that is sent to another process", """
here, there = socket.socketpair()
server = listen("own")
child = os.fork()
if child == 0:
    _, descriptors, _, _ = socket.recv_fds(there, 1, 1)
    sock = socket.socket(fileno=descriptors[0]); sock.connect("own"); sock.sendall(b"sent"); os._exit(0)
sent = socket.socket(socket.AF_UNIX); socket.send_fds(here, [b"x"], [sent.fileno()])
print(server.accept()[0].recv(4)); os.waitpid(child, 0)
""", "b'sent'\n"),
    Program("a thread, a pair, the names of hosts and interfaces", """
a, b = socket.socketpair(); a.sendall(b"x")
print(b.recv(1), socket.getaddrinfo("127.0.0.1", 1)[0][4], bool(socket.if_nameindex()))
""", "b'x' ('127.0.0.1', 1) True\n"),
    Program("a long path", """
folder = "f" * 60; os.mkdir(folder)
os.chdir(folder); server = listen("n" * 100); os.chdir("..")
print(error(connect, "n" * 100))
os.chdir(folder); print(len(connect("n" * 100).getpeername()))
""", "No such file or directory\n100\n"),
    Program("a path through a descriptor", """
server = listen("own")
folder, file = os.open(".", os.O_RDONLY), os.open("own", os.O_PATH)
for path in (f"self/fd/{folder}/own", f"self/fd/{file}", "self/cwd/own", "thread-self/cwd/own"):
    print(connect("/proc/" + path).getpeername())
""", "own\n" * 4),
    Program("another program", """
server = listen("own")
code = "import socket; socket.socket(socket.AF_UNIX).connect('own'); print('connected')"
print(subprocess.run([sys.executable, "-I", "-S", "-c", code], capture_output=True, text=True).stdout, end="")
""", "connected\n"),
)  # fmt: skip
