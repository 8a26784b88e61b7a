#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""on-terminal.py COMMAND...: runs it with a pseudo-terminal for its output and
prints what came there as Python writes bytes, so that nothing is hidden. Exits
as the command did."""
import os
import pty
import sys

child, terminal = pty.fork()
if child == 0:
    os.execvp(sys.argv[1], sys.argv[1:])
seen = b""
while True:
    try:
        part = os.read(terminal, 65536)
    except OSError:  # its end
        break
    if not part:
        break
    seen += part
print(repr(seen.decode()))
sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
