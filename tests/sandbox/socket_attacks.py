"""Ways to connect to a Unix socket that is not the run's own, as programs that try them.

A program gets the path of the other socket, a folder in which it may write, the abstract name of another
socket (without its first byte), the path of a datagram socket, and the process that has all of these.
It ignores every error: only the visitors of the sockets are counted.
"""

from __future__ import annotations

from dataclasses import dataclass

PRELUDE = """
import contextlib, ctypes, os, platform, socket, struct, subprocess, sys, threading

OTHER, FOLDER, NAME, DATAGRAM, HOLDER = sys.argv[1:6]
PLACE, FILE = os.path.split(OTHER)
libc = ctypes.CDLL(None, use_errno=True)
os.chdir(FOLDER)

def attempt(path, sock=None, kind=socket.SOCK_STREAM):
    with contextlib.suppress(OSError):
        sock = sock or socket.socket(socket.AF_UNIX, kind)
        sock.connect(path)
        sock.send(b"x")

def bind(path, kind=socket.SOCK_STREAM):
    sock = socket.socket(socket.AF_UNIX, kind)
    with contextlib.suppress(OSError):
        sock.bind(path)
        sock.listen(100)
    return sock

def address(path):
    return struct.pack("=H", socket.AF_UNIX) + os.fsencode(path) + bytes(1)

def flip(function):
    stop = threading.Event()
    def loop():
        while not stop.is_set():
            with contextlib.suppress(OSError):
                function()
    thread = threading.Thread(target=loop)
    thread.start()
    return lambda: (stop.set(), thread.join())

def bind_while(change):
    stop = flip(change)
    for _ in range(300):
        sock = socket.socket(socket.AF_UNIX)
        with contextlib.suppress(OSError):
            sock.bind("own")
        attempt("own"); attempt(OTHER)
        with contextlib.suppress(OSError):
            os.unlink("own")
        sock.close()
    stop()

sys.setswitchinterval(1e-5)
"""


@dataclass(frozen=True)
class Attack:
    """One way."""

    name: str
    code: str
    works_unguarded: bool = True
    """whether it leads to the other socket without a sandbox, for root and in each try: no race is sure to"""


