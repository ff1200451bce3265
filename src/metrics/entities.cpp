#include "metrics/entities.h"

#include <algorithm>

#include "base/error.h"

namespace hone {

namespace {

struct Tag {
  char place = 'O';
  std::string type;
};

Tag parse(const std::string& tag) {
  const std::size_t hyphen = tag.find('-', 1);
  return {tag.empty() ? 'O' : tag[0], hyphen == std::string::npos ? "_" : tag.substr(hyphen + 1)};
}

bool ends(const Tag& before, const Tag& now) {
  const std::string_view after_inside = "BSO";
  if (before.place == 'E' || before.place == 'S') return true;
  if ((before.place == 'B' || before.place == 'I') && after_inside.find(now.place) != std::string_view::npos) return true;
  return before.place != 'O' && before.place != '.' && before.type != now.type;
}

bool begins(const Tag& before, const Tag& now) {
  if (now.place == 'B' || now.place == 'S') return true;
  const bool free = before.place == 'E' || before.place == 'S' || before.place == 'O';
  if (free && (now.place == 'E' || now.place == 'I')) return true;
  return now.place != 'O' && now.place != '.' && before.type != now.type;
}

struct Counts {
  std::int64_t labels = 0, predictions = 0, hits = 0;

  ClassScores scores() const {
    ClassScores out{.support = labels};
    const auto share = [](std::int64_t part, std::int64_t whole) {
      return whole == 0 ? 0.0 : static_cast<double>(part) / static_cast<double>(whole);
    };
    out.precision = share(hits, predictions);
    out.recall = share(hits, labels);
    out.f1 = share(2 * hits, predictions + labels);
    return out;
  }
};

}  // namespace

std::vector<TaggedEntity> tagged_entities(std::span<const std::string> tags) {
  std::vector<TaggedEntity> entities;
  Tag before;
  std::size_t first = 0;
  for (std::size_t i = 0; i <= tags.size(); ++i) {
    const Tag now = i < tags.size() ? parse(tags[i]) : Tag{'O', "_"};
    if (i > 0 && ends(before, now)) entities.push_back({before.type, first, i - 1});
    if (begins(before, now)) first = i;
    before = now;
  }
  return entities;
}

bool are_entity_tags(std::span<const std::string> tags) {
  return std::all_of(tags.begin(), tags.end(), [](const std::string& tag) {
    return tag == "O" || (tag.size() > 2 && tag[1] == '-' && std::string_view("BIES").find(tag[0]) != std::string_view::npos);
  });
}

EntityScores entity_scores(std::span<const std::vector<std::string>> labels,
                           std::span<const std::vector<std::string>> predictions) {
  HONE_ASSERT(labels.size() == predictions.size());
  Counts all;
  std::map<std::string, Counts> by_type;
  for (std::size_t i = 0; i < labels.size(); ++i) {
    HONE_ASSERT(labels[i].size() == predictions[i].size());
    const std::vector<TaggedEntity> expected = tagged_entities(labels[i]), found = tagged_entities(predictions[i]);
    for (const TaggedEntity& entity : expected) ++all.labels, ++by_type[entity.type].labels;
    for (const TaggedEntity& entity : found) {
      ++all.predictions, ++by_type[entity.type].predictions;
      if (std::find(expected.begin(), expected.end(), entity) == expected.end()) continue;
      ++all.hits, ++by_type[entity.type].hits;
    }
  }
  EntityScores scores{.all = all.scores(), .by_type = {}};
  for (const auto& [type, counts] : by_type) scores.by_type[type] = counts.scores();
  return scores;
}

}  // namespace hone
