#include "rewards/ngrams.h"

namespace hone {

std::vector<std::int32_t> NgramReader::units(const Completion& completion) {
  if (unit_ == Unit::tokens) return completion.ids;
  constexpr std::string_view white_space = " \t\r\n\f\v";
  std::vector<std::int32_t> ids;
  const std::string_view text = completion.text;
  for (std::size_t begin = text.find_first_not_of(white_space); begin != std::string_view::npos;) {
    const std::size_t end = std::min(text.find_first_of(white_space, begin), text.size());
    std::string word(text.substr(begin, end - begin));
    for (char& c : word) {
      if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    }
    ids.push_back(word_ids_.emplace(std::move(word), static_cast<std::int32_t>(word_ids_.size())).first->second);
    begin = text.find_first_not_of(white_space, end);
  }
  return ids;
}

std::vector<std::string> NgramReader::read(const Episode& episode) {
  std::vector<std::string> keys;
  for (const Turn& turn : episode.turns) {
    const std::vector<std::int32_t> ids = units(turn.completion);
    const std::string_view bytes(reinterpret_cast<const char*>(ids.data()), ids.size() * sizeof(std::int32_t));
    for (std::size_t i = 0; i + n_ <= ids.size(); ++i) {
      keys.emplace_back(bytes.substr(i * sizeof(std::int32_t), n_ * sizeof(std::int32_t)));
    }
  }
  return keys;
}

}  // namespace hone
