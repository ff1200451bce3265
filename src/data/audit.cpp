#include "data/audit.h"

#include <algorithm>
#include <numeric>
#include <optional>
#include <unordered_map>

#include <fmt/format.h>

#include "base/utf8.h"
#include "data/duplicates.h"
#include "data/encoding_signs.h"
#include "data/prepare_rows.h"

namespace hone {

namespace {

constexpr std::array<Split, 2> splits{Split::train, Split::held_out};
constexpr std::array<std::string_view, 2> split_names{"training", "held-out"};

LengthSummary summary_of(std::string_view split, std::string_view unit, std::vector<std::int64_t> lengths) {
  LengthSummary summary{.split = std::string(split), .unit = std::string(unit)};
  std::ranges::sort(lengths);
  const auto quantile = [&](double share) {
    return lengths[static_cast<std::size_t>(share * static_cast<double>(lengths.size() - 1) + 0.5)];
  };
  summary.least = lengths.front(), summary.most = lengths.back();
  summary.median = quantile(0.5), summary.p90 = quantile(0.9), summary.p99 = quantile(0.99);
  summary.mean =
      static_cast<double>(std::accumulate(lengths.begin(), lengths.end(), std::int64_t{0})) /
      static_cast<double>(lengths.size());
  return summary;
}

class Auditor {
 public:
  Auditor(const Dataset& data, const AuditOptions& options) : data_(data), options_(options) {
    for (const Split split : splits) {
      if (!data.has(split)) continue;
      const auto rows = data.rows(split);
      for (std::size_t i = 0; i < rows.size(); ++i) rows_.push_back({split, i, &rows[i]});
    }
    audit_.name = data.name();
    audit_.shape = data.shape_name();
  }

  DataAudit run() {
    for (const Place& place : rows_) ++audit_.rows[index(place.split)];
    labels();
    duplicates();
    texts();
    lengths();
    std::erase_if(audit_.findings, [](const AuditFinding& found) { return found.rows[0] + found.rows[1] == 0; });
    return std::move(audit_);
  }

 private:
  struct Place {
    Split split;
    std::size_t number;
    const DataRow* row;
  };

  static std::size_t index(Split split) { return split == Split::train ? 0 : 1; }

  void add(AuditFinding& finding, const Place& place) {
    ++finding.rows[index(place.split)];
    if (finding.places.size() < 3) finding.places.push_back(data_.place(place.split, place.number));
  }

  void labels() {
    for (const Place& place : rows_) {
      if (!place.row->label.empty()) ++audit_.labels[place.row->label][index(place.split)];
      for (const auto* names : {&place.row->labels, &place.row->tags}) {
        for (const std::string& name : *names) ++audit_.labels[name][index(place.split)];
      }
    }
  }

  /// Clusters in the order training, held-out: a held-out row that repeats a training row comes second.
  void duplicates() {
    const TextAt text = [this](std::size_t i) { return whole_text(*rows_[i].row); };
    const std::vector<std::size_t> equal = first_equal(rows_.size(), text);
    const std::vector<std::size_t> alike =
        first_alike(rows_.size(), text, options_.near, static_cast<std::size_t>(options_.shingle));
    AuditFinding equal_rows{.what = "repeat an earlier row of their split"};
    AuditFinding alike_rows{.what = "nearly repeat an earlier row of their split"};
    AuditFinding other_label{.what = "repeat an earlier row but have another label"};
    AuditFinding equal_leaks{.what = "held out, and repeat a training row"};
    AuditFinding alike_leaks{.what = "held out, and nearly repeat a training row"};
    for (std::size_t i = 0; i < rows_.size(); ++i) {
      const Place& place = rows_[i];
      if (equal[i] != i) {
        const Place& first = rows_[equal[i]];
        add(first.split == place.split ? equal_rows : equal_leaks, place);
        if (first.row->label != place.row->label) add(other_label, place);
      } else if (alike[i] != i) {
        add(rows_[alike[i]].split == place.split ? alike_rows : alike_leaks, place);
      }
    }
    for (auto* finding : {&equal_rows, &alike_rows, &other_label, &equal_leaks, &alike_leaks}) {
      audit_.findings.push_back(std::move(*finding));
    }
  }

