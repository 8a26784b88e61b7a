// SPDX-License-Identifier: Apache-2.0
// The executable as a file: it runs with nothing around it, it says so in one
// line when it was stripped, cut or changed, and its ELF headers keep what
// protects a process. Says nothing about what it computes.
#include <cstddef>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "llvm/Object/ELFObjectFile.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/Program.h"
#include "nlohmann/json.hpp"
#include "runtime/include/gemma/ModelAbi.h"
#include "test/end-to-end/Harness.h"

namespace gemmac::endtoend {
namespace {

namespace fs = std::filesystem;
using Bytes = std::vector<char>;
using Elf = llvm::object::ELF64LEFile;

// The emulator, and a processor of its that has no AVX.
constexpr const char *kEmulator = "qemu-x86_64-static";
constexpr const char *kOldProcessor = "Nehalem";

Bytes readBytes(const std::string &path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

void writeProgram(const std::string &path, const Bytes &bytes) {
  std::ofstream(path, std::ios::binary).write(bytes.data(), bytes.size());
  fs::permissions(path, fs::perms::owner_all);
}

gemma_trailer trailerOf(const Bytes &bytes) {
  gemma_trailer trailer{};
  if (bytes.size() >= sizeof(trailer))
    std::memcpy(&trailer, &bytes[bytes.size() - sizeof(trailer)],
                sizeof(trailer));
  EXPECT_EQ(std::memcmp(trailer.magic, GEMMA_CONTAINER_MAGIC, 8), 0);
  return trailer;
}

// Where a program stands, or nothing.
std::string findTool(const std::string &name) {
  auto path = llvm::sys::findProgramByName(name);
  if (!path) path = llvm::sys::findProgramByName(name, {GEMMAC_LLVM_TOOLS});
  return path ? *path : "";
}

class ArtefactTest : public testing::Test {
 protected:
  void SetUp() override {
    fixture = loadFixture("bf16");
    app = build(workshop, fixture.checkpoint, "app", {});
    if (app.empty()) GTEST_FAIL() << "no executable to test";
    bytes = readBytes(app);
    trailer = trailerOf(bytes);
  }

  Outcome runApp(std::vector<std::string> words) {
    words.insert(words.begin(), app);
    return run(workshop, words, /*seconds=*/60);
  }

  // Runs `changed`: it says one error line that has `words` in it, prints
  // nothing and ends with 1.
  void expectRefused(const Bytes &changed, const std::string &words,
                     const std::vector<std::string> &arguments = {"info"}) {
    std::string path = workshop.path("changed");
    writeProgram(path, changed);
    expectRefused(path, words, arguments);
  }
  void expectRefused(const std::string &path, const std::string &words,
                     const std::vector<std::string> &arguments = {"info"}) {
    std::vector<std::string> command{path};
    command.insert(command.end(), arguments.begin(), arguments.end());
    Outcome outcome = run(workshop, command, /*seconds=*/60);
    EXPECT_EQ(outcome.exitCode, 1) << outcome.errors;
    EXPECT_EQ(outcome.output, "");
    EXPECT_TRUE(outcome.errors.starts_with("error: ")) << outcome.errors;
    EXPECT_EQ(outcome.errors.find('\n'), outcome.errors.size() - 1)
        << "expected one line, found " << outcome.errors;
    EXPECT_NE(outcome.errors.find(words), std::string::npos)
        << "expected " << words << " in " << outcome.errors;
  }

  Bytes flipped(uint64_t offset) {
    Bytes changed = bytes;
    changed.at(offset) ^= 0x10;
    return changed;
  }
  uint64_t sectionStart(int section) {
    return trailer.container_offset + trailer.sections[section].offset;
  }

  Workshop workshop;
  Fixture fixture;
  std::string app;
  Bytes bytes;
  gemma_trailer trailer{};
};

double perplexity(const Outcome &outcome) {
  auto json = nlohmann::json::parse(outcome.output, nullptr, false);
  EXPECT_TRUE(json.is_object()) << outcome.output << outcome.errors;
  return json.is_object() ? json.value("perplexity", 0.0) : 0.0;
}

// A root folder with the executable, its input and /proc, all of it read-only:
// no shared library, no locale, no temporary folder, no environment.
TEST_F(ArtefactTest, RunsAloneOnAReadOnlyFileSystem) {
  std::string unshare = findTool("unshare");
  if (unshare.empty() || run(workshop, {unshare, "-Urm", "true"}).exitCode != 0)
    GTEST_SKIP() << "this system gives no user and mount namespaces";
  std::string root = workshop.path("root");
  fs::create_directories(root + "/proc");
  fs::copy(app, root + "/app");
  writeIds(root + "/ids.json", fixture.tokens);
  const char *script =
      "mount --bind \"$0\" \"$0\" && mount --rbind /proc \"$0/proc\" &&"
      "mount -o remount,bind,ro \"$0\" && cd / &&"
      "! touch \"$0/written\" 2>/dev/null &&"
      "exec env -i /usr/sbin/chroot \"$0\" /app eval --json --tokens /ids.json";
  Outcome alone =
      run(workshop, {unshare, "-Urm", "/bin/sh", "-c", script, root});
  Outcome usual = runApp({"eval", "--json", "--tokens", root + "/ids.json"});
  EXPECT_EQ(alone.exitCode, 0) << alone.errors;
  EXPECT_EQ(alone.errors, "");
  EXPECT_GT(perplexity(usual), 0);
  EXPECT_EQ(perplexity(alone), perplexity(usual));
}

class StripTest : public ArtefactTest,
                  public testing::WithParamInterface<const char *> {};

TEST_P(StripTest, IsFoundAtStart) {
  std::string tool = findTool(GetParam());
  if (tool.empty()) GTEST_SKIP() << GetParam() << " is not installed";
  std::string stripped = workshop.path("stripped");
  fs::copy(app, stripped);
  Outcome outcome = run(workshop, {tool, stripped});
  ASSERT_EQ(outcome.exitCode, 0) << outcome.errors;
  ASSERT_LT(fs::file_size(stripped), bytes.size());
  for (const char *command : {"info", "chat", "bench"})
    expectRefused(stripped, "strip", {command});
}

INSTANTIATE_TEST_SUITE_P(, StripTest, testing::Values("strip", "llvm-strip"),
                         [](const testing::TestParamInfo<const char *> &info) {
                           return testName(info.param);
                         });

// Lengths behind the code: a file that is cut within its code is refused, or
// killed, by the kernel before a byte of ours runs.
TEST_F(ArtefactTest, FindsThatItWasCut) {
  uint64_t code = trailer.container_offset;
  for (uint64_t length :
       {bytes.size() - 1, bytes.size() - 8, bytes.size() - sizeof(trailer),
        bytes.size() - sizeof(trailer) - 1, bytes.size() - 4096,
        (bytes.size() + code) / 2, sectionStart(GEMMA_SECTION_WEIGHTS) + 1,
        sectionStart(GEMMA_SECTION_WEIGHTS), code + 1, code}) {
    SCOPED_TRACE(length);
    expectRefused(Bytes(bytes.begin(), bytes.begin() + length), "cut off");
  }
  // Bytes lost in the middle leave a whole trailer behind.
  Bytes holed = bytes;
  uint64_t weights = sectionStart(GEMMA_SECTION_WEIGHTS);
  holed.erase(holed.begin() + weights, holed.begin() + weights + 4096);
  expectRefused(holed, "the file was cut or changed");
}

TEST_F(ArtefactTest, FindsAChangedByteAtStart) {
  const gemma_section &metadata = trailer.sections[GEMMA_SECTION_METADATA];
  for (uint64_t at : {uint64_t(0), metadata.size / 2, metadata.size - 1})
    expectRefused(flipped(sectionStart(GEMMA_SECTION_METADATA) + at),
                  "metadata section");
  // Sizes, offsets and hashes are in the trailer: every byte of it.
  for (size_t at = 0; at < sizeof(trailer); ++at) {
    SCOPED_TRACE(at);
    bool isMagic = at >= offsetof(gemma_trailer, magic);
    bool isVersion = at >= offsetof(gemma_trailer, version) &&
                     at < offsetof(gemma_trailer, trailer_hash);
    expectRefused(flipped(bytes.size() - sizeof(trailer) + at),
                  isMagic     ? "expected a model at the end"
                  : isVersion ? "expected container version 1"
                              : "trailer is damaged");
  }
  // The zeros between the code and the model count as code.
  expectRefused(flipped(trailer.container_offset - 1), "code is damaged");
}

// The offset in the file of a function that the compiler emitted.
uint64_t offsetOfFunction(const Bytes &bytes, llvm::StringRef name) {
  auto object = llvm::object::ObjectFile::createELFObjectFile(
      {llvm::StringRef(bytes.data(), bytes.size()), "app"});
  if (!object) {
    ADD_FAILURE() << toString(object.takeError());
    return 0;
  }
  auto &file = llvm::cast<llvm::object::ELF64LEObjectFile>(**object);
  for (llvm::object::ELFSymbolRef symbol : file.symbols()) {
    auto found = symbol.getName();
    if (!found || *found != name) {
      consumeError(found.takeError());
      continue;
    }
    uint64_t address = cantFail(symbol.getAddress());
    for (auto &segment : cantFail(file.getELFFile().program_headers()))
      if (segment.p_type == llvm::ELF::PT_LOAD && address >= segment.p_vaddr &&
          address < segment.p_vaddr + segment.p_filesz)
        return segment.p_offset + (address - segment.p_vaddr);
  }
  ADD_FAILURE() << "no function " << name.str();
  return 0;
}

TEST_F(ArtefactTest, FindsAChangedByteOfItsCodeAtStart) {
  app = build(workshop, fixture.checkpoint, "app", {"-g"});
  ASSERT_NE(app, "");
  bytes = readBytes(app);
  trailer = trailerOf(bytes);
  for (const char *name : {"gemma_entry_decode", "gemma_entry_prefill"})
    for (uint64_t at : {0, 7})
      expectRefused(flipped(offsetOfFunction(bytes, name) + at),
                    "code is damaged");
}

TEST_F(ArtefactTest, VerifyFindsAChangedByteAnywhere) {
  Outcome whole = runApp({"info", "--verify"});
  EXPECT_EQ(whole.exitCode, 0) << whole.errors;
  const gemma_section &weights = trailer.sections[GEMMA_SECTION_WEIGHTS];
  uint64_t start = sectionStart(GEMMA_SECTION_WEIGHTS);
  for (uint64_t at : {uint64_t(0), weights.size / 3, weights.size - 1}) {
    expectRefused(flipped(start + at), "weights section", {"info", "--verify"});
    // Start-up does not read gigabytes: without --verify it is not found.
    Outcome outcome = run(workshop, {workshop.path("changed"), "info"});
    EXPECT_EQ(outcome.exitCode, 0) << outcome.errors;
  }
  // The zeros between two sections.
  expectRefused(flipped(start - 1), "padding", {"info", "--verify"});
}

// Another output name, another folder, another day; and no path of this
// machine in the file.
TEST_F(ArtefactTest, TwoBuildsAreTheSameBytes) {
  std::string copy = workshop.path("elsewhere/bf16");
  fs::create_directories(workshop.path("elsewhere"));
  fs::copy(fixture.checkpoint, copy);
  std::string other = build(workshop, copy, "other", {});
  ASSERT_NE(other, "");
  EXPECT_TRUE(readBytes(other) == bytes);
  std::string_view text(bytes.data(), bytes.size());
  for (const std::string &path :
       {std::string(GEMMAC_FIXTURES), fs::path(app).parent_path().string()})
    EXPECT_EQ(text.find(path), text.npos) << path;
}

TEST_F(ArtefactTest, HasHardenedHeaders) {
  auto file = cantFail(Elf::create({bytes.data(), bytes.size()}));
  // A position-independent program: the kernel chooses its address.
  EXPECT_EQ(file.getHeader().e_type, llvm::ELF::ET_DYN);
  bool hasStack = false, hasRelro = false;
  for (const auto &segment : cantFail(file.program_headers())) {
    bool isWritten = segment.p_flags & llvm::ELF::PF_W;
    bool isExecuted = segment.p_flags & llvm::ELF::PF_X;
    EXPECT_FALSE(isWritten && isExecuted) << "type " << segment.p_type;
    EXPECT_NE(segment.p_type, llvm::ELF::PT_INTERP);
    hasStack |= segment.p_type == llvm::ELF::PT_GNU_STACK;
    hasRelro |= segment.p_type == llvm::ELF::PT_GNU_RELRO;
  }
  EXPECT_TRUE(hasStack);  // without the header a stack is executable
  EXPECT_TRUE(hasRelro);
  for (const auto &entry : cantFail(file.dynamicEntries())) {
    EXPECT_NE(entry.getTag(), llvm::ELF::DT_NEEDED);
    EXPECT_NE(entry.getTag(), llvm::ELF::DT_TEXTREL);
    EXPECT_NE(entry.getTag(), llvm::ELF::DT_RPATH);
    EXPECT_NE(entry.getTag(), llvm::ELF::DT_RUNPATH);
  }
}

TEST_F(ArtefactTest, AWrongProcessorGetsOneLine) {
  std::string qemu = findTool(kEmulator);
  if (qemu.empty()) GTEST_SKIP() << kEmulator << " is not installed";
  for (const char *target : {"x86_64-avx2", "x86_64-amx"}) {
    app = build(workshop, fixture.checkpoint, target, {"--target", target});
    ASSERT_NE(app, "");
    Outcome outcome = run(workshop, {qemu, "-cpu", kOldProcessor, app, "info"});
    EXPECT_EQ(outcome.exitCode, 3);
    EXPECT_EQ(outcome.output, "");
    EXPECT_TRUE(outcome.errors.starts_with("error: ")) << outcome.errors;
    EXPECT_NE(outcome.errors.find(target), std::string::npos);
    EXPECT_EQ(outcome.errors.find('\n'), outcome.errors.size() - 1)
        << outcome.errors;
  }
}

// A --cpu only tunes: what was built for every processor runs on every one.
TEST_F(ArtefactTest, TuningAddsNoInstruction) {
  std::string qemu = findTool(kEmulator);
  if (qemu.empty()) GTEST_SKIP() << kEmulator << " is not installed";
  app = build(workshop, fixture.checkpoint, "tuned",
              {"--target=portable", "--cpu=znver4"});
  ASSERT_NE(app, "");
  std::string ids = workshop.path("ids.json");
  writeIds(ids, fixture.tokens);
  Outcome outcome = run(workshop, {qemu, "-cpu", kOldProcessor, app, "eval",
                                   "--json", "--tokens", ids});
  EXPECT_EQ(outcome.exitCode, 0) << outcome.errors;
  EXPECT_GT(perplexity(outcome), 0);
}

}  // namespace
}  // namespace gemmac::endtoend
