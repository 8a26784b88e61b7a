// SPDX-License-Identifier: Apache-2.0
// Scores against the same questions asked of a plain array.
#include "runtime/generation/Scores.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <random>

namespace gemma {
namespace {

// Logits with NaN and ties, and changes up and down, beside what they amount
// to.
struct Case {
  Case(size_t count, uint32_t seed) : logits(count), plain(count) {
    std::mt19937 generator(seed);
    std::normal_distribution<float> normal(0, 3);
    for (float &logit : logits) {
      logit = normal(generator);
      if (seed % 2) logit = std::round(logit);
      if (generator() % 9 == 0) logit = NAN;
    }
    scores.load(logits);
    for (size_t i = 0; i < count; ++i)
      plain[i] = std::isnan(logits[i]) ? Scores::kNever : logits[i];
    for (size_t i = 0; i < count / 5; ++i) {
      auto id = static_cast<int32_t>(generator() % count);
      double score = i % 4 ? normal(generator) : Scores::kNever;
      plain[id] = scores.change(id)->score = score;
    }
    scores.findMaxima();
    largest = *std::max_element(plain.begin(), plain.end());
  }

  std::vector<float> logits;
  std::vector<double> plain;
  Scores scores;
  double largest;
};

constexpr size_t kCounts[] = {1, 5, 63, 64, 65, 500, 7000};

TEST(Scores, FindTheLargestAndItsLowestId) {
  for (size_t count : kCounts)
    for (uint32_t seed = 0; seed < 20; ++seed) {
      Case it(count, seed);
      EXPECT_EQ(it.scores.largest(), it.largest);
      auto first = std::find(it.plain.begin(), it.plain.end(), it.largest);
      EXPECT_EQ(it.scores.argMax(), first - it.plain.begin())
          << count << " scores, seed " << seed;
    }
  Scores none;
  std::vector<float> nan(100, NAN);
  none.load(nan);
  none.findMaxima();
  EXPECT_EQ(none.argMax(), 0);
}

TEST(Scores, CollectWhatReachesALimit) {
  for (size_t count : kCounts)
    for (double least : {Scores::kNever, -1.0, 2.0, 6.0}) {
      Case it(count, 3);
      std::vector<Candidate> found;
      it.scores.collect(least, found);
      std::sort(found.begin(), found.end(),
                [](auto &a, auto &b) { return a.id < b.id; });
      size_t at = 0;
      for (size_t i = 0; i < count; ++i) {
        if (!(it.plain[i] >= least) || it.plain[i] == Scores::kNever) continue;
        ASSERT_LT(at, found.size());
        EXPECT_EQ(found[at].id, static_cast<int32_t>(i));
        EXPECT_EQ(found[at++].score, it.plain[i]);
      }
      EXPECT_EQ(at, found.size());
    }
}

TEST(Scores, HaveAsManyAsAskedFrom) {
  for (size_t count : kCounts)
    for (size_t k : {1, 2, 50, 1000}) {
      Case it(count, 4);
      double least = it.scores.belowKth(k);
      auto reached =
          std::count_if(it.plain.begin(), it.plain.end(),
                        [&](double score) { return score >= least; });
      EXPECT_GE(static_cast<size_t>(reached), std::min(k, count));
    }
  // Few more than asked for, or nothing is won.
  Case it(7000, 4);
  std::vector<Candidate> found;
  it.scores.collect(it.scores.belowKth(50), found);
  EXPECT_LT(found.size(), 120u);
}

TEST(Scores, SumTheirWeights) {
  for (size_t count : kCounts)
    for (double temperature : {0.05, 0.7, 2.0}) {
      Case it(count, 5);
      if (it.largest == Scores::kNever) continue;
      double sum = 0;
      for (double score : it.plain)
        sum += std::exp((score - it.largest) / temperature);
      EXPECT_NEAR(it.scores.weigh(it.largest, temperature) / sum, 1.0, 1e-5);
    }
}

TEST(Scores, AreDrawnByWeight) {
  Case it(500, 6);
  double total = it.scores.weigh(it.largest, 1.0);
  constexpr int kDraws = 20000;
  std::vector<double> share(500);
  for (int i = 0; i < kDraws; ++i)
    share[it.scores.at((i + 0.5) / kDraws * total, it.largest, 1.0)] +=
        1.0 / kDraws;
  for (size_t i = 0; i < share.size(); ++i)
    EXPECT_NEAR(share[i], std::exp(it.plain[i] - it.largest) / total,
                1.5 / kDraws)
        << i;
  EXPECT_EQ(it.scores.at(2 * total, it.largest, 1.0), it.scores.argMax());
}

TEST(Scores, ForgetTheChangesOfTheStepBefore) {
  std::vector<float> logits(200);
  logits[70] = 3;
  Scores scores;
  scores.load(logits);
  scores.change(70)->score = -1;
  scores.findMaxima();
  EXPECT_EQ(scores.argMax(), 0);
  scores.load(logits);
  scores.findMaxima();
  EXPECT_EQ(scores.argMax(), 70);
  EXPECT_EQ(scores.change(200), nullptr);
  EXPECT_EQ(scores.change(-1), nullptr);
}

}  // namespace
}  // namespace gemma
