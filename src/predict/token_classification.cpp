#include "predict/token_classification.h"

#include <algorithm>

#include "base/error.h"
#include "base/utf8.h"
#include "predict/character_offsets.h"
#include "predict/scores.h"

namespace hone {
namespace {

struct ScoredToken {
  std::string word;
  std::vector<float> scores;
  std::size_t begin = 0;
  std::size_t end = 0;
  std::size_t index = 0;
  bool goes_on = false;  ///< with the word of the token before
};

/// A token or a word with one tag.
struct Tagged {
  std::string label;
  float score = 0;
  std::string word;
  std::size_t begin = 0;
  std::size_t end = 0;
  std::size_t index = 0;
};

std::size_t place_of_best(std::span<const float> scores) {
  return static_cast<std::size_t>(std::max_element(scores.begin(), scores.end()) - scores.begin());
}

bool space_at(std::string_view text, std::size_t from) {
  return text.substr(from, 2).find(' ') != std::string_view::npos;
}

std::vector<ScoredToken> score_tokens(const TokenClassifier& classifier, const TaggedWindow& window) {
  const std::size_t labels = classifier.labels.size();
  if (labels == 0 || window.logits_TL.size() != window.tokens_T.size() * labels) {
    fail(ErrorKind::data, "{} logits for {} tokens and {} labels: expected one a token and label",
         window.logits_TL.size(), window.tokens_T.size(), labels);
  }
  std::vector<ScoredToken> scored;
  for (std::size_t i = 0; i < window.tokens_T.size(); ++i) {
    const TaggedToken& token = window.tokens_T[i];
    if (token.special) continue;
    if (token.begin > token.end || token.end > window.text.size()) {
      fail(ErrorKind::data, "token {} covers bytes {} to {} of a text of {}", i, token.begin, token.end,
           window.text.size());
    }
    const std::string_view covered = window.text.substr(token.begin, token.end - token.begin);
    const bool goes_on = classifier.marks_subwords ? utf8_length(token.spelling) != utf8_length(covered)
                                                   : token.begin > 0 && !space_at(window.text, token.begin - 1);
    scored.push_back({.word = token.unknown ? std::string(covered) : token.spelling,
                      .scores = softmax(window.logits_TL.subspan(i * labels, labels)),
                      .begin = token.begin,
                      .end = token.end,
                      .index = i,
                      .goes_on = goes_on && !token.unknown});
  }
  return scored;
}

std::vector<float> mean_scores(std::span<const ScoredToken> word) {
  std::vector<float> mean;
  for (std::size_t label = 0; label < word.front().scores.size(); ++label) {
    double sum = 0;
    for (const ScoredToken& token : word) sum += token.scores[label];
    mean.push_back(static_cast<float>(sum / static_cast<double>(word.size())));
  }
  return mean;
}

Tagged tag_word(const TokenClassifier& classifier, std::span<const ScoredToken> word) {
  std::vector<float> scores = word.front().scores;
  if (classifier.aggregation == Aggregation::average) scores = mean_scores(word);
  if (classifier.aggregation == Aggregation::max) {
    const auto surest = std::max_element(word.begin(), word.end(), [](const ScoredToken& a, const ScoredToken& b) {
      return *std::max_element(a.scores.begin(), a.scores.end()) < *std::max_element(b.scores.begin(), b.scores.end());
    });
    scores = surest->scores;
  }
  std::vector<std::string> spellings;
  for (const ScoredToken& token : word) spellings.push_back(token.word);
  const std::size_t best = place_of_best(scores);
  return {classifier.labels[best], scores[best],    classifier.join(spellings),
          word.front().begin,      word.back().end, word.front().index};
}

std::vector<Tagged> tag_words(const TokenClassifier& classifier, std::span<const ScoredToken> tokens) {
  std::vector<Tagged> words;
  for (std::size_t begin = 0, end = 0; begin < tokens.size(); begin = end) {
    end = begin + 1;
    while (end < tokens.size() && tokens[end].goes_on) ++end;
    words.push_back(tag_word(classifier, tokens.subspan(begin, end - begin)));
  }
  return words;
}

std::vector<Tagged> tag_tokens(const TokenClassifier& classifier, std::span<const ScoredToken> tokens) {
  std::vector<Tagged> tagged;
  for (const ScoredToken& token : tokens) {
    const std::size_t best = place_of_best(token.scores);
    tagged.push_back({classifier.labels[best], token.scores[best], token.word, token.begin, token.end, token.index});
  }
  return tagged;
}

struct Tag {
  bool begins = false;
  std::string_view name;
};

Tag tag_of(std::string_view label) {
  const bool marked = label.starts_with("B-") || label.starts_with("I-");
  return {label.starts_with("B-"), marked ? label.substr(2) : label};
}

Entity join_group(const TokenClassifier& classifier, std::span<const Tagged> group, const CharacterOffsets& offsets) {
  const std::string& label = group.front().label;
  const std::size_t dash = label.find('-');
  double sum = 0;
  std::vector<std::string> spellings;
  for (const Tagged& tagged : group) {
    sum += tagged.score;
    spellings.push_back(tagged.word);
  }
  return {.label = dash == std::string::npos ? label : label.substr(dash + 1),
          .score = static_cast<float>(sum / static_cast<double>(group.size())),
          .word = classifier.join(spellings),
          .start = offsets.at(group.front().begin),
          .end = offsets.at(group.back().end)};
}

std::vector<Entity> join_groups(const TokenClassifier& classifier, std::span<const Tagged> tagged,
                                const CharacterOffsets& offsets) {
  std::vector<Entity> entities;
  for (std::size_t begin = 0, end = 0; begin < tagged.size(); begin = end) {
    end = begin + 1;
    while (end < tagged.size() && !tag_of(tagged[end].label).begins &&
           tag_of(tagged[end].label).name == tag_of(tagged[end - 1].label).name) {
      ++end;
    }
    entities.push_back(join_group(classifier, tagged.subspan(begin, end - begin), offsets));
  }
  return entities;
}

}  // namespace

std::vector<Entity> find_entities(const TokenClassifier& classifier, const TaggedWindow& window) {
  const std::vector<ScoredToken> tokens = score_tokens(classifier, window);
  const CharacterOffsets offsets(window.text);
  const bool by_token = classifier.aggregation == Aggregation::none || classifier.aggregation == Aggregation::simple;
  const std::vector<Tagged> tagged = by_token ? tag_tokens(classifier, tokens) : tag_words(classifier, tokens);
  std::vector<Entity> entities;
  if (classifier.aggregation == Aggregation::none) {
    for (const Tagged& t : tagged) {
      entities.push_back({.label = t.label,
                          .score = t.score,
                          .word = t.word,
                          .start = offsets.at(t.begin),
                          .end = offsets.at(t.end),
                          .index = static_cast<std::int64_t>(t.index)});
    }
  } else {
    entities = join_groups(classifier, tagged, offsets);
  }
  std::erase_if(entities, [&](const Entity& entity) {
    return std::find(classifier.ignored.begin(), classifier.ignored.end(), entity.label) != classifier.ignored.end();
  });
  return entities;
}

std::vector<Entity> merge_overlapping(std::vector<Entity> entities) {
  std::stable_sort(entities.begin(), entities.end(),
                   [](const Entity& a, const Entity& b) { return a.start < b.start; });
  std::vector<Entity> merged;
  for (Entity& entity : entities) {
    if (merged.empty() || entity.start >= merged.back().end) {
      merged.push_back(std::move(entity));
      continue;
    }
    const std::int64_t length = entity.end - entity.start;
    const std::int64_t kept = merged.back().end - merged.back().start;
    if (length > kept || (length == kept && entity.score > merged.back().score)) merged.back() = std::move(entity);
  }
  return merged;
}

Json to_json(std::span<const Entity> entities) {
  Json list = Json::array();
  for (const Entity& entity : entities) {
    Json item = Json::object();
    item.set(entity.index ? "entity" : "entity_group", entity.label);
    item.set("score", static_cast<double>(entity.score));
    if (entity.index) item.set("index", *entity.index);
    item.set("word", entity.word);
    item.set("start", entity.start);
    item.set("end", entity.end);
    list.push_back(std::move(item));
  }
  return list;
}

}  // namespace hone
