#include "text/wordpiece_trainer.h"

#include "base/error.h"
#include "text/bpe_merging.h"
#include "text/code_points.h"

#include <algorithm>
#include <limits>
#include <map>
#include <unordered_map>

namespace hone {
namespace {

void check(const WordPieceTrainerOptions& options) {
  if (options.min_frequency < 1) {
    fail(ErrorKind::config, "tokenizer training: min_frequency is {}, expected at least 1", options.min_frequency);
  }
  if (options.limit_alphabet && *options.limit_alphabet < 1) {
    fail(ErrorKind::config, "tokenizer training: limit_alphabet is {}, expected at least 1", *options.limit_alphabet);
  }
  for (const std::string& token : options.special_tokens) {
    if (token.empty()) fail(ErrorKind::config, "tokenizer training: a special token is empty");
  }
}

/// The characters that are kept, by code point.
std::vector<char32_t> alphabet_of(const WordCounts& words, const WordPieceTrainerOptions& options) {
  std::map<char32_t, std::int64_t> counts;
  for (const WordCounts::Word& word : words.words()) {
    const std::string_view text = words.text(word);
    for (std::size_t i = 0; i < text.size();) counts[next_code_point(text, i)] += word.count;
  }
  for (const char32_t point : options.initial_alphabet) counts[point] = std::numeric_limits<std::int64_t>::max();
  std::vector<std::pair<char32_t, std::int64_t>> kept(counts.begin(), counts.end());
  if (options.limit_alphabet && kept.size() > static_cast<std::size_t>(*options.limit_alphabet)) {
    std::stable_sort(kept.begin(), kept.end(), [](const auto& a, const auto& b) { return a.second > b.second; });
    kept.resize(static_cast<std::size_t>(*options.limit_alphabet));
    std::sort(kept.begin(), kept.end());
  }
  std::vector<char32_t> alphabet;
  for (const auto& [point, count] : kept) alphabet.push_back(point);
  return alphabet;
}

/// Words as characters of the alphabet; others are left out.
class WordSymbols {
 public:
  explicit WordSymbols(const WordPieceTrainerOptions& options) : options_(options) {
    for (const std::string& token : options.special_tokens) id_of(token);
  }

  SymbolWords run(const WordCounts& words) && {
    for (const char32_t point : alphabet_of(words, options_)) kept_.emplace(point, id_of(spelled(point)));
    for (const WordCounts::Word& word : words.words()) add(words.text(word), word.count);
    return std::move(result_);
  }

 private:
  static std::string spelled(char32_t point) {
    std::string text;
    append_utf8(text, point);
    return text;
  }

  std::int32_t id_of(const std::string& token) {
    const auto [place, is_new] = ids_.emplace(token, static_cast<std::int32_t>(result_.tokens.size()));
    if (is_new) result_.tokens.push_back(token);
    return place->second;
  }

  void add(std::string_view text, std::int64_t count) {
    SymbolWords::Word word{result_.symbols.size(), 0, count};
    for (std::size_t i = 0; i < text.size();) {
      const bool is_first = i == 0;
      const char32_t point = next_code_point(text, i);
      const auto kept = kept_.find(point);
      if (kept == kept_.end()) continue;
      std::int32_t& id = is_first ? kept->second : continuing_.try_emplace(point, -1).first->second;
      if (id < 0) id = id_of(options_.continuing_prefix + spelled(point));
      result_.symbols.push_back(id);
      ++word.size;
    }
    result_.words.push_back(word);
  }

  const WordPieceTrainerOptions& options_;
  SymbolWords result_;
  std::unordered_map<std::string, std::int32_t> ids_;
  std::unordered_map<char32_t, std::int32_t> kept_;        // ids at the start of a word
  std::unordered_map<char32_t, std::int32_t> continuing_;  // and behind it
};

}  // namespace

std::vector<std::string> train_wordpiece(const WordCounts& words, const WordPieceTrainerOptions& options) {
  check(options);
  if (words.words().empty()) fail(ErrorKind::data, "tokenizer training: the texts have no words");
  SymbolWords symbols = WordSymbols(options).run(words);
  if (options.vocab_size < static_cast<std::int64_t>(symbols.tokens.size())) {
    fail(ErrorKind::config, "tokenizer training: vocab_size {} is too small: special tokens and characters need {}",
         options.vocab_size, symbols.tokens.size());
  }
  return learn_merges(std::move(symbols), {.token_count = static_cast<std::size_t>(options.vocab_size),
                                           .min_count = options.min_frequency,
                                           .continuing_prefix = options.continuing_prefix})
      .tokens;
}

}  // namespace hone
