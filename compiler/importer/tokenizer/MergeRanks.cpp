// SPDX-License-Identifier: Apache-2.0
// The merge list -> scores rule. See the header for why it is exact.
#include "compiler/importer/tokenizer/MergeRanks.h"

#include <cstdint>
#include <string>
#include <unordered_map>

namespace gemmac::importer {

Result<void> scoreByMerges(TokenizerModel &model,
                           const std::vector<TokenizerMerge> &merges) {
  std::unordered_map<std::string_view, size_t> index;
  index.reserve(model.pieces.size());
  for (size_t id = 0; id < model.pieces.size(); ++id)
    index.try_emplace(model.pieces[id].text, id);
  // Where the tab has no piece of its own, merges name that of its byte so.
  if (auto tab = index.find("<0x09>"); tab != index.end())
    index.try_emplace("\t", tab->second);

  constexpr int32_t none = -1;
  std::vector<int32_t> ranks(model.pieces.size(), none);
  int32_t next = 0;
  std::string made;
  for (size_t i = 0; i < merges.size(); ++i) {
    auto [left, right] = merges[i];
    made.assign(left).append(right);
    auto at = index.find(made);
    if (at == index.end() || !index.count(left) || !index.count(right))
      return Failure{"tokenizer: merge " + std::to_string(i) + " of " +
                     quotePiece(left) + " and " + quotePiece(right) +
                     ": expected both and their union among the pieces, found "
                     "one that is not"};
    if (ranks[at->second] == none) ranks[at->second] = next++;
  }
  for (size_t id = 0; id < model.pieces.size(); ++id) {
    TokenizerPiece &piece = model.pieces[id];
    bool scored = piece.type == PieceType::Normal;
    int32_t rank = ranks[id] == none ? next : ranks[id];
    piece.score = scored ? -static_cast<float>(rank) : 0.0f;
  }
  return {};
}

}  // namespace gemmac::importer
