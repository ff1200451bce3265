#include "text/tokenizer_json_model.h"

#include "base/error.h"
#include "text/bpe.h"
#include "text/byte_alphabet.h"
#include "text/text_bpe.h"
#include "text/tokenizer_json_sections.h"
#include "text/unigram.h"
#include "text/wordlevel.h"
#include "text/wordpiece.h"

#include <algorithm>
#include <cmath>
#include <unordered_set>

namespace hone {
namespace {

constexpr std::int64_t kMaxId = 10'000'000;  // far above any vocabulary; guards the memory

using Merges = std::vector<std::pair<std::int32_t, std::int32_t>>;

/// Appends merges given as spellings.
class MergeReader {
 public:
  MergeReader(const TokenMap& ids, Merges& merges) : ids_(ids), merges_(merges) {}

  void add(std::string_view left, std::string_view right, const std::string& where) {
    merges_.emplace_back(id_of(left, where), id_of(right, where));
  }
  void add_line(std::string_view line, const std::string& where) {
    const std::size_t space = line.find(' ');
    if (space == std::string_view::npos || line.find(' ', space + 1) != std::string_view::npos) {
      fail(ErrorKind::data, "{}: expected two tokens with a space between, found \"{}\"", where, line);
    }
    add(line.substr(0, space), line.substr(space + 1), where);
  }

 private:
  std::int32_t id_of(std::string_view spelled, const std::string& where) const {
    const auto id = ids_.id(spelled);
    if (!id) fail(ErrorKind::data, "{}: token \"{}\" is not in the vocabulary", where, spelled);
    return *id;
  }

