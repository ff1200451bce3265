#include "app/predict_tasks.h"

#include <algorithm>
#include <array>

#include "app/text_tasks.h"
#include "base/error.h"
#include "predict/fill_mask.h"
#include "predict/pooling.h"
#include "predict/question_answering.h"
#include "predict/scores.h"
#include "predict/text_classification.h"
#include "predict/token_classification.h"
#include "text/chat_format.h"

namespace hone {

namespace {

/// The text of an input: a string, or the member of that name.
const std::string& text_of(const Json& input, const char* key) {
  return input.is_string() ? input.as_string() : input.at(key).as_string();
}

EncodedText encoded(const TaskModel& model, const Json& input) {
  if (const Json* messages = input.is_object() ? input.find("messages") : nullptr; messages != nullptr) {
    const Json* tools = input.find("tools");
    EncodedText chat;
    chat.ids = encode_chat(*model.tokenizer, {*messages, tools == nullptr ? Json() : *tools}, GenerationPrompt::no,
                           "the conversation");
    chat.type_ids.resize(chat.ids.size());
    return chat;
  }
  const std::string& first = text_of(input, "text");
  const Json* second = input.find("text_pair");
  TextPair texts{first, std::nullopt};
  if (second != nullptr) texts.second = second->as_string();
  return model.tokenizer->encode_with_offsets(texts);
}

PredictTask text_classification(const TaskModel& model, const PredictOptions& options) {
  model.require_head(HeadKind::classes, "text-classification");
  const std::vector<std::string> labels = read_labels(model.config, model.directory);
  const ScoreFunction function = score_function(model.config, labels.size(), model.directory);
  const auto top_k = static_cast<std::size_t>(options.top_k == 0 ? 1 : options.top_k);
  return [&model, labels, function, top_k](const Json& input) {
    const EncodedText text = encoded(model, input);
    const at::Tensor logits = model.scores(model.hidden(text.ids, text.type_ids));
    return to_json(classify_text(floats_of(logits), labels, function, top_k));
  };
}

Aggregation aggregation_named(const std::string& name) {
  constexpr std::array<std::string_view, 5> names = {"none", "simple", "first", "average", "max"};
  const auto* found = std::find(names.begin(), names.end(), name);
  if (found == names.end()) fail(ErrorKind::usage, "--aggregation is '{}', expected none, simple, first, average or max", name);
  return static_cast<Aggregation>(found - names.begin());
}

PredictTask token_classification(const TaskModel& model, const PredictOptions& options) {
  model.require_head(HeadKind::tokens, "token-classification");
  TokenClassifier classifier{.labels = read_labels(model.config, model.directory),
                             .aggregation = aggregation_named(options.aggregation)};
  classifier.marks_subwords = model.tokenizer->token_to_id("##s").has_value();
  const Tokenizer& tokenizer = *model.tokenizer;
  classifier.join = [&tokenizer](std::span<const std::string> spellings) {
    std::vector<std::int32_t> ids;
    for (const std::string& spelling : spellings) {
      if (const auto id = tokenizer.token_to_id(spelling)) ids.push_back(*id);
    }
    return tokenizer.decode(ids);
  };
  return [&model, classifier](const Json& input) {
    const std::string& whole = text_of(input, "text");
    const EncodedText text = model.tokenizer->encode_with_offsets({whole, std::nullopt});
    const at::Tensor logits = model.scores(model.hidden(text.ids, text.type_ids));
    std::vector<TaggedToken> tokens;
    for (std::size_t i = 0; i < text.ids.size(); ++i) {
      tokens.push_back({.spelling = model.tokenizer->id_to_token(text.ids[i]),
                        .begin = text.offsets[i].begin,
                        .end = text.offsets[i].end,
                        .special = text.sequence[i] < 0,
                        .unknown = text.ids[i] == model.tokenizer->unk_id()});
    }
    return to_json(find_entities(classifier, {whole, tokens, floats_of(logits)}));
  };
}

PredictTask fill_mask(const TaskModel& model, const PredictOptions& options) {
  if (!model.tokenizer->mask_id()) fail(ErrorKind::data, "{}: the tokenizer has no mask token", model.directory);
  if (!model.model->policy->lm_head().defined()) {
    fail(ErrorKind::data, "{}: fill-mask needs a model of the class …ForMaskedLM", model.directory);
  }
  const auto top_k = static_cast<std::size_t>(options.top_k == 0 ? 5 : options.top_k);
  return [&model, top_k](const Json& input) {
    const Tokenizer& tokenizer = *model.tokenizer;
    const TextPair text{text_of(input, "text"), std::nullopt};
    // The mask is spelled in the text, so what looks like a special token is one.
    const EncodedText parsed = tokenizer.encode_with_offsets(text, AddSpecial::yes, SpecialTokens::parse);
    std::vector<std::int64_t> rows;
    for (const std::size_t place : mask_places(parsed.ids, *tokenizer.mask_id())) rows.push_back(static_cast<std::int64_t>(place));
    const at::Tensor hidden_MD =
        model.hidden(parsed.ids, parsed.type_ids).index_select(0, at::tensor(rows, at::kLong));
    const at::Tensor logits_MV = model.model->policy->lm_head().logits(hidden_MD).contiguous();
    FillMaskSettings settings{.top_k = top_k, .targets = {}};
    if (const Json* targets = input.find("targets"); targets != nullptr) {
      std::vector<std::string> words;
      for (const Json& word : targets->as_array()) words.push_back(word.as_string());
      settings.targets = fill_mask_targets(words, tokenizer);
    }
    const auto decode = [&tokenizer](std::span<const std::int32_t> ids, SkipSpecial skip) { return tokenizer.decode(ids, skip); };
    return to_json(fill_masks(parsed.ids, *tokenizer.mask_id(), tokenizer.pad_id(), floats_of(logits_MV), settings, decode));
  };
}

PredictTask question_answering(const TaskModel& model, const PredictOptions& options) {
  model.require_head(HeadKind::spans, "question-answering");
  AnswerSettings settings{.top_k = static_cast<std::size_t>(options.top_k == 0 ? 1 : options.top_k),
                          .max_answer_length = static_cast<std::size_t>(options.max_answer_length),
                          .handle_impossible_answer = options.no_answer,
                          .align_to_words = false};
  const PairTemplate around = pair_template(*model.tokenizer);
  const std::int64_t length = std::min<std::int64_t>(384, model.model->policy->shape().context);
  const auto stride = static_cast<std::size_t>(std::min(options.stride, length / 2));
  return [&model, settings, around, length, stride](const Json& input) {
    const std::string& context = input.at("context").as_string();
    const EncodedText text = model.tokenizer->encode_with_offsets({context, std::nullopt}, AddSpecial::no);
    const std::vector<std::int32_t> question = model.tokenizer->encode(input.at("question").as_string());
    std::vector<ContextToken> tokens;
    for (const TextRange& range : text.offsets) tokens.push_back({range.begin, range.end, -1});
    const std::vector<AnswerWindow> windows =
        answer_windows(question, text.ids, around, static_cast<std::size_t>(length), stride);
    std::vector<at::Tensor> starts, ends;
    std::vector<SpanLogits> logits;
    for (const AnswerWindow& window : windows) {
      const at::Tensor both = model.scores(model.hidden(window.ids, window.type_ids));
      starts.push_back(both.select(1, 0).contiguous());
      ends.push_back(both.select(1, 1).contiguous());
      logits.push_back({floats_of(starts.back()), floats_of(ends.back())});
    }
    return to_json(find_answers(context, tokens, windows, logits, settings));
  };
}

PoolingPlan pooling_plan(const TaskModel& model, const PredictOptions& options) {
  if (!options.pooling.empty()) return {.modes = {PoolingPlan::parse_mode(options.pooling)}};
  return read_pooling_plan(model.directory).value_or(PoolingPlan{});
}

std::vector<float> embedding_of(const TaskModel& model, const PoolingPlan& plan, const std::string& sentence) {
  EncodedText text = model.tokenizer->encode_with_offsets({sentence, std::nullopt});
  const auto most = static_cast<std::size_t>(plan.max_tokens.value_or(model.model->policy->shape().context));
  if (text.ids.size() > most) {  // the last id stays: it closes the text
    text.ids[most - 1] = text.ids.back();
    text.ids.resize(most);
    text.type_ids.resize(most);
  }
  const at::Tensor hidden_TD = model.hidden(text.ids, text.type_ids).contiguous();
  std::vector<float> vector = pool(plan, floats_of(hidden_TD), static_cast<std::size_t>(hidden_TD.size(1)));
  if (plan.normalize) normalize(vector);
  return vector;
}

PredictTask feature_extraction(const TaskModel& model, const PredictOptions& options) {
  const PoolingPlan plan = pooling_plan(model, options);
  return [&model, plan](const Json& input) {
    Json::Array numbers;
    for (const float value : embedding_of(model, plan, text_of(input, "text"))) numbers.emplace_back(static_cast<double>(value));
    return Json(std::move(numbers));
  };
}

PredictTask sentence_similarity(const TaskModel& model, const PredictOptions& options) {
  const PoolingPlan plan = pooling_plan(model, options);
  return [&model, plan](const Json& input) {
    const std::vector<float> source = embedding_of(model, plan, input.at("source_sentence").as_string());
    Json::Array scores;
    for (const Json& sentence : input.at("sentences").as_array()) {
      scores.emplace_back(static_cast<double>(cosine_similarity(source, embedding_of(model, plan, sentence.as_string()))));
    }
    return Json(std::move(scores));
  };
}

constexpr std::array<TaskRow, 8> rows = {{
    {"text-classification", "a text, {text, text_pair} or {messages}", text_classification},
    {"token-classification", "a text", token_classification},
    {"question-answering", "{question, context}", question_answering},
    {"fill-mask", "a text with the mask token, or {text, targets}", fill_mask},
    {"summarization", "a text", summarization},
    {"translation", "a text", translation},
    {"feature-extraction", "a text", feature_extraction},
    {"sentence-similarity", "{source_sentence, sentences}", sentence_similarity},
}};

}  // namespace

std::span<const TaskRow> predict_tasks() { return rows; }

}  // namespace hone
