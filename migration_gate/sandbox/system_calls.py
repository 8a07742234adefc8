"""Numbers of system calls, by machine (Linux UAPI headers), and which of them are refused or guarded."""

from __future__ import annotations

AUDIT_ARCHITECTURES = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
SYSTEM_CALLS = {
    "x86_64": {
        "socket": 41, "connect": 42, "bind": 49, "setresuid": 117, "setresgid": 119, "seccomp": 317,
        "io_uring_setup": 425, "kill": 62, "tkill": 200, "tgkill": 234, "rt_sigqueueinfo": 129,
        "rt_tgsigqueueinfo": 297, "pidfd_send_signal": 424, "pidfd_getfd": 438, "ptrace": 101,
        "process_vm_readv": 310, "process_vm_writev": 311, "socketpair": 53, "setgroups": 116, "clone": 56,
        "clone3": 435, "unshare": 272, "setns": 308, "statx": 332, "pidfd_open": 434, "prlimit64": 302,
        "fcntl": 72, "ioctl": 16, "add_key": 248, "request_key": 249, "keyctl": 250,
        "open_by_handle_at": 304,
    },
    "aarch64": {
        "socket": 198, "connect": 203, "bind": 200, "setresuid": 147, "setresgid": 149, "seccomp": 277,
        "io_uring_setup": 425, "kill": 129, "tkill": 130, "tgkill": 131, "rt_sigqueueinfo": 138,
        "rt_tgsigqueueinfo": 240, "pidfd_send_signal": 424, "pidfd_getfd": 438, "ptrace": 117,
        "process_vm_readv": 270, "process_vm_writev": 271, "socketpair": 199, "setgroups": 159, "clone": 220,
        "clone3": 435, "unshare": 97, "setns": 268, "statx": 291, "pidfd_open": 434, "prlimit64": 261,
        "fcntl": 25, "ioctl": 29, "add_key": 217, "request_key": 218, "keyctl": 219,
        "open_by_handle_at": 265,
    },
}  # fmt: skip
GUARDED_CALLS = ("kill", "tkill", "tgkill", "rt_sigqueueinfo", "rt_tgsigqueueinfo", "prlimit64")
"""send a signal, or set a limit of which exceeding ends a process: see `signal_guard`"""
KEYRING_CALLS = ("add_key", "request_key", "keyctl")
"""read keys of the gate's session: it is inherited, whatever the account"""
FOREIGN_PROCESS_CALLS = (
    "ptrace",
    "process_vm_readv",
    "process_vm_writev",
    "pidfd_getfd",
    "pidfd_send_signal",
)
"""read or change other processes"""
OPENING_CALLS = ("open_by_handle_at",)
"""open files by number, also those that no path of a container leads to: root may, as it may read all"""
REFUSED_CALLS = (*FOREIGN_PROCESS_CALLS, *KEYRING_CALLS, *OPENING_CALLS)
