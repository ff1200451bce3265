#pragma once

#include <filesystem>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "base/json.h"

namespace hone {

/// How the hidden states of a text's tokens become one vector; the names are those of sentence-transformers.
enum class PoolingMode {
  cls,  ///< the first token
  max,  ///< the greatest, by dimension
  mean,
  mean_sqrt_len_tokens,  ///< sum / √tokens
  weightedmean,          ///< token i (from 1) counts i times
  lasttoken,
};

/// Pooling and what follows it. Several modes give vectors one behind the other.
struct PoolingPlan {
  std::vector<PoolingMode> modes = {PoolingMode::mean};
  bool normalize = false;                  ///< to length 1 at the end
  bool include_prompt = true;              ///< whether tokens of an instruction before the text count
  std::optional<std::int64_t> dimension;   ///< of a hidden state, when the description says it
  std::optional<std::int64_t> max_tokens;  ///< texts are cut there
  bool lower_case = false;                 ///< texts are lower-cased before the tokenizer

  static PoolingMode parse_mode(std::string_view name);  ///< Error{config} with the known names
};

/// Reads modules.json, the Pooling module's config.json (flags of version 2 and names of version 5), Normalize and
/// sentence_bert_config.json of a sentence-transformers directory; nothing when there is no modules.json. Error{data}
/// names a module (Dense, WeightedLayerPooling, …) or an order of modules that is not supported.
std::optional<PoolingPlan> read_pooling_plan(const std::filesystem::path& directory);

/// Writes what read_pooling_plan reads, for sentence-transformers too, into a model's directory.
void write_pooling_plan(const PoolingPlan& plan, const std::filesystem::path& directory);

/// The vector of a text: hidden_TH are its tokens' last hidden states without padding; the first `prompt_tokens` are
/// those of the instruction. Error{data} when no token is left or H does not divide the size.
std::vector<float> pool(const PoolingPlan& plan, std::span<const float> hidden_TH, std::size_t dimension,
                        std::size_t prompt_tokens = 0);

/// In place to length 1; vectors shorter than 1e-12 are divided by that.
void normalize(std::span<float> vector);
/// Of vectors of equal size.
float cosine_similarity(std::span<const float> a, std::span<const float> b);

/// [[…], …]: rows of numbers, as feature extraction and embeddings are written.
Json rows_to_json(std::span<const float> rows, std::size_t columns);

}  // namespace hone
