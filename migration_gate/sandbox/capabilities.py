"""What root gives up where no other account can run the command: the rights that make it more than a user."""

from __future__ import annotations

import ctypes
import os
import sys

PR_CAPBSET_DROP = 24
LAST_CAPABILITY = 63
CAP_DAC_READ_SEARCH = 2
"""to read everything: the command's files may be readable to root alone, which is why it runs as root"""


def drop_capabilities() -> None:
    """As root: lose all capabilities but that to read, when this process executes a program. Else nothing.

    Root stays the owner of root's files, but mounts nothing, traces nobody, loads no module, and changes no
    file of another user.
    """
    if os.geteuid() != 0 or not sys.platform.startswith("linux"):
        return
    libc = ctypes.CDLL(None)
    for capability in range(LAST_CAPABILITY + 1):
        if capability != CAP_DAC_READ_SEARCH:
            libc.prctl(PR_CAPBSET_DROP, capability, 0, 0, 0)  # (refused where it is not there)
