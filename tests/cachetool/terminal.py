# SPDX-License-Identifier: MIT
"""A program at a terminal of its own."""

import os
import pty
import re
import select
import struct
import fcntl
import termios

HANGS = 60


class Terminal:
    """Starts `argv` as the leader of a session at a new terminal of 24 rows and `columns`."""

    def __init__(self, argv, env, cwd, columns=200):
        self.seen = b""
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            try:
                os.chdir(cwd)
                fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
                os.execvpe(argv[0], argv, {"TERM": "xterm", **env})
            finally:
                os._exit(127)

    def type(self, text):
        os.write(self.fd, text.encode())

    def wait_for(self, pattern):
        """Reads until what was shown since the last call matches. Returns the match."""
        while True:
            found = re.search(pattern, self.seen, re.S)
            if found:
                self.seen = self.seen[found.end() :]
                return found
            if not self.read():
                raise AssertionError(f"{pattern} was not shown, but {self.seen}")

    def read(self):
        """Reads what is there, or waits for some. False at the end."""
        if not select.select([self.fd], [], [], HANGS)[0]:
            raise AssertionError(f"nothing more was shown after {self.seen}")
        try:
            more = os.read(self.fd, 65536)
        except OSError:  # how Linux tells that nobody has the other side open
            return False
        self.seen += more
        return bool(more)

    def end(self):
        """Hangs up. Returns the exit code, or minus the signal, of the program."""
        os.close(self.fd)
        return os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])


def shown_at_a_terminal(argv, env, cwd, columns):
    """All that a program writes to a terminal of this width, without colours."""
    terminal = Terminal(argv, env, cwd, columns)
    while terminal.read():
        pass
    terminal.end()
    return re.sub(r"\x1b\[[0-9;]*[mK]", "", terminal.seen.decode()).replace("\r\n", "\n")
