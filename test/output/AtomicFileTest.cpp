// SPDX-License-Identifier: Apache-2.0
// AtomicFile: whole or not at all, whatever happens on the way.
#include "compiler/output/AtomicFile.h"

#include <csignal>

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "gtest/gtest.h"
#include "llvm/ADT/StringExtras.h"
#include "test/support/Folder.h"

namespace gemmac::output {
namespace {

using test::Folder;
using test::readBytes;
using test::writeBytes;
using Names = std::set<std::string>;

llvm::ArrayRef<uint8_t> bytesOf(llvm::StringRef text) {
  return llvm::arrayRefFromStringRef(text);
}

std::string messageOf(llvm::Error error) {
  return llvm::toString(std::move(error));
}

// Runs `work` in a child; true when it died of `signal`.
template <typename Work>
bool diesOf(int signal, Work work) {
  pid_t child = fork();
  if (child == 0) {
    work();
    _exit(0);
  }
  int status = 0;
  waitpid(child, &status, 0);
  return WIFSIGNALED(status) && WTERMSIG(status) == signal;
}

TEST(AtomicFile, AppearsOnlyAtCommitWithItsMode) {
  Folder folder;
  auto file = AtomicFile::create(folder.file("app"), 0755);
  ASSERT_TRUE(bool(file));
  ASSERT_FALSE(bool(file->write(bytesOf("world"), 5)));
  ASSERT_FALSE(bool(file->write(bytesOf("hello"), 0)));
  EXPECT_EQ(folder.names().count("app"), 0u);
  ASSERT_FALSE(bool(file->commit()));
  EXPECT_EQ(folder.names(), Names{"app"});
  auto bytes = readBytes(folder.file("app"));
  EXPECT_EQ(std::string(bytes.begin(), bytes.end()), "helloworld");
  struct stat status;
  ASSERT_EQ(stat(folder.file("app").c_str(), &status), 0);
  mode_t mask = umask(0);
  umask(mask);
  EXPECT_EQ(status.st_mode & 0777u, 0755u & ~mask);
}

TEST(AtomicFile, DiscardLeavesTheOldFileAlone) {
  Folder folder;
  writeBytes(folder.file("app"), {1, 2, 3});
  {
    auto file = AtomicFile::create(folder.file("app"), 0755);
    ASSERT_TRUE(bool(file));
    writeBytes(file->companion(".o"), {9});
    ASSERT_FALSE(bool(file->write(bytesOf("new"), 0)));
    EXPECT_EQ(folder.names().size(), 3u);
  }
  EXPECT_EQ(folder.names(), Names{"app"});
  EXPECT_EQ(readBytes(folder.file("app")), (std::vector<uint8_t>{1, 2, 3}));
}

TEST(AtomicFile, SignalsRemoveTheTemporaries) {
  for (int signal : {SIGINT, SIGTERM}) {
    Folder folder;
    EXPECT_TRUE(diesOf(signal, [&] {
      auto file = AtomicFile::create(folder.file("app"), 0755);
      writeBytes(file->companion(".o"), {9});
      if (folder.names().size() == 2) raise(signal);
    }));
    EXPECT_EQ(folder.names(), Names{});
  }
}

TEST(AtomicFile, NextBuildRemovesWhatAKillLeft) {
  Folder folder;
  EXPECT_TRUE(diesOf(SIGKILL, [&] {
    auto file = AtomicFile::create(folder.file("app"), 0755);
    writeBytes(file->companion(".link"), {9});
    raise(SIGKILL);
  }));
  ASSERT_EQ(folder.names().size(), 2u);
  // Another output's build does not touch it, nor does one of a longer name.
  writeBytes(folder.file(".app2.gemmac-1.tmp"), {1});
  ASSERT_TRUE(bool(AtomicFile::create(folder.file("other"), 0755)));
  ASSERT_EQ(folder.names().size(), 3u);
  ASSERT_TRUE(bool(AtomicFile::create(folder.file("app"), 0755)));
  EXPECT_EQ(folder.names(), Names{".app2.gemmac-1.tmp"});
}

TEST(AtomicFile, TemporaryOfALivingProcessStays) {
  Folder folder;
  std::string name = ".app.gemmac-" + std::to_string(getppid()) + ".tmp";
  writeBytes(folder.file(name), {1});
  ASSERT_TRUE(bool(AtomicFile::create(folder.file("app"), 0755)));
  EXPECT_EQ(folder.names(), Names{name});
}

TEST(AtomicFile, FolderThatIsMissingIsNamed) {
  Folder folder;
  auto file = AtomicFile::create(folder.file("no/app"), 0755);
  ASSERT_FALSE(bool(file));
  EXPECT_EQ(messageOf(file.takeError()), "cannot create output '" +
                                             folder.file("no/app") +
                                             "': No such file or directory");
}

// As a user who may not write: root may write everywhere.
TEST(AtomicFile, UnwritableFolderIsRefused) {
  Folder folder;
  std::filesystem::permissions(folder.path, std::filesystem::perms(0555));
  pid_t child = fork();
  if (child == 0) {
    if (getuid() == 0 && setuid(65534) != 0) _exit(2);
    auto file = AtomicFile::create(folder.file("app"), 0755);
    if (file) _exit(1);
    _exit(messageOf(file.takeError()).find("Permission denied") ==
          std::string::npos);
  }
  int status = 0;
  waitpid(child, &status, 0);
  std::filesystem::permissions(folder.path, std::filesystem::perms(0755));
  EXPECT_TRUE(WIFEXITED(status));
  EXPECT_EQ(WEXITSTATUS(status), 0);
  EXPECT_EQ(folder.names(), Names{});
}

// A limit on file sizes stands in for a full disk: both fail the write.
TEST(AtomicFile, NoRoomIsAnErrorAndLeavesNothing) {
  Folder folder;
  pid_t child = fork();
  if (child == 0) {
    std::signal(SIGXFSZ, SIG_IGN);
    rlimit limit{4096, 4096};
    setrlimit(RLIMIT_FSIZE, &limit);
    auto file = AtomicFile::create(folder.file("app"), 0755);
    if (!file) _exit(1);
    std::string reserved = messageOf(file->reserve(1 << 20));
    std::string written =
        messageOf(file->write(std::vector<uint8_t>(8192, 1), 0));
    file->discard();
    bool good = reserved.find("cannot reserve 2 MiB") == 0 &&
                written.find("cannot write output '") == 0 &&
                written.find("File too large") != std::string::npos;
    _exit(good ? 0 : 2);
  }
  int status = 0;
  waitpid(child, &status, 0);
  EXPECT_TRUE(WIFEXITED(status));
  EXPECT_EQ(WEXITSTATUS(status), 0);
  EXPECT_EQ(folder.names(), Names{});
}

TEST(AtomicFile, RefusesDirectoriesDevicesAndInputs) {
  Folder folder;
  std::filesystem::create_directory(folder.file("model"));
  writeBytes(folder.file("model/a.safetensors"), {1});
  std::filesystem::create_symlink(folder.file("model/a.safetensors"),
                                  folder.file("alias"));
  std::vector<std::string> inputs{folder.file("model")};
  auto check = [&](const std::string &path) {
    return messageOf(checkOutputPath(path, inputs));
  };
  EXPECT_NE(check(folder.file("model")).find("found a directory"),
            std::string::npos);
  EXPECT_NE(check("/dev/null").find("expected a regular file"),
            std::string::npos);
  EXPECT_NE(check(folder.file("alias")).find("is the input file"),
            std::string::npos);
  EXPECT_EQ(check(folder.file("model/new")), "");
  EXPECT_EQ(check(""), "output path is empty");
}

TEST(AtomicFile, FollowsALinkToTheFileBehindIt) {
  Folder folder;
  writeBytes(folder.file("real"), {1});
  std::filesystem::create_symlink("real", folder.file("link"));
  auto file = AtomicFile::create(folder.file("link"), 0644);
  ASSERT_TRUE(bool(file));
  ASSERT_FALSE(bool(file->write(bytesOf("x"), 0)));
  ASSERT_FALSE(bool(file->commit()));
  EXPECT_TRUE(std::filesystem::is_symlink(folder.file("link")));
  EXPECT_EQ(readBytes(folder.file("real")), std::vector<uint8_t>{'x'});
}

}  // namespace
}  // namespace gemmac::output
