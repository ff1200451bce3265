#include "predict/text_classification.h"

#include "base/error.h"
#include "predict/scores.h"

namespace hone {

std::vector<std::string> stored_labels(const Json& config, std::string_view source) {
  const Json* names = config.find("id2label");
  std::vector<std::string> labels;
  if (names == nullptr || names->is_null()) return labels;
  const std::size_t count = names->as_object().size();
  for (std::size_t i = 0; i < count; ++i) {
    const Json* name = names->find(std::to_string(i));
    if (name == nullptr) {
      fail(ErrorKind::data, "{}: id2label has {} names but none for {}; expected the numbers from 0 on", source, count,
           i);
    }
    labels.push_back(name->as_string());
  }
  if (labels.empty()) fail(ErrorKind::data, "{}: id2label has no names", source);
  return labels;
}

std::vector<std::string> read_labels(const Json& config, std::string_view source) {
  std::vector<std::string> labels = stored_labels(config, source);
  if (!labels.empty()) return labels;
  const Json* count = config.find("num_labels");
  const std::int64_t wanted = count == nullptr ? 2 : count->as_integer();
  if (wanted < 1 || wanted > 1'000'000) {
    fail(ErrorKind::data, "{}: num_labels is {}, expected from 1 to 1000000", source, wanted);
  }
  for (std::int64_t i = 0; i < wanted; ++i) labels.push_back(fmt::format("LABEL_{}", i));
  return labels;
}

ScoreFunction score_function(const Json& config, std::size_t labels, std::string_view source) {
  const Json* type = config.find("problem_type");
  if (type != nullptr && !type->is_null()) {
    const std::string& name = type->as_string();
    if (name == "regression") return ScoreFunction::none;
    if (name == "multi_label_classification") return ScoreFunction::sigmoid;
    if (name != "single_label_classification") {
      fail(ErrorKind::data,
           "{}: problem_type is {}, expected regression, single_label_classification or "
           "multi_label_classification",
           source, name);
    }
  }
  return labels == 1 ? ScoreFunction::sigmoid : ScoreFunction::softmax;
}

std::vector<LabelScore> classify_text(std::span<const float> logits, std::span<const std::string> labels,
                                      ScoreFunction function, std::size_t top_k) {
  if (logits.size() != labels.size() || labels.empty()) {
    fail(ErrorKind::data, "the model gives {} logits for {} labels", logits.size(), labels.size());
  }
  std::vector<float> scores(logits.begin(), logits.end());
  if (function == ScoreFunction::softmax) scores = softmax(logits);
  if (function == ScoreFunction::sigmoid) scores = sigmoid(logits);
  std::vector<LabelScore> best;
  for (const std::size_t place : greatest(scores, top_k)) best.push_back({labels[place], scores[place]});
  return best;
}

Json to_json(std::span<const LabelScore> scores) {
  Json list = Json::array();
  for (const LabelScore& score : scores) {
    list.push_back(Json::Object{{"label", score.label}, {"score", static_cast<double>(score.score)}});
  }
  return list;
}

}  // namespace hone
