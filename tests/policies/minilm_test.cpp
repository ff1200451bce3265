#include <cstdlib>

#include "policies/architectures.h"
#include "predict/pooling.h"
#include "text/tokenizer_json.h"

using namespace hone;
using namespace hone::test;

namespace {

std::vector<float> embedding_of(Model& model, const Ids& ids) {
  const at::NoGradGuard no_grad;
  const kernels::AttentionPlan plan = plan_of({static_cast<std::int32_t>(ids.size())});
  const at::Tensor hidden_TD = model.policy->hidden(int_tensor(ids), {.plan = &plan}).contiguous();
  const std::span<const float> values(hidden_TD.const_data_ptr<float>(), static_cast<std::size_t>(hidden_TD.numel()));
  std::vector<float> vector = pool({.modes = {PoolingMode::mean}}, values, static_cast<std::size_t>(hidden_TD.size(1)));
  normalize(vector);
  return vector;
}

}  // namespace

TEST_CASE("policies: the trained MiniLM encoder gives the sentence embeddings of transformers") {
  const char* place = std::getenv("HONE_MINILM");
  if (place == nullptr) {
    MESSAGE("skipped: HONE_MINILM is not set");
    return;
  }
  const Json golden = committed_golden("minilm.json");
  const std::unique_ptr<Model> model = open_model(place);
  const std::unique_ptr<Tokenizer> tokenizer = load_tokenizer(place);
  double worst = 0;
  std::vector<std::vector<float>> vectors;
  for (const Json& sentence : golden.at("sentences").as_array()) {
    const Ids ids = ids_of(sentence.at("ids"));
    CHECK(tokenizer->encode(sentence.at("text").as_string(), AddSpecial::yes) == ids);
    vectors.push_back(embedding_of(*model, ids));
    const Json::Array& first = sentence.at("embedding").as_array();
    for (std::size_t i = 0; i < first.size(); ++i) {
      worst = std::max(worst, std::abs(first[i].as_number() - static_cast<double>(vectors.back()[i])));
    }
  }
  CHECK(worst <= 1e-5);
  MESSAGE("largest difference of an embedding's value: " << worst);
  const Json::Array& cosines = golden.at("cosines").as_array();
  for (std::size_t i = 0; i < vectors.size(); ++i) {
    for (std::size_t k = 0; k < vectors.size(); ++k) {
      const double expected = cosines[i].as_array()[k].as_number();
      CHECK(std::abs(static_cast<double>(cosine_similarity(vectors[i], vectors[k])) - expected) <= 1e-5);
    }
  }
}