  const TokenMap& ids_;
  Merges& merges_;
};

Merges read_merges(const JsonField& merges, const TokenMap& ids) {
  Merges result;
  MergeReader reader(ids, result);
  result.reserve(merges.array().size());
  for (std::size_t i = 0; i < merges.array().size(); ++i) {
    const Json& merge = merges.array()[i];
    if (merge.is_string()) {
      reader.add_line(merge.as_string(), merges.where());
      continue;
    }
    const JsonField pair = merges.element(i);
    if (pair.array().size() != 2) fail(ErrorKind::data, "{}: expected a pair of tokens", pair.where());
    reader.add(pair.element(0).string(), pair.element(1).string(), merges.where());
  }
  return result;
}

/// Spellings to bytes, but for added tokens; nothing when one is not of the byte alphabet or a byte has no token.
std::optional<std::vector<std::string>> as_bytes(const std::vector<std::string>& spelled,
                                                 const std::vector<AddedToken>& added) {
  std::unordered_set<std::int64_t> added_ids;
  for (const AddedToken& token : added) added_ids.insert(token.id);
  std::vector<std::string> result(spelled.size());
  std::size_t single = 0;
  for (std::size_t id = 0; id < spelled.size(); ++id) {
    if (spelled[id].empty()) continue;
    auto bytes = from_byte_alphabet(spelled[id]);
    if (!bytes && !added_ids.contains(static_cast<std::int64_t>(id))) return std::nullopt;
    if (bytes) result[id] = std::move(*bytes);
    single += result[id].size() == 1;
  }
  return single == 256 ? std::optional(std::move(result)) : std::nullopt;
}

std::string affix(const JsonField& field) { return field.is_null() ? "" : field.string(); }

std::unique_ptr<SubwordModel> read_bpe(const JsonField& model, const std::vector<AddedToken>& added, bool& raw_bytes) {
  model.only({"type", "dropout", "unk_token", "continuing_subword_prefix", "end_of_word_suffix", "fuse_unk",
              "byte_fallback", "ignore_merges", "vocab", "merges"});
  const JsonField dropout = model["dropout"];
  if (!dropout.is_null() && (!dropout.value().is_number() || dropout.value().as_number() != 0)) {
    dropout.refuse(dropout.value().dump());
  }
  TextBpeSpec spec;
  spec.tokens = read_spellings(model["vocab"]);
  const TokenMap ids(spec.tokens);
  spec.merges = read_merges(model["merges"], ids);
  spec.fuse_unk = model.flag("fuse_unk");
  spec.byte_fallback = model.flag("byte_fallback");
  spec.ignore_merges = model.flag("ignore_merges");
  spec.continuing_subword_prefix = affix(model["continuing_subword_prefix"]);
  spec.end_of_word_suffix = affix(model["end_of_word_suffix"]);
  const bool affixes = !spec.continuing_subword_prefix.empty() || !spec.end_of_word_suffix.empty();
  if (auto bytes = raw_bytes && !affixes ? as_bytes(spec.tokens, added) : std::nullopt) {
    // With a token for every byte nothing is ever unknown.
    return std::make_unique<BpeModel>(
        BpeSpec{.tokens = std::move(*bytes), .merges = std::move(spec.merges), .added = added,
                .ignore_merges = spec.ignore_merges}, model.where());
  }
  raw_bytes = false;
  if (const JsonField unknown = model["unk_token"]; !unknown.is_null()) {
    spec.unknown = ids.id(unknown.string());
    if (!spec.unknown) fail(ErrorKind::data, "{}: \"{}\" is not in the vocabulary", unknown.where(), unknown.string());
  }
  return std::make_unique<TextBpeModel>(std::move(spec), model.where());
}

std::unique_ptr<SubwordModel> read_wordpiece(const JsonField& model) {
  model.only({"type", "unk_token", "continuing_subword_prefix", "max_input_chars_per_word", "vocab"});
  WordPieceSpec spec;
  spec.tokens = read_spellings(model["vocab"]);
  if (!model["unk_token"].is_null()) spec.unk_token = model["unk_token"].string();
  if (!model["continuing_subword_prefix"].is_null()) {
    spec.continuing_subword_prefix = model["continuing_subword_prefix"].string();
  }
  if (!model["max_input_chars_per_word"].is_null()) {
    spec.max_input_chars_per_word = model["max_input_chars_per_word"].integer();
  }
  return std::make_unique<WordPieceModel>(std::move(spec), model.where());
}

/// A number as the tokenizers library reads it: its digits as an integer, then a division by a power of ten, each rounded,
/// which may miss the nearest double. Sums of scores tie or not by such last bits.
double twice_rounded(double value) {
  const std::string text = fmt::format("{}", std::abs(value));
  const std::size_t mark = std::min(text.find('e'), text.size());
  std::uint64_t digits = 0;
  int exponent = mark < text.size() ? std::stoi(text.substr(mark + 1)) : 0;
  bool fraction = false;
  for (const char c : std::string_view(text).substr(0, mark)) {
    if (c == '.') {
      fraction = true;
    } else if (c >= '0' && c <= '9') {
      digits = digits * 10 + static_cast<std::uint64_t>(c - '0');
      exponent -= fraction;
    } else {
      return value;  // no finite number
    }
  }
  if (exponent > 22 || exponent < -22) return value;  // the powers up to there are exact
  const double rounded = static_cast<double>(digits);
  const double result = exponent < 0 ? rounded / std::pow(10.0, -exponent) : rounded * std::pow(10.0, exponent);
  return std::signbit(value) ? -result : result;
}

std::unique_ptr<SubwordModel> read_unigram(const JsonField& model) {
  model.only({"type", "unk_id", "vocab", "byte_fallback"});
  UnigramSpec spec;
  const JsonField vocab = model["vocab"];
  for (std::size_t i = 0; i < vocab.array().size(); ++i) {
    const JsonField entry = vocab.element(i);
    if (entry.array().size() != 2 || !entry.array()[1].is_number()) {
      fail(ErrorKind::data, "{}: expected a token and its score", entry.where());
    }
    spec.tokens.push_back(entry.element(0).string());
    spec.scores.push_back(twice_rounded(entry.array()[1].as_number()));
  }
  if (const JsonField unknown = model["unk_id"]; !unknown.is_null()) {
    if (unknown.integer() < 0 || unknown.integer() >= static_cast<std::int64_t>(spec.tokens.size())) {
      fail(ErrorKind::data, "{}: {} is outside the vocabulary of {}", unknown.where(), unknown.integer(),
           spec.tokens.size());
    }
    spec.unknown = static_cast<std::int32_t>(unknown.integer());
  }
  spec.byte_fallback = model.flag("byte_fallback");
  return std::make_unique<UnigramModel>(std::move(spec), model.where());
}

/// Files of old name no type; the members that it must have tell it.
std::string type_of(const JsonField& model) {
  const auto has = [&](const char* key) { return model.value().find(key) != nullptr; };
  if (has("type")) return model["type"].string();
  if (has("merges")) return "BPE";
  if (has("max_input_chars_per_word")) return "WordPiece";
  if (has("vocab") && model["vocab"].value().is_array()) return "Unigram";
  return has("unk_token") ? "WordLevel" : "";
}

}  // namespace

std::vector<std::string> read_spellings(const JsonField& vocab) {
  std::vector<std::string> tokens;
  std::vector<bool> taken;
  for (const auto& [spelled, value] : vocab.object()) {
    if (!value.is_integer()) {
      fail(ErrorKind::data, "{}: \"{}\": expected an integer, found {}", vocab.where(), spelled, value.type_name());
    }
    const std::int64_t id = value.as_integer();
    if (id < 0 || id > kMaxId) fail(ErrorKind::data, "{}: \"{}\" has the id {}", vocab.where(), spelled, id);
    const auto index = static_cast<std::size_t>(id);
    if (index >= tokens.size()) {
      tokens.resize(index + 1);
      taken.resize(index + 1);
    }
    if (taken[index]) {
      fail(ErrorKind::data, "{}: id {} is given twice, the second time to \"{}\"", vocab.where(), id, spelled);
    }
    taken[index] = true;
    tokens[index] = spelled;
  }
  return tokens;
}

void read_vocab(const JsonField& vocab, BpeSpec& spec) {
  std::unordered_set<std::int64_t> added;
  for (const AddedToken& token : spec.added) added.insert(token.id);
  spec.tokens = read_spellings(vocab);
  for (std::size_t id = 0; id < spec.tokens.size(); ++id) {
    auto bytes = from_byte_alphabet(spec.tokens[id]);
    if (!bytes && !added.contains(static_cast<std::int64_t>(id))) {
      fail(ErrorKind::data, "{}: \"{}\" (id {}) is not spelled in the byte alphabet of byte-level BPE", vocab.where(),
           spec.tokens[id], id);
    }
    spec.tokens[id] = bytes ? std::move(*bytes) : "";
  }
}

void read_merge_lines(std::string_view text, const std::string& source, BpeSpec& spec) {
  std::vector<std::string> spelled;
  for (const std::string& token : spec.tokens) spelled.push_back(to_byte_alphabet(token));
  const TokenMap ids(std::move(spelled));
  MergeReader reader(ids, spec.merges);
  std::int64_t number = 0;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    ++number;
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (line.empty() || (number == 1 && line.starts_with("#version"))) continue;
    reader.add_line(line, fmt::format("{}:{}", source, number));
  }
}

std::unique_ptr<SubwordModel> read_model(const JsonField& model, const std::vector<AddedToken>& added,
                                         bool& raw_bytes) {
  const std::string type = type_of(model);
  if (type == "BPE") return read_bpe(model, added, raw_bytes);
  raw_bytes = false;
  if (type == "WordPiece") return read_wordpiece(model);
  if (type == "Unigram") return read_unigram(model);
  if (type == "WordLevel") {
    model.only({"type", "unk_token", "vocab"});
    return std::make_unique<WordLevelModel>(read_spellings(model["vocab"]),
                                            model["unk_token"].is_null() ? "<unk>" : model["unk_token"].string(),
                                            model.where());
  }
  fail(ErrorKind::data, "{}: type is \"{}\", expected BPE, WordPiece, Unigram or WordLevel", model.where(), type);
}

}  // namespace hone
