#include "io/generation_config.h"

#include "base/error.h"
#include "base/fields.h"
#include "io/file.h"

#include <algorithm>
#include <array>
#include <map>

namespace hone {
namespace {

/// Keys that record where the file comes from, or how to compute, not what.
constexpr std::array<std::string_view, 14> kWithoutEffect = {
    "_from_model_config",      "transformers_version", "use_cache",
    "cache_implementation",    "cache_config",         "output_attentions",
    "output_hidden_states",    "output_scores",        "output_logits",
    "return_dict_in_generate", "return_legacy_cache",  "prefill_chunk_size",
    "disable_compile",         "chat_format"};
/// Values of other keys that ask for nothing.
constexpr std::array<std::pair<std::string_view, double>, 8> kNeutral = {{{"num_beam_groups", 1},
                                                                          {"diversity_penalty", 0},
                                                                          {"typical_p", 1},
                                                                          {"epsilon_cutoff", 0},
                                                                          {"eta_cutoff", 0},
                                                                          {"encoder_repetition_penalty", 1},
                                                                          {"encoder_no_repeat_ngram_size", 0},
                                                                          {"num_return_sequences", 1}}};

class Reader {
 public:
  Reader(const Json& json, std::string source) : json_(json), source_(std::move(source)) {
    if (!json.is_object()) fail(ErrorKind::data, "{}: expected an object, not {}", source_, json.type_name());
  }

  void read(std::string_view key, std::optional<bool>& value) {
    if (const Json* found = find(key)) {
      if (!found->is_bool()) refuse(key, *found, "true or false");
      value = found->as_bool();
    }
  }
  void read(std::string_view key, std::optional<double>& value, const Range& range) {
    if (const Json* found = find(key)) {
      if (!found->is_number() || !range.contains(found->as_number())) refuse(key, *found, "a number " + range.text());
      value = found->as_number();
    }
  }
  void read(std::string_view key, std::optional<std::int64_t>& value, std::int64_t least) {
    if (const Json* found = find(key)) value = whole(key, *found, least);
  }
  void read_ids(std::string_view key, std::vector<std::int64_t>& ids) {
    const Json* found = find(key);
    if (found == nullptr) return;
    if (!found->is_array()) return ids.push_back(whole(key, *found, 0));
    for (const Json& id : found->as_array()) ids.push_back(whole(key, id, 0));
  }

  std::vector<std::string> others() const {
    std::vector<std::string> names;
    for (const auto& [key, value] : json_.as_object()) {
      const bool unset = value.is_null() || value == Json(false) || value == Json::array() || value == Json::object();
      if (!unset && !is_known(key) && !is_neutral(key, value)) names.push_back(key);
    }
    return names;
  }

 private:
  const Json* find(std::string_view key) {
    read_.emplace_back(key);
    const Json* value = json_.find(key);
    return value == nullptr || value->is_null() ? nullptr : value;
  }
  std::int64_t whole(std::string_view key, const Json& value, std::int64_t least) const {
    if (!value.is_integer() || value.as_integer() < least)
      refuse(key, value, fmt::format("a whole number from {} on", least));
    return value.as_integer();
  }
  [[noreturn]] void refuse(std::string_view key, const Json& value, std::string_view expected) const {
    fail(ErrorKind::data, "{}: {} is {}, expected {}", source_, key, value.dump(), expected);
  }
  bool is_known(const std::string& key) const {
    return std::find(read_.begin(), read_.end(), key) != read_.end() ||
           std::find(kWithoutEffect.begin(), kWithoutEffect.end(), key) != kWithoutEffect.end();
  }
  static bool is_neutral(const std::string& key, const Json& value) {
    return std::any_of(kNeutral.begin(), kNeutral.end(), [&](const auto& neutral) {
      return neutral.first == key && value.is_number() && value.as_number() == neutral.second;
    });
  }

  const Json& json_;
  std::string source_;
  std::vector<std::string> read_;
};

}  // namespace

GenerationConfig read_generation_config(const std::filesystem::path& directory) {
  const std::filesystem::path file = directory / "generation_config.json";
  if (!std::filesystem::exists(file)) return {};
  return read_generation_config(Json::parse(read_file(file), file.string()), file.string());
}

GenerationConfig read_generation_config(const Json& json, const std::string& source) {
  GenerationConfig config;
  Reader reader(json, source);
  reader.read("do_sample", config.do_sample);
  reader.read("temperature", config.temperature, at_least(0));
  reader.read("top_k", config.top_k, 0);
  reader.read("top_p", config.top_p, Range{.low = 0, .high = 1, .open_low = true});
  reader.read("min_p", config.min_p, between(0, 1));
  reader.read("repetition_penalty", config.repetition_penalty, above(0));
  reader.read("no_repeat_ngram_size", config.no_repeat_ngram_size, 0);
  reader.read("max_new_tokens", config.max_new_tokens, 1);
  reader.read("max_length", config.max_length, 1);
  reader.read("min_new_tokens", config.min_new_tokens, 0);
  reader.read("min_length", config.min_length, 0);
  reader.read("num_beams", config.num_beams, 1);
  reader.read("length_penalty", config.length_penalty, Range{});
  const Json* early = json.find("early_stopping");
  config.never_stops_early = early != nullptr && *early == Json("never");
  if (!config.never_stops_early) reader.read("early_stopping", config.early_stopping);
  reader.read("bos_token_id", config.bos_token_id, 0);
  reader.read("pad_token_id", config.pad_token_id, 0);
  reader.read("decoder_start_token_id", config.decoder_start_token_id, 0);
  reader.read_ids("eos_token_id", config.eos_token_ids);
  config.not_honoured = reader.others();
  if (config.never_stops_early) std::erase(config.not_honoured, "early_stopping");
  return config;
}

Json stored_generation_config(const std::filesystem::path& directory) {
  const std::filesystem::path file = directory / "generation_config.json";
  if (!std::filesystem::exists(file)) return {};
  Json json = Json::parse(read_file(file), file.string());
  if (!json.is_object()) fail(ErrorKind::data, "{}: expected an object, not {}", file.string(), json.type_name());
  return json;
}

Json generation_config_json(const Json& stored, const Json& ids) {
  std::map<std::string, Json> values;
  for (const Json* source : {&stored, &ids}) {
    if (source->is_null()) continue;
    for (const auto& [key, value] : source->as_object()) {
      if (!value.is_null()) values.emplace(key, value);
    }
  }
  return Json(Json::Object(values.begin(), values.end()));
}

}  // namespace hone
