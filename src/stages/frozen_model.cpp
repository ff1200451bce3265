#include "stages/frozen_model.h"

#include "base/error.h"
#include "stages/model_directory.h"
#include "text/tokenizer_json.h"

namespace hone {

namespace {

void check_tokenizer(const Tokenizer& own, const Tokenizer& other, const std::string& key, const std::string& place) {
  if (own.vocab_size() != other.vocab_size()) {
    fail(ErrorKind::config, "{}: the tokenizer of {} has {} tokens and this run's has {}: expected the same tokenizer",
         key, place, other.vocab_size(), own.vocab_size());
  }
  for (std::int32_t id = 0; id < static_cast<std::int32_t>(own.vocab_size()); ++id) {
    if (own.id_to_bytes(id) == other.id_to_bytes(id)) continue;
    fail(ErrorKind::config, "{}: token {} is '{}' for the model in {} and '{}' in this run: expected the same tokenizer",
         key, id, other.id_to_token(id), place, own.id_to_token(id));
  }
}

}  // namespace

std::unique_ptr<Model> load_frozen(const Run& run, const std::string& stage_or_directory, const std::string& key) {
  const std::filesystem::path place = run.model_place(stage_or_directory);
  check_tokenizer(*run.tokenizer, *load_tokenizer(place), key, place.string());
  const std::unique_ptr<PolicySpec> spec = read_policy_spec(place, *run.catalogs);
  auto frozen = std::make_unique<Model>(*spec, HeadPlan{}, run.compute, WeightUse::compute);
  load_weights(*frozen, place);
  return frozen;
}

}  // namespace hone