  void texts() {
    std::array<AuditFinding, 7> found{{{.what = "are empty"},
                                       {.what = "hold U+FFFD: bytes that could not be read"},
                                       {.what = "look like UTF-8 read as Latin-1 (mojibake)"},
                                       {.what = "hold invisible or control characters"},
                                       {.what = "mix Latin with Cyrillic or Greek letters in a word"},
                                       {.what = "hold HTML tags or entities"},
                                       {.what = "are not in Unicode's form C"}}};
    for (const Place& place : rows_) {
      const std::string text = whole_text(*place.row);
      const EncodingSigns signs = encoding_signs(text);
      const bool hits[] = {word_count(text) == 0, signs.replacement, signs.mojibake,    signs.control,
                           signs.mixed_scripts,    signs.html,        signs.not_composed};
      for (std::size_t i = 0; i < found.size(); ++i) {
        if (hits[i]) add(found[i], place);
      }
      ++audit_.scripts[std::string(main_script(text))][index(place.split)];
    }
    std::ranges::move(found, std::back_inserter(audit_.findings));
  }

  void lengths() {
    AuditFinding cut{.what = fmt::format("are longer than {} tokens and will be cut", options_.context)};
    for (const Split split : splits) {
      std::vector<std::int64_t> characters, words, tokens;
      for (const Place& place : rows_) {
        if (place.split != split) continue;
        const std::string text = whole_text(*place.row);
        characters.push_back(static_cast<std::int64_t>(utf8_length(text)));
        words.push_back(word_count(text));
        if (options_.tokenizer == nullptr) continue;
        tokens.push_back(std::ssize(options_.tokenizer->encode_with_offsets({text, std::nullopt}).ids));
        if (options_.context == 0 || tokens.back() <= options_.context) continue;
        audit_.cut_tokens += tokens.back() - options_.context;
        add(cut, place);
      }
      if (characters.empty()) continue;
      const std::string_view name = split_names[index(split)];
      audit_.lengths.push_back(summary_of(name, "characters", std::move(characters)));
      audit_.lengths.push_back(summary_of(name, "words", std::move(words)));
      if (!tokens.empty()) audit_.lengths.push_back(summary_of(name, "tokens", std::move(tokens)));
    }
    audit_.findings.push_back(std::move(cut));
  }

  const Dataset& data_;
  const AuditOptions& options_;
  std::vector<Place> rows_;
  DataAudit audit_;
};

Json by_split(const BySplit& counts) {
  return Json::Object{{"training", counts[0]}, {"held_out", counts[1]}};
}

Json by_name(const std::map<std::string, BySplit>& counts) {
  Json object = Json::object();
  for (const auto& [name, rows] : counts) object.set(name, by_split(rows));
  return object;
}

}  // namespace

Json DataAudit::to_json() const {
  Json lengths_json = Json::array(), findings_json = Json::array();
  for (const LengthSummary& l : lengths) {
    lengths_json.push_back(Json::Object{{"split", l.split}, {"unit", l.unit}, {"min", l.least}, {"median", l.median},
                                        {"p90", l.p90}, {"p99", l.p99}, {"max", l.most}, {"mean", l.mean}});
  }
  for (const AuditFinding& found : findings) {
    Json places = Json::array();
    for (const std::string& place : found.places) places.push_back(place);
    findings_json.push_back(Json::Object{{"rows", by_split(found.rows)}, {"what", found.what}, {"places", places}});
  }
  return Json::Object{{"data", name},
                      {"shape", std::string(shape)},
                      {"rows", by_split(rows)},
                      {"labels", by_name(labels)},
                      {"scripts", by_name(scripts)},
                      {"lengths", lengths_json},
                      {"findings", findings_json},
                      {"cut_tokens", cut_tokens}};
}

DataAudit audit(const Dataset& data, const AuditOptions& options) { return Auditor(data, options).run(); }

}  // namespace hone
