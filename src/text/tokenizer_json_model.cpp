#include "text/tokenizer_json_model.h"

#include "base/error.h"
#include "text/byte_alphabet.h"
#include "text/byte_map.h"

#include <algorithm>
#include <unordered_set>

namespace hone {
namespace {

constexpr std::int64_t kMaxId = 10'000'000;  // far above any vocabulary; guards the memory

/// Appends merges given as spellings.
class MergeReader {
 public:
  explicit MergeReader(BpeSpec& spec) : spec_(spec), ids_(spec.tokens) {}

  void add(std::string_view left, std::string_view right, const std::string& where) {
    spec_.merges.emplace_back(id_of(left, where), id_of(right, where));
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
    const auto bytes = from_byte_alphabet(spelled);
    const std::int32_t id = bytes && !bytes->empty() ? ids_.find(*bytes) : -1;
    if (id < 0) fail(ErrorKind::data, "{}: token \"{}\" is not in the vocabulary", where, spelled);
    return id;
  }

  BpeSpec& spec_;
  ByteMap ids_;
};

bool has_every_byte(const BpeSpec& spec) {
  const auto single = [](const std::string& token) { return token.size() == 1; };
  return std::count_if(spec.tokens.begin(), spec.tokens.end(), single) == 256;
}

void read_merges(const JsonField& merges, BpeSpec& spec) {
  MergeReader reader(spec);
  spec.merges.reserve(merges.array().size());
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
}

}  // namespace

void read_vocab(const JsonField& vocab, BpeSpec& spec) {
  std::unordered_set<std::int64_t> added;
  for (const AddedToken& token : spec.added) added.insert(token.id);
  std::vector<bool> taken;
  for (const auto& [spelled, value] : vocab.object()) {
    const std::int64_t id = JsonField(value, vocab.where() + ": \"" + spelled + "\"").integer();
    if (id < 0 || id > kMaxId) fail(ErrorKind::data, "{}: \"{}\" has the id {}", vocab.where(), spelled, id);
    const auto index = static_cast<std::size_t>(id);
    if (index >= spec.tokens.size()) {
      spec.tokens.resize(index + 1);
      taken.resize(index + 1);
    }
    if (taken[index]) {
      fail(ErrorKind::data, "{}: id {} is given twice, the second time to \"{}\"", vocab.where(), id, spelled);
    }
    taken[index] = true;
    auto bytes = from_byte_alphabet(spelled);
    if (bytes && !bytes->empty()) {
      spec.tokens[index] = std::move(*bytes);
    } else if (!added.contains(id)) {
      fail(ErrorKind::data, "{}: \"{}\" (id {}) is not spelled in the byte alphabet of byte-level BPE", vocab.where(),
           spelled, id);
    }
  }
}

void read_merge_lines(std::string_view text, const std::string& source, BpeSpec& spec) {
  MergeReader reader(spec);
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

void read_bpe_model(const JsonField& model, BpeSpec& spec) {
  const std::string type = model.type();
  if (type != "BPE" && !(type.empty() && model.value().find("merges") != nullptr)) {
    model.refuse(fmt::format("type \"{}\"", type));
  }
  model.only({"type", "dropout", "unk_token", "continuing_subword_prefix", "end_of_word_suffix", "fuse_unk",
              "byte_fallback", "ignore_merges", "vocab", "merges"});
  for (const char* key : {"continuing_subword_prefix", "end_of_word_suffix"}) {
    const JsonField affix = model[key];
    if (!affix.is_null() && !affix.string().empty()) affix.refuse(affix.value().dump());
  }
  const JsonField dropout = model["dropout"];
  if (!dropout.is_null() && dropout.value() != Json(0.0) && dropout.value() != Json(0)) {
    dropout.refuse(dropout.value().dump());
  }
  if (model.flag("byte_fallback")) model["byte_fallback"].refuse("true");
  spec.ignore_merges = model.flag("ignore_merges");
  read_vocab(model["vocab"], spec);
  // With a token for every byte nothing is ever unknown, and unk_token and fuse_unk say nothing.
  if (!model["unk_token"].is_null() && !has_every_byte(spec)) {
    model["unk_token"].refuse("an unknown token beside an incomplete set of bytes");
  }
  read_merges(model["merges"], spec);
}

}  // namespace hone
