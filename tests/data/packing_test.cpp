#include "data/packing.h"

#include <doctest/doctest.h>

namespace hone {

using Ids = std::vector<std::int32_t>;
using Longs = std::vector<std::int64_t>;
using Mask = std::vector<float>;

namespace {

const std::vector<TokenExample> examples = {
    {.ids = {5, 6, 7}, .row = 0},
    {.ids = {8, 9}, .row = 1},
    {.ids = {1, 2, 3, 4, 9}, .context_tokens = 3, .row = 2},
    {.ids = {4}, .row = 3},
};

}  // namespace

TEST_CASE("data: sequences are packed end to end, each row with the next id as its target") {
  const PackedRows packed = pack(examples, std::vector<std::uint64_t>{0, 1});
  CHECK(packed.ids_T == Ids{5, 6, 7, 8, 9});
  CHECK(packed.position_T == Ids{0, 1, 2, 0, 1});
  CHECK(packed.start_S1 == Ids{0, 3, 5});
  CHECK(packed.target_T == Longs{6, 7, 0, 9, 0});
  CHECK(packed.mask_T == Mask{1, 1, 0, 1, 0});
  CHECK(packed.group_S == Longs{0, 1});
  CHECK(packed.target_S.empty());
  CHECK(packed.pair_S.empty());
  CHECK(packed.tokens() == 5);
  CHECK(packed.sequences() == 2);
  CHECK(packed.target_tokens() == 3);
}

TEST_CASE("data: rows that predict context do not count; the last context row predicts the completion") {
  const PackedRows packed = pack(examples, std::vector<std::uint64_t>{3, 2});
  CHECK(packed.ids_T == Ids{4, 1, 2, 3, 4, 9});
  CHECK(packed.target_T == Longs{0, 0, 0, 4, 9, 0});
  CHECK(packed.mask_T == Mask{0, 0, 0, 1, 1, 0});
  CHECK(packed.start_S1 == Ids{0, 1, 6});
  CHECK(packed.target_tokens() == examples[2].target_tokens() + examples[3].target_tokens());
  CHECK(pack(examples, {}).sequences() == 0);
}

TEST_CASE("data: labels become class ids of the sequences") {
  const std::vector<TokenExample> labelled = {{.ids = {1, 2}, .context_tokens = 2, .label = 1},
                                              {.ids = {3}, .context_tokens = 1, .label = 0}};
  const PackedRows packed = pack(labelled, std::vector<std::uint64_t>{1, 0, 1});
  CHECK(packed.target_S == Longs{0, 1, 0});
  CHECK(packed.target_tokens() == 0);
}

TEST_CASE("data: sources are packed beside their targets") {
  const std::vector<TokenExample> translated = {{.ids = {0, 7, 8}, .context_tokens = 1, .source_ids = {3, 4}},
                                                {.ids = {0, 9}, .context_tokens = 1, .source_ids = {5, 6, 2}}};
  const PackedRows packed = pack(translated, std::vector<std::uint64_t>{1, 0, 1});
  CHECK(packed.ids_T == Ids{0, 9, 0, 7, 8, 0, 9});
  CHECK(packed.target_T == Longs{9, 0, 7, 8, 0, 9, 0});
  CHECK(packed.mask_T == Mask{1, 0, 1, 1, 0, 1, 0});
  CHECK(packed.source_ids_U == Ids{5, 6, 2, 3, 4, 5, 6, 2});
  CHECK(packed.source_position_U == Ids{0, 1, 2, 0, 1, 0, 1, 2});
  CHECK(packed.source_start_S1 == Ids{0, 3, 5, 8});
  CHECK(translated[0].tokens() == 5);
  CHECK(pack(examples, std::vector<std::uint64_t>{0}).source_start_S1.empty());
}

TEST_CASE("data: values, tags, answer spans and token types go along") {
  const std::vector<TokenExample> rated = {{.ids = {1, 2}, .context_tokens = 2, .values = {0.5F, 1.0F}},
                                           {.ids = {3}, .context_tokens = 1, .values = {2.0F, 3.0F}, .type_ids = {1}}};
  const PackedRows packed = pack(rated, std::vector<std::uint64_t>{0, 1, 0});
  CHECK(packed.target_SC == std::vector<float>{0.5F, 1.0F, 2.0F, 3.0F, 0.5F, 1.0F});
  CHECK(packed.type_T == Ids{0, 0, 1, 0, 0});
  CHECK(packed.mask_T == Mask{0, 0, 0, 0, 0});
  CHECK(pack(rated, std::vector<std::uint64_t>{0}).type_T.empty());

  const std::vector<TokenExample> tagged = {{.ids = {4, 5, 6}, .tags = {-1, 2, 0}}, {.ids = {7}, .tags = {-1}}};
  CHECK(tagged[0].target_tokens() == 2);
  CHECK(tagged[1].target_tokens() == 0);
  const PackedRows tags = pack(tagged, std::vector<std::uint64_t>{1, 0});
  CHECK(tags.target_T == Longs{0, 0, 2, 0});
  CHECK(tags.mask_T == Mask{0, 0, 1, 1});

  const std::vector<TokenExample> asked = {{.ids = {1, 2, 3}, .context_tokens = 3, .span = {{1, 2}}},
                                           {.ids = {4, 5}, .context_tokens = 2, .span = {{0, 0}}}};
  CHECK(pack(asked, std::vector<std::uint64_t>{1, 0}).span_S2 == Ids{0, 0, 3, 4});
}

TEST_CASE("data: the sequences of a pair name each other") {
  const PackedRows packed = pack_pairs(examples, std::vector<std::uint64_t>{1, 0});
  CHECK(packed.ids_T == Ids{1, 2, 3, 4, 9, 4, 5, 6, 7, 8, 9});
  CHECK(packed.start_S1 == Ids{0, 5, 6, 9, 11});
  CHECK(packed.pair_S == Longs{1, 0, 3, 2});
}

TEST_CASE("data: rows that are not learned stand between rows that are") {
  const std::vector<TokenExample> turns = {{.ids = {1, 2, 3, 4, 5}, .context_tokens = 1, .learned = {0, 1, 0, 0, 1}}};
  const PackedRows packed = pack(turns, std::vector<std::uint64_t>{0});
  CHECK(packed.mask_T == std::vector<float>{1, 0, 0, 1, 0});
  CHECK(packed.target_T == Longs{2, 0, 0, 5, 0});
  CHECK(turns[0].target_tokens() == 2);
  const auto blocks = cut_into_blocks({.ids = {1, 2, 3, 4, 5}, .learned = {0, 1, 0, 0, 1}}, 3);
  REQUIRE(blocks.size() == 2);
  CHECK(blocks[0].learned == std::vector<std::uint8_t>{0, 1, 0});
  CHECK(blocks[1].learned == std::vector<std::uint8_t>{0, 0, 1});
}

TEST_CASE("data: blocks share one token, so every token but the first is predicted once") {
  const Ids ids = {0, 1, 2, 3, 4, 5, 6};
  const auto blocks = cut_into_blocks({.ids = ids, .row = 9}, 3);
  REQUIRE(blocks.size() == 3);
  CHECK(blocks[0].ids == Ids{0, 1, 2});
  CHECK(blocks[1].ids == Ids{2, 3, 4});
  CHECK(blocks[2].ids == Ids{4, 5, 6});
  CHECK(blocks[1].row == 9);
  CHECK(cut_into_blocks({.ids = ids}, 4).back().ids == Ids{3, 4, 5, 6});
  CHECK(cut_into_blocks({.ids = ids}, 6).back().ids == Ids{5, 6});
  CHECK(cut_into_blocks({.ids = ids}, 7).size() == 1);
  CHECK(cut_into_blocks({.ids = {1}}, 7).empty());
  CHECK(cut_into_blocks({}, 7).empty());
  for (const std::int64_t context : {2, 3, 5}) {
    std::int64_t targets = 0;
    for (const auto& block : cut_into_blocks({.ids = ids}, context)) targets += block.target_tokens();
    CHECK(targets == 6);
  }
}

}  // namespace hone
