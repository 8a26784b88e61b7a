// SPDX-License-Identifier: Apache-2.0
// Steps: requests become gemma_rows, an entry point runs, the head follows in
// blocks of head_rows (logits of 512 rows would be 512 MiB).
#include "runtime/model/Engine.h"

#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cassert>
#include <string>

#include "runtime/model/PhaseProfile.h"

namespace gemma {

bool Pages::allocate(size_t count) {
  release();
  auto page = static_cast<size_t>(sysconf(_SC_PAGESIZE));
  size_t rounded = (std::max<size_t>(count, 1) + page - 1) / page * page;
  void *mapped = mmap(nullptr, rounded, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (mapped == MAP_FAILED) return false;
  madvise(mapped, rounded, MADV_HUGEPAGE);
  memory = static_cast<uint8_t *>(mapped);
  bytes = rounded;
  return true;
}

void Pages::release() {
  if (memory != nullptr) munmap(memory, bytes);
  memory = nullptr;
  bytes = 0;
}

Status Engine::start(const Model &model, int threads) {
  shared = &model;
  const gemma_model_code &code = model.code();
  if (threads <= 0) threads = defaultThreadCount();
  Status status = pool.start(threads);
  if (!status.ok()) return status;
  // Whole pages for each thread: no line is shared.
  int64_t stride = (code.scratch_bytes + 4095) / 4096 * 4096;
  if (!arena.allocate(code.arena_bytes) || !scratch.allocate(stride * threads))
    return Status(Code::OutOfMemory,
                  "expected " +
                      std::to_string(code.arena_bytes + stride * threads) +
                      " bytes of working memory, found less");
  call.weights = model.weights();
  call.arena = arena.data();
  call.scratch = scratch.data();
  call.scratch_stride = stride;
  pairs.resize(size_t{2} * code.head_rows);
  return {};
}

Status Engine::allocateLogits() {
  if (logitsBuffer.data() != nullptr) return {};
  const gemma_model_code &code = shared->code();
  int64_t bytes = int64_t{code.head_rows} * code.vocabulary *
                  static_cast<int64_t>(sizeof(float));
  if (logitsBuffer.allocate(bytes)) return {};
  return Status(Code::OutOfMemory, "expected " + std::to_string(bytes) +
                                       " bytes for the logits, found less");
}

int64_t Engine::workingBytes() const {
  return static_cast<int64_t>(arena.size() + scratch.size() +
                              logitsBuffer.size());
}

Status Engine::prepareRows(std::span<const RowRequest> rows) {
  callRows.clear();
  wantedRows.clear();
  int32_t ahead = 0;
  for (size_t i = 0; i < rows.size(); ++i) {
    auto [source, token, wanted] = rows[i];
    if (token < 0 || token >= shared->code().vocabulary)
      return Status(Code::InvalidInput,
                    "expected a token id below " +
                        std::to_string(shared->code().vocabulary) + ", found " +
                        std::to_string(token));
    // A prompt's rows stand together; rows of other sequences are few.
    if (i > 0 && rows[i - 1].source == source)
      ++ahead;
    else
      ahead = static_cast<int32_t>(std::count_if(
          rows.begin(), rows.begin() + i,
          [&](const RowRequest &row) { return row.source == source; }));
    gemma_row row{};
    row.token = token;
    Status status = source->placeRow(ahead, row);
    if (!status.ok()) return status;
    // What compiled code computes addresses from.
    assert(row.position >= 0 && row.position < shared->code().context);
    assert(row.visible_end >= row.position && row.kv != nullptr);
    assert(ahead == 0 || rows[i - 1].source != source ||
           row.position > callRows.back().position);
    callRows.push_back(row);
    if (wanted) wantedRows.push_back(static_cast<int32_t>(i));
  }
  return {};
}

Status Engine::step(std::span<const RowRequest> rows,
                    const LogitsCallback &logits,
                    const ArgMaxCallback &argMax) {
  if (rows.empty()) return {};
  if (rows.size() > maxRows())
    return Status(Code::InvalidInput,
                  "expected at most " + std::to_string(maxRows()) +
                      " rows, found " + std::to_string(rows.size()));
  Status status = prepareRows(rows);
  const gemma_model_code &code = shared->code();
  bool pairsOnly = argMax && code.arg_max != nullptr;
  if (status.ok() && !pairsOnly && !wantedRows.empty())
    status = allocateLogits();
  if (!status.ok()) return status;
  auto count = static_cast<int64_t>(rows.size());
  call.rows = callRows.data();
  call.count = count;
  call.wanted = nullptr;
  call.wanted_count = 0;
  run(count == 1                 ? EntryPoint::Decode
      : count <= code.batch_rows ? EntryPoint::Batch
                                 : EntryPoint::Prefill);
  for (const RowRequest &row : rows) row.source->advance(row.token);
  if (pairsOnly)
    runArgMax(argMax);
  else
    runHead(logits);
  return {};
}

void Engine::run(EntryPoint entry) {
  const gemma_model_code &code = shared->code();
  gemma_step_function functions[] = {code.decode, code.batch, code.prefill,
                                     code.head, code.arg_max};
  gemma_step_function function = functions[static_cast<size_t>(entry)];
  if (profile == nullptr) return pool.run(function, call);
  profile->run(entry, function, call, pool);
}

void Engine::inBlocks(
    EntryPoint entry,
    const std::function<void(size_t first, size_t count)> &done) {
  for (size_t at = 0; at < wantedRows.size();) {
    size_t count =
        std::min<size_t>(shared->code().head_rows, wantedRows.size() - at);
    call.wanted = wantedRows.data() + at;
    call.wanted_count = static_cast<int64_t>(count);
    run(entry);
    done(at, count);
    at += count;
  }
}

void Engine::runHead(const LogitsCallback &logits) {
  auto vocabulary = static_cast<size_t>(shared->code().vocabulary);
  call.logits = reinterpret_cast<float *>(logitsBuffer.data());
  inBlocks(EntryPoint::Head, [&](size_t first, size_t count) {
    for (size_t i = 0; i < count && logits; ++i)
      logits(wantedRows[first + i], {call.logits + i * vocabulary, vocabulary});
  });
}

void Engine::runArgMax(const ArgMaxCallback &argMax) {
  call.logits = pairs.data();
  inBlocks(EntryPoint::ArgMax, [&](size_t first, size_t count) {
    for (size_t i = 0; i < count; ++i) {
      auto token = static_cast<int32_t>(pairs[2 * i + 1]);
      assert(token >= 0 && token < shared->code().vocabulary);
      argMax(wantedRows[first + i], token);
    }
  });
}

}  // namespace gemma