ATTACKS = (
    Attack("the path itself", "attempt(OTHER)"),
    Attack("the path itself, of a socket for packets", "attempt(OTHER, kind=socket.SOCK_SEQPACKET)", False),
    Attack("a relative path", "os.chdir(PLACE); attempt(FILE)"),
    Attack("a path with ..", "attempt(f'{FOLDER}/../{os.path.basename(PLACE)}/{FILE}')"),
    Attack("a path with many slashes", "attempt('/' * (107 - len(OTHER)) + OTHER)"),
    Attack(
        "a path without a zero byte at its end",
        "data = address('/' * (108 - len(OTHER)) + OTHER)[:110]\n"
        "sock = socket.socket(socket.AF_UNIX); libc.connect(sock.fileno(), data, len(data))",
    ),
    Attack("the root folder of the process", "attempt('/proc/self/root' + OTHER)"),
    Attack("the working directory of the process", "os.chdir(PLACE); attempt('/proc/self/cwd/' + FILE)"),
    Attack("the folder as a descriptor", "attempt(f'/proc/self/fd/{os.open(PLACE, os.O_RDONLY)}/{FILE}')"),
    Attack("the folder as /dev/fd", "attempt(f'/dev/fd/{os.open(PLACE, os.O_RDONLY)}/{FILE}')"),
    Attack("the file as a descriptor", "attempt(f'/proc/self/fd/{os.open(OTHER, os.O_PATH)}')"),
    Attack(
        "the file as a descriptor of a thread",
        "attempt(f'/proc/thread-self/fd/{os.open(OTHER, os.O_PATH)}')",
    ),
    Attack("a link", "os.symlink(OTHER, 'link'); attempt('link')"),
    Attack("a chain of links", "os.symlink(OTHER, 'a'); os.symlink('a', 'b'); attempt(FOLDER + '/b')"),
    Attack("a link to its folder", "os.symlink(PLACE, 'folder'); attempt('folder/' + FILE)"),
    Attack(
        "a link to a descriptor",
        "os.symlink(f'/proc/self/fd/{os.open(OTHER, os.O_PATH)}', 'link'); attempt('link')",
    ),
    Attack("a second name", "os.link(OTHER, 'hard'); attempt('hard')"),
    Attack("another name", "os.rename(OTHER, 'moved'); attempt('moved')"),
    Attack("a bind() that fails", "bind(OTHER); attempt(OTHER)"),
    Attack("a bind() that fails, of one socket", "sock = bind(OTHER); attempt(OTHER, sock)"),
    Attack("a bind() to a link that fails", "os.symlink(OTHER, 'own'); bind('own'); attempt('own')"),
    Attack("a bind() by a descriptor", "fd = os.open(PLACE, os.O_RDONLY)\n"
           "path = f'/proc/self/fd/{fd}/{FILE}'; bind(path); attempt(path); attempt(OTHER)"),
    Attack("a link in the place of an own socket", "bind('own'); os.unlink('own'); os.symlink(OTHER, 'own')\n"
           "attempt('own'); attempt(FOLDER + '/own')"),
    Attack("a name in the place of an own socket", "bind('own'); os.unlink('own'); os.link(OTHER, 'own')\n"
           "attempt('own')"),
    Attack("the socket in the place of an own socket", "bind('own')\n"
           "os.rename(OTHER, 'own'); attempt('own')"),
    Attack("a folder in the place of an own socket's", "os.mkdir('f'); bind('f/' + FILE)\n"
           "os.rename('f', 'g'); os.symlink(PLACE, 'f'); attempt('f/' + FILE)"),
    Attack("an own socket that has a name", "sock = socket.socket(socket.AF_UNIX); sock.bind('own')\n"
           "attempt(OTHER, sock)"),
    Attack("another working directory of a thread", """
bind(FILE)
def run():
    libc.unshare(0x200)  # CLONE_FS
    os.chdir(PLACE)
    attempt(FILE)
thread = threading.Thread(target=run); thread.start(); thread.join()
"""),
    Attack("another root folder", "bind('/' + FILE); bind(FILE)\n"
           "os.chroot(PLACE); os.chdir('/'); attempt('/' + FILE); attempt(FILE)"),
    Attack("an address that changes", """
own, other = FOLDER + "/own", OTHER
own, other = own + "x" * (len(other) - len(own)), "/" * (len(own) - len(other)) + other
bind(own)
buffer = ctypes.create_string_buffer(address(own))
first, second = buffer.raw, address(other) + bytes(1)
def change():
    ctypes.memmove(buffer, second, len(second)); ctypes.memmove(buffer, first, len(first))
stop = flip(change)
for _ in range(1500):
    sock = socket.socket(socket.AF_UNIX)
    libc.connect(sock.fileno(), buffer, len(first) - 1)
    sock.close()
stop()
""", False),
    Attack("an address that changes during bind()", """
buffer = ctypes.create_string_buffer(address(OTHER))
length = len(OTHER) + 2
own = FOLDER + "/n"
first, second = (address(own + "x" * (len(OTHER) - len(own))) + bytes(1))[:length], buffer.raw[:length]
def change():
    ctypes.memmove(buffer, second, length); ctypes.memmove(buffer, first, length)
stop = flip(change)
for _ in range(300):
    sock = socket.socket(socket.AF_UNIX)
    libc.bind(sock.fileno(), buffer, length)
    sock.close()
    with contextlib.suppress(OSError):
        os.unlink(os.fsdecode(first[2:].split(bytes(1))[0]))
    attempt(OTHER)
stop()
"""),
    Attack("a link that changes", """
bind("own")
os.symlink("own", "a"); os.symlink(OTHER, "b"); os.symlink("own", "link")
def change():
    for source in ("b", "a"):
        os.symlink(os.readlink(source), "new"); os.rename("new", "link")
stop = flip(change)
for _ in range(800):
    attempt("link")
stop()
""", False),
    Attack("a folder that changes", """
os.mkdir("f"); os.symlink(PLACE, "g"); bind("f/" + FILE)
def change():
    libc.renameat2(-100, b"f", -100, b"g", 2)  # RENAME_EXCHANGE
stop = flip(change)
for _ in range(800):
    attempt("f/" + FILE)
stop()
""", False),
    Attack("a file that changes while it is bound", """
def change():
    with contextlib.suppress(OSError):
        os.link(OTHER, "hard")
    os.rename("hard", "own")
bind_while(change)
"""),
    Attack("a link that changes while it is bound", """
os.symlink(OTHER, "target")
def change():
    os.symlink(OTHER, "new"); os.rename("new", "own")
bind_while(change)
"""),
    Attack("a descriptor that changes", """
bind("own")
one, two = socket.socket(socket.AF_UNIX), socket.socket(socket.AF_UNIX)
number = os.dup(one.fileno())
stop = flip(lambda: (os.dup2(one.fileno(), number), os.dup2(two.fileno(), number)))
for path in ("own", OTHER) * 200:
    data = address(path); libc.connect(number, data, len(data))
stop()
for sock in (one, two):
    attempt(OTHER, sock)
""", False),
    Attack("descriptors that two processes share", """
bind("own")
sock = socket.socket(socket.AF_UNIX)
child = libc.syscall(56 if platform.machine() == "x86_64" else 220, 0x400 | 17, 0, 0, 0, 0)  # CLONE_FILES
if child == 0:
    for _ in range(100):
        os.dup2(socket.socket(socket.AF_UNIX).detach(), sock.fileno())
    os._exit(0)
for path in ("own", OTHER) * 100:
    data = address(path); libc.connect(sock.fileno(), data, len(data))
os.waitpid(child, 0)
"""),
    Attack("descriptors of a thread", """
def run():
    libc.unshare(0x400)  # CLONE_FILES
    attempt(OTHER)
thread = threading.Thread(target=run); thread.start(); thread.join()
"""),
    Attack("a socket from another process", """
here, there = socket.socketpair()
if os.fork() == 0:
    _, descriptors, _, _ = socket.recv_fds(there, 1, 1)
    attempt(OTHER, socket.socket(fileno=descriptors[0]))
    os._exit(0)
sent = socket.socket(socket.AF_UNIX)
socket.send_fds(here, [b"x"], [sent.fileno()])
os.wait()
"""),
    Attack("another program", "subprocess.run([sys.executable, '-I', '-S', '-c',\n"
           "    'import socket, sys; socket.socket(socket.AF_UNIX).connect(sys.argv[1])', OTHER],\n"
           "    stderr=subprocess.DEVNULL)"),
    Attack("processes that outlive the program", """
for _ in range(20):
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            bind("own"); bind(OTHER)
            for _ in range(20):
                attempt("own"); attempt(OTHER)
        os._exit(0)
"""),
    Attack("an abstract name", "attempt(chr(0) + NAME)"),
    Attack("an abstract name that could not be bound", "bind(chr(0) + NAME); attempt(chr(0) + NAME)"),
    Attack("an abstract name of two types", """
bind(chr(0) + NAME, socket.SOCK_SEQPACKET); bind(chr(0) + NAME + chr(0)); attempt(chr(0) + NAME)
"""),
    Attack("an abstract name of another network", """
if os.fork() == 0:
    libc.unshare(0x50000000)  # CLONE_NEWUSER | CLONE_NEWNET
    bind(chr(0) + NAME)
    os._exit(0)
os.wait(); attempt(chr(0) + NAME)
"""),
    Attack("an abstract name of another network, by clone()", """
child = libc.syscall(56 if platform.machine() == "x86_64" else 220, 0x50000000 | 17, 0, 0, 0, 0)
if child == 0:
    bind(chr(0) + NAME)
    os._exit(0)
attempt(chr(0) + NAME)
"""),
    Attack("other mounts", """
open("own", "w").close()
libc.unshare(0x10020000)  # CLONE_NEWUSER | CLONE_NEWNS
libc.mount(os.fsencode(OTHER), b"own", b"", 4096, None)
attempt("own"); attempt(OTHER)
"""),
    Attack("a datagram", """
sock = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
sock.sendto(b"x", DATAGRAM)
"""),
    Attack("a datagram of a raw socket", """
sock = socket.socket(socket.AF_UNIX, socket.SOCK_RAW)
sock.sendmsg([b"x"], [], 0, DATAGRAM)
"""),
    Attack("a datagram of a pair", """
sock, _ = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
sock.sendto(b"x", DATAGRAM)
"""),
    Attack("a stream with an address", "socket.socket(socket.AF_UNIX).sendto(b'x', OTHER)", False),
    Attack("a ring of calls", "assert libc.syscall(425, 8, ctypes.create_string_buffer(120)) < 0", False),
    Attack("calls of the 32-bit variant of x86-64", """
sock = socket.socket(socket.AF_UNIX); data = address(OTHER)
libc.syscall(0x40000000 + 42, sock.fileno(), data, len(data))
""", False),
    Attack("addresses of other sizes and families", """
data = address(OTHER)
for size in (0, 1, 2, 3, len(data) - 1, 109, 110, 111, 127, 128, 129, 4096, -1, 2**31 - 1):
    sock = socket.socket(socket.AF_UNIX)
    libc.connect(sock.fileno(), ctypes.create_string_buffer(data, 8192), ctypes.c_int(size))
for family in (0, 2, 16):
    sock = socket.socket(socket.AF_UNIX)
    libc.connect(sock.fileno(), struct.pack("=H", family) + data[2:], len(data))
libc.connect(socket.socket(socket.AF_UNIX).fileno(), ctypes.c_void_p(8), 110)
"""),
    Attack("tracing another process", """
assert libc.ptrace(0, 0, 0, 0) < 0
for pid in (os.getppid(), int(HOLDER)):
    assert libc.ptrace(0x4206, pid, 0, 0) < 0
""", False),
    Attack("the memory of another process", """
word = (ctypes.c_uint64 * 2)(ctypes.addressof(ctypes.create_string_buffer(8)), 8)
for pid in (os.getppid(), int(HOLDER)):
    for call in (310, 311) if platform.machine() == "x86_64" else (270, 271):
        assert libc.syscall(call, pid, word, 1, word, 1, 0) < 0
        assert ctypes.get_errno() == 1
""", False),
    Attack("descriptors of another process", """
process = libc.syscall(434, int(HOLDER), 0)
for number in range(100):
    copy = libc.syscall(438, process, number, 0)
    assert copy < 0
""", False),
    Attack("the namespaces of another process", """
for kind in ("net", "mnt", "user"):
    with contextlib.suppress(OSError):
        assert libc.setns(os.open(f"/proc/{HOLDER}/ns/{kind}", os.O_RDONLY), 0) < 0
attempt(OTHER)
""", False),
)  # fmt: skip
