#pragma once

#include "base/json.h"

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace hone {

/// generation_config.json: how a model's publisher wants it to be sampled. What is not set is not in the file.
struct GenerationConfig {
  std::optional<bool> do_sample;
  std::optional<double> temperature;         ///< ≥ 0
  std::optional<std::int64_t> top_k;         ///< 0: all
  std::optional<double> top_p;               ///< in (0, 1]
  std::optional<double> min_p;               ///< in [0, 1]
  std::optional<double> repetition_penalty;  ///< > 0
  std::optional<std::int64_t> no_repeat_ngram_size;
  std::optional<std::int64_t> max_new_tokens;
  std::optional<std::int64_t> max_length;  ///< of prompt and answer together
  std::optional<std::int64_t> min_new_tokens;
  std::optional<std::int64_t> min_length;  ///< of prompt and answer together
  std::optional<std::int64_t> num_beams;
  std::optional<double> length_penalty;
  std::optional<bool> early_stopping;
  bool never_stops_early = false;  ///< early_stopping is "never"
  std::optional<std::int64_t> bos_token_id;
  std::optional<std::int64_t> pad_token_id;
  std::optional<std::int64_t> decoder_start_token_id;
  std::vector<std::int64_t> eos_token_ids;  ///< any of them ends an answer
  /// Keys that change what is generated and are none of the above, for a warning.
  std::vector<std::string> not_honoured;
};

/// Reads <directory>/generation_config.json; without that file nothing is set. Error{data} that names the file and
/// the key for a value of the wrong type or out of range.
GenerationConfig read_generation_config(const std::filesystem::path& directory);

/// The same of a file's contents; `source` is what messages name.
GenerationConfig read_generation_config(const Json& json, const std::string& source);

/// The same file as it stands there, for writing it again; null without one. Error{data} unless it is an object.
Json stored_generation_config(const std::filesystem::path& directory);

/// What transformers writes: the values of `stored` (null: there are none) and those of `ids` for keys that it lacks, by
/// name, without those that are null.
Json generation_config_json(const Json& stored, const Json& ids);

}  // namespace hone
