"""Become a command that is killed with its parent: python launch.py PARENT_PID COMMAND [ARGUMENT ...]."""

import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1

if __name__ == "__main__":
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        if os.getppid() != int(sys.argv[1]):
            sys.exit("the parent ended before its child began")
    os.execv(sys.argv[2], sys.argv[2:])  # noqa: S606
