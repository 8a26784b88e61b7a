// SPDX-License-Identifier: Apache-2.0
/* The first process of the virtual machine that run-in-bochs.sh boots.
 *
 * Reads /arguments (NUL-separated: program, its arguments), runs the program in
 * /run, copies its stdout to COM2 and its stderr to COM3, writes its exit code
 * in decimal to COM4, then asks Bochs to end. The ports are driven by hand:
 * with COM3 and COM4 the kernel's driver would need shared interrupts.
 * It gives no standard input. Source: 16550 data sheet; Bochs, unmapped.cc. */
#define _GNU_SOURCE  /* pipe2 */
#include <fcntl.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/io.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/wait.h>
#include <unistd.h>

enum { COM2 = 0x2f8, COM3 = 0x3e8, COM4 = 0x2e8, BOCHS_SHUTDOWN = 0x8900 };

enum { MAX_ARGUMENTS = 256, MAX_ARGUMENT_BYTES = 65536 };

static void openPort(uint16_t port) {
  outb(0, port + 1);     /* no interrupts */
  outb(0x83, port + 3);  /* divisor latch on, 8 bits, no parity */
  outb(1, port);         /* 115200 baud */
  outb(0, port + 1);
  outb(0x03, port + 3);  /* divisor latch off */
}

static void writePort(uint16_t port, const char *bytes, size_t count) {
  for (size_t i = 0; i < count; ++i) {
    while (!(inb(port + 5) & 0x20)) {
    }
    outb(bytes[i], port);
  }
}

/* Waits until the last byte has left, then ends Bochs with this machine. */
static void endMachine(int exitCode) {
  static const uint16_t ports[] = {COM2, COM3, COM4};
  static const char request[] = "Shutdown";
  char text[16];
  int length = snprintf(text, sizeof text, "%d\n", exitCode);
  writePort(COM4, text, length);
  for (size_t i = 0; i < sizeof ports / sizeof *ports; ++i) {
    while (!(inb(ports[i] + 5) & 0x40)) {
    }
  }
  for (size_t i = 0; i < sizeof request - 1; ++i)
    outb(request[i], BOCHS_SHUTDOWN);
  reboot(RB_HALT_SYSTEM);
}

static void fail(const char *what) {
  static const char prefix[] = "BochsInit: cannot ";
  writePort(COM3, prefix, sizeof prefix - 1);
  writePort(COM3, what, strlen(what));
  writePort(COM3, "\n", 1);
  endMachine(125);
}

static void readArguments(char **arguments) {
  static char bytes[MAX_ARGUMENT_BYTES];
  int file = open("/arguments", O_RDONLY);
  if (file < 0) fail("open /arguments");
  ssize_t size = 0, got = 0;
  while ((got = read(file, bytes + size, sizeof bytes - 1 - size)) > 0)
    size += got;
  close(file);
  int count = 0;
  for (char *at = bytes; at < bytes + size; at += strlen(at) + 1) {
    if (count == MAX_ARGUMENTS - 1) fail("take more than 255 arguments");
    arguments[count++] = at;
  }
  arguments[count] = NULL;
  if (count == 0) fail("find a program in /arguments");
}

static void runProgram(char **arguments, int out, int err) {
  int in = open("/dev/null", O_RDONLY);
  if (in < 0 || dup2(in, 0) < 0 || dup2(out, 1) < 0 || dup2(err, 2) < 0)
    _exit(126);
  if (chdir("/run")) _exit(126);
  static char *environment[] = {"PATH=/run", "HOME=/run", "TMPDIR=/tmp",
                                "LANG=C.UTF-8", NULL};
  execve(arguments[0], arguments, environment);
  perror(arguments[0]);
  _exit(127);
}

/* Forwards both pipes until the program has closed them. */
static void forward(int out, int err) {
  struct pollfd pipes[2] = {{out, POLLIN, 0}, {err, POLLIN, 0}};
  static const uint16_t ports[2] = {COM2, COM3};
  static char buffer[4096];
  for (int open = 2; open > 0;) {
    if (poll(pipes, 2, -1) < 0) fail("poll the program's output");
    for (int i = 0; i < 2; ++i) {
      if (pipes[i].fd < 0 || !pipes[i].revents) continue;
      ssize_t got = read(pipes[i].fd, buffer, sizeof buffer);
      if (got > 0) {
        writePort(ports[i], buffer, got);
      } else {
        pipes[i].fd = -1;  /* poll skips negative descriptors */
        --open;
      }
    }
  }
}

int main(void) {
  if (iopl(3)) return 1;  /* the kernel panics and says so on COM1 */
  openPort(COM2);
  openPort(COM3);
  openPort(COM4);
  if (mount("none", "/dev", "devtmpfs", 0, "")) fail("mount /dev");
  if (mount("none", "/proc", "proc", 0, "")) fail("mount /proc");
  if (mount("none", "/sys", "sysfs", 0, "")) fail("mount /sys");

  char *arguments[MAX_ARGUMENTS];
  readArguments(arguments);
  int out[2], err[2];
  if (pipe2(out, O_CLOEXEC) || pipe2(err, O_CLOEXEC)) fail("make pipes");
  pid_t program = fork();
  if (program < 0) fail("fork");
  if (program == 0) runProgram(arguments, out[1], err[1]);
  close(out[1]);
  close(err[1]);
  forward(out[0], err[0]);
  int status = 0;
  if (waitpid(program, &status, 0) != program) fail("wait for the program");
  /* As a shell reports it: 128 + the signal's number. */
  endMachine(WIFSIGNALED(status) ? 128 + WTERMSIG(status)
                                 : WEXITSTATUS(status));
  return 1;
}
