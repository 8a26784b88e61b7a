#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""chat-terminal.py APP FOLDER: `APP chat` on a pseudo-terminal, as a person
types: Ctrl-C while an answer or a long prompt is on its way, pasted lines, wide
characters, windows of any width, /save and /load, and an end by SIGTERM. APP: a
model of Gemma 1 whose context holds thousands of tokens. Prints "ok", or what
was expected."""
import fcntl
import json
import os
import pty
import re
import select
import signal
import struct
import sys
import termios
import time

PROMPT = b"\r> \x1b[K\r\x1b[2C"


class Terminal:
    def __init__(self, words, columns=80):
        self.seen = b""
        self.child, self.file = pty.fork()
        if self.child == 0:
            os.execv(words[0], words)
        self.resize(columns)

    def resize(self, columns):
        size = struct.pack("HHHH", 24, columns, 0, 0)
        fcntl.ioctl(self.file, termios.TIOCSWINSZ, size)

    def write(self, data):
        os.write(self.file, data)

    def wait(self, text, seconds=60):
        """What came up to `text`, which is then forgotten."""
        end = time.monotonic() + seconds
        while text not in self.seen:
            left = end - time.monotonic()
            if left <= 0 or not select.select([self.file], [], [], left)[0]:
                sys.exit(f"expected {text!r}, found {self.seen[-400:]!r}")
            try:
                self.seen += os.read(self.file, 65536)
            except OSError:  # the program ended
                sys.exit(f"expected {text!r}, found the end behind "
                         f"{self.seen[-400:]!r}")
        before, self.seen = self.seen.split(text, 1)
        return before

    def end(self):
        self.write(b"\x04")
        end = time.monotonic() + 60
        while time.monotonic() < end:
            pid, state = os.waitpid(self.child, os.WNOHANG)
            if pid:
                return os.waitstatus_to_exitcode(state)
            try:
                if select.select([self.file], [], [], 0.05)[0]:
                    os.read(self.file, 65536)
            except OSError:  # closed: the program is about to end
                time.sleep(0.05)
        os.kill(self.child, signal.SIGKILL)
        sys.exit("expected the end after Ctrl-D, found none")


def expect(good, what):
    if not good:
        sys.exit("expected " + what)


def main():
    app, folder = sys.argv[1:]
    long = [app, "chat", "-n", "30000", "--temp", "1", "--seed", "1"]
    chat = Terminal(long)
    chat.wait(PROMPT)

    # Ctrl-C stops the answer and not the program; what came stays.
    chat.write(b"hello\r")
    chat.wait(b"\r\n")
    time.sleep(0.2)
    chat.write(b"\x03")
    chat.wait(b"(stopped)")
    chat.wait(PROMPT)
    # At the prompt it clears the line.
    chat.write(b"not this\x03")
    chat.wait(PROMPT)
    chat.write(b"/stats\r")
    stats = chat.wait(PROMPT)
    count = int(re.search(rb"answer +(\d+) tokens", stats)[1])
    expect(0 < count < 30000, f"part of an answer, found {count} tokens")

    # Gemma 1 has no place for a system message.
    chat.write(b"/system be terse\r")
    chat.wait(b"error: expected no system message")
    chat.wait(PROMPT)

    # Files: only conversations are overwritten, and come back.
    path = os.path.join(folder, "chat.json")
    other = os.path.join(folder, "other")
    with open(other, "w") as file:
        file.write("precious")
    chat.write(b"/save " + other.encode() + b"\r")
    chat.wait(b"it is not overwritten")
    chat.wait(PROMPT)
    chat.write(b"/save " + path.encode() + b"\r")
    chat.wait(PROMPT)
    with open(path) as file:
        saved = json.load(file)["messages"]
    expect([m["role"] for m in saved] == ["user", "assistant"], "two messages")
    chat.write(b"/reset\r")
    chat.wait(PROMPT)
    chat.write(b"/load " + path.encode() + b"\r")
    chat.wait(b"2 messages")
    chat.wait(PROMPT)

    # Pasted lines are one message, and wide characters keep the cursor right.
    chat.write(b"\x1b[200~one\rtwo\x1b[201~")
    chat.wait("one↵two".encode() + b"\x1b[K\r\x1b[9C")
    chat.write("中".encode())
    chat.wait("one↵two中".encode() + b"\x1b[K\r\x1b[11C")
    chat.write(b"\x1b[D")
    chat.wait(b"\x1b[K\r\x1b[9C")
    chat.write(b"\r")
    chat.wait(b"\r\n")
    time.sleep(0.1)
    chat.write(b"\x03")
    chat.wait(b"(stopped)")
    chat.wait(PROMPT)
    chat.write(b"/save " + path.encode() + b"\r")
    chat.wait(PROMPT)
    with open(path) as file:
        saved = json.load(file)["messages"]
    expect(len(saved) == 4 and saved[2]["content"] == "one\ntwo中",
           f"the pasted message, found {saved[2:3]}")
    code = chat.end()
    expect(code == 0, f"exit code 0, found {code}")

    # A long prompt that is stopped leaves nothing behind.
    chat = Terminal(long)
    chat.wait(PROMPT)
    chat.write(b"\x1b[200~" + b"abc def " * 3500 + b"\x1b[201~\r")
    chat.wait(b"reading ")
    chat.write(b"\x03")
    chat.wait(b"(stopped)")
    chat.wait(PROMPT)
    chat.write(b"/save " + path.encode() + b"\r")
    chat.wait(PROMPT)
    with open(path) as file:
        expect(json.load(file)["messages"] == [], "no message")
    expect(chat.end() == 0, "exit code 0")

    # A row of a narrow terminal is never overfull.
    chat = Terminal(long, columns=12)
    chat.wait(b"\x1b[K")
    for character in "abcdefghijk中文字":
        chat.write(character.encode())
        row = chat.wait(b"\x1b[K").split(b"> ")[-1].decode()
        width = sum(2 if ord(c) > 0x2E80 else 1 for c in row)
        expect(width <= 9 and row.endswith(character), f"9 columns, found {row}")
    # It is drawn anew where the window grows, whenever that is.
    for columns in [80, 60] * 20:
        chat.resize(columns)
        chat.wait("> abcdefghijk中文字".encode() + b"\x1b[K", 10)
    chat.write(b"\x03")
    expect(chat.end() == 0, "exit code 0")

    # A program that is ended leaves the terminal as it was.
    chat = Terminal(long)
    cooked = termios.ICANON | termios.ECHO | termios.ISIG
    before = termios.tcgetattr(chat.file)[3] & cooked
    chat.wait(PROMPT)
    expect(termios.tcgetattr(chat.file)[3] & cooked == 0, "raw mode")
    os.kill(chat.child, signal.SIGTERM)
    chat.wait(b"\x1b[?2004l")
    state = os.waitpid(chat.child, 0)[1]
    expect(os.WIFSIGNALED(state) and os.WTERMSIG(state) == signal.SIGTERM,
           f"an end by SIGTERM, found {state}")
    after = termios.tcgetattr(chat.file)[3] & cooked
    expect(after == before == cooked, f"the mode {before}, found {after}")
    print("ok")


main()
