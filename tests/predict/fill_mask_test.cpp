#include "predict/fill_mask.h"

#include "golden_numbers.h"
#include "support/committed_golden.h"
#include "support/error_of.h"
#include "text/byte_tokenizer.h"

#include <doctest/doctest.h>

namespace hone {
namespace {

/// The Letters tokenizer of tools/golden/pipelines.py.
std::string letters(std::span<const std::int32_t> ids, SkipSpecial skip) {
  std::string text;
  for (const std::int32_t id : ids) {
    if (id >= 3) {
      text += static_cast<char>('a' + id);
    } else if (skip == SkipSpecial::no) {
      text += "_#^"[id];
    }
  }
  return text;
}

}  // namespace

TEST_CASE("predict: masks are filled as by transformers' fill-mask") {
  const Json golden = test::committed_golden("pipelines.json");
  for (const Json& test : golden.at("fill_mask").as_array()) {
    INFO(test.dump());
    const FillMaskSettings settings{.top_k = static_cast<std::size_t>(test.at("top_k").as_integer()),
                                    .targets = test::ids_of(test.at("targets"))};
    const auto found =
        fill_masks(test::ids_of(test.at("ids")), 1, 0, test::floats_of(test.at("logits")), settings, letters);
    test::check_json_near(to_json(found), test.at("expected"));
  }
}

TEST_CASE("predict: targets are tokens, the first token of a word, and each once") {
  const auto bytes = byte_tokenizer();
  const std::vector<std::string> words{"a", "bc", "b", "<|eos|>"};
  CHECK(fill_mask_targets(words, *bytes) == std::vector<std::int32_t>{'a', 'b', 256});
  const std::vector<std::string> empty{""};
  HONE_CHECK_ERROR(config, fill_mask_targets(empty, *bytes), "no tokens");
}

TEST_CASE("predict: a text without a mask and rows that do not fit are refused") {
  const std::vector<std::int32_t> ids{2, 1, 3, 1};
  HONE_CHECK_ERROR(data, mask_places(ids, 9), "no mask token", "id 9");
  CHECK(mask_places(ids, 1) == std::vector<std::size_t>{1, 3});
  HONE_CHECK_ERROR(data, fill_masks(ids, 1, 0, std::vector<float>(7), {}, letters), "7 logits for 2 masks");
  HONE_CHECK_ERROR(config, fill_masks(ids, 1, 0, std::vector<float>(8), {.targets = {4}}, letters), "target id 4");
}

}  // namespace hone
