// SPDX-License-Identifier: Apache-2.0
// Opening, checking and mapping of the container. Reads the trailer with pread
// and the code once for its hash; everything else is mapped and shared with
// every other process that runs the same file. Does not copy any section.
#include "runtime/model/Container.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stddef.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <vector>

#define XXH_INLINE_ALL
#include <xxhash.h>

namespace gemma {
namespace {

constexpr size_t kHashChunk = size_t{1} << 20;

const char *const kSectionNames[GEMMA_SECTION_COUNT] = {
    "metadata section", "tokenizer section", "weights section"};

// What a user knows the file as: /proc/self/exe says nothing in a message.
std::string shownName(const char *path) {
  if (strcmp(path, "/proc/self/exe") != 0) return path;
  char buffer[PATH_MAX];
  ssize_t length = readlink(path, buffer, sizeof(buffer));
  return length > 0 ? std::string(buffer, length) : std::string(path);
}

bool readFully(int file, void *bytes, size_t count, uint64_t offset) {
  auto *to = static_cast<uint8_t *>(bytes);
  while (count > 0) {
    ssize_t got = pread(file, to, count, static_cast<off_t>(offset));
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return false;
    to += got;
    offset += got;
    count -= got;
  }
  return true;
}

// XXH3-64 of the file's first `count` bytes.
bool hashFile(int file, uint64_t count, uint64_t &hash) {
  std::vector<uint8_t> buffer(kHashChunk);
  XXH3_state_t state;
  XXH3_64bits_reset(&state);
  for (uint64_t at = 0; at < count;) {
    size_t part = std::min<uint64_t>(kHashChunk, count - at);
    if (!readFully(file, buffer.data(), part, at)) return false;
    XXH3_64bits_update(&state, buffer.data(), part);
    at += part;
  }
  hash = XXH3_64bits_digest(&state);
  return true;
}

bool allZero(const uint8_t *from, const uint8_t *to) {
  for (; from < to; ++from)
    if (*from != 0) return false;
  return true;
}

uint64_t trailerHash(const gemma_trailer &trailer) {
  return XXH3_64bits(&trailer, offsetof(gemma_trailer, trailer_hash));
}

}  // namespace

Status Container::open(const char *path) {
  close();
  name = shownName(path);
  file = ::open(path, O_RDONLY | O_CLOEXEC);
  if (file < 0)
    return Status(Code::Io, name + ": cannot be opened: " + strerror(errno));
  struct stat info;
  if (fstat(file, &info) != 0 || !S_ISREG(info.st_mode)) {
    close();
    return Status(Code::InvalidInput, name + ": is no regular file");
  }
  size = static_cast<uint64_t>(info.st_size);
  Status status = readTrailer();
  if (status.ok()) status = checkSections();
  if (!status.ok()) {
    close();
    return status;
  }
  mappedBytes = size - end.container_offset;
  void *mapped = mmap(nullptr, mappedBytes, PROT_READ, MAP_SHARED, file,
                      static_cast<off_t>(end.container_offset));
  if (mapped == MAP_FAILED) {
    int error = errno;
    close();
    return Status(Code::Io, name + ": cannot be mapped: " + strerror(error));
  }
  mapping = static_cast<uint8_t *>(mapped);
  status = checkHashes();
  if (!status.ok()) close();
  return status;
}

void Container::close() {
  if (mapping != nullptr) munmap(mapping, mappedBytes);
  if (file >= 0) ::close(file);
  mapping = nullptr;
  mappedBytes = 0;
  file = -1;
}

Status Container::damaged(const char *what) const {
  return Status(Code::InvalidInput,
                name + ": the " + what +
                    " is damaged (its hash differs from the one that was "
                    "written): copy or build the file again");
}

Status Container::readTrailer() {
  gemma_trailer &trailer = end;
  bool there =
      size >= sizeof(trailer) &&
      readFully(file, &trailer, sizeof(trailer), size - sizeof(trailer)) &&
      memcmp(trailer.magic, GEMMA_CONTAINER_MAGIC, 8) == 0;
  if (!there)
    return Status(Code::InvalidInput,
                  name +
                      ": expected a model at the end of the file, found none: "
                      "the file was "
                      "cut off or stripped (strip removes it)");
  if (trailer.version != 1 || trailer.trailer_bytes != sizeof(trailer))
    return Status(Code::InvalidInput,
                  name + ": expected container version 1 with " +
                      std::to_string(sizeof(trailer)) +
                      " trailer bytes, found version " +
                      std::to_string(trailer.version) + " with " +
                      std::to_string(trailer.trailer_bytes));
  if (trailerHash(trailer) != trailer.trailer_hash) return damaged("trailer");
  return {};
}

Status Container::checkSections() const {
  uint64_t body = size - sizeof(end);
  if (end.container_offset % GEMMA_CONTAINER_ALIGN != 0 ||
      end.container_offset > body)
    return Status(Code::InvalidInput,
                  name + ": expected a model at an offset inside its " +
                      std::to_string(size) + " bytes, found offset " +
                      std::to_string(end.container_offset) +
                      ": the file was cut or changed");
  uint64_t room = body - end.container_offset, from = 0;
  for (int i = 0; i < GEMMA_SECTION_COUNT; ++i) {
    const gemma_section &section = end.sections[i];
    bool good = section.offset % GEMMA_SECTION_ALIGN == 0 &&
                section.offset >= from && section.offset <= room &&
                section.size <= room - section.offset;
    if (!good)
      return Status(Code::InvalidInput,
                    name + ": expected the " + kSectionNames[i] + " in bytes " +
                        std::to_string(from) + " to " + std::to_string(room) +
                        " of the model, found " + std::to_string(section.size) +
                        " bytes at " + std::to_string(section.offset) +
                        ": the file was cut or changed");
    from = section.offset + section.size;
  }
  return {};
}

Status Container::checkHashes() const {
  uint64_t hash = 0;
  if (!hashFile(file, end.container_offset, hash))
    return Status(Code::Io, name + ": cannot be read: " + strerror(errno));
  if (hash != end.code_hash) return damaged("code");
  auto metadata = section(GEMMA_SECTION_METADATA);
  if (XXH3_64bits(metadata.data(), metadata.size()) !=
      end.sections[GEMMA_SECTION_METADATA].hash)
    return damaged("metadata section");
  return {};
}

Status Container::verifyAll() const {
  if (!isOpen()) return Status(Code::InvalidInput, "no model is open");
  Status status = checkHashes();
  if (!status.ok()) return status;
  const uint8_t *from = mapping;
  for (int i = 0; i < GEMMA_SECTION_COUNT; ++i) {
    auto bytes = section(i);
    if (!allZero(from, bytes.data())) return damaged("padding");
    if (XXH3_64bits(bytes.data(), bytes.size()) != end.sections[i].hash)
      return damaged(kSectionNames[i]);
    from = bytes.data() + bytes.size();
  }
  const uint8_t *last = mapping + mappedBytes - sizeof(gemma_trailer);
  if (!allZero(from, last)) return damaged("padding");
  if (memcmp(last, &end, sizeof(end)) != 0) return damaged("trailer");
  return {};
}

void Container::prefaultWeights() const {
  auto weights = section(GEMMA_SECTION_WEIGHTS);
  if (weights.empty()) return;
  auto page = static_cast<uintptr_t>(sysconf(_SC_PAGESIZE));
  auto from = reinterpret_cast<uintptr_t>(weights.data()) / page * page;
  auto bytes =
      reinterpret_cast<uintptr_t>(weights.data() + weights.size()) - from;
#ifdef MADV_POPULATE_READ
  if (madvise(reinterpret_cast<void *>(from), bytes, MADV_POPULATE_READ) == 0)
    return;
#endif
  // Linux before 5.14: start the reading, then touch each page.
  madvise(reinterpret_cast<void *>(from), bytes, MADV_WILLNEED);
  for (uintptr_t at = from; at < from + bytes; at += page)
    (void)*reinterpret_cast<const volatile uint8_t *>(at);
}

std::span<const uint8_t> Container::section(int section) const {
  if (!isOpen() || section < 0 || section >= GEMMA_SECTION_COUNT) return {};
  return {mapping + end.sections[section].offset,
          static_cast<size_t>(end.sections[section].size)};
}

}  // namespace gemma
