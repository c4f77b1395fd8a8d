"""Ends process groups when the sandbox is gone, however it went.

Run as a process of its own with a pipe as standard input: `+PID` puts a group under guard, `-PID` releases
it. When the pipe closes, because the sandbox ended or was killed, every group still under guard is killed.
Standard library only, and no import of ours: it starts in milliseconds and must not fail.
"""

from __future__ import annotations

import contextlib
import os
import signal
import sys


def main() -> None:
    guarded: set[int] = set()
    for line in sys.stdin:
        sign, number = line[:1], line[1:].strip()
        if not number.isdecimal():
            continue
        if sign == "+":
            guarded.add(int(number))
        elif sign == "-":
            guarded.discard(int(number))
    for group in guarded:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(group, signal.SIGKILL)


if __name__ == "__main__":
    main()
