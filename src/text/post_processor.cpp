#include "text/post_processor.h"

#include "base/error.h"
#include "text/code_points.h"

#include <algorithm>

namespace hone {
namespace {

void append(EncodedText& to, const EncodedText& from) {
  to.ids.insert(to.ids.end(), from.ids.begin(), from.ids.end());
  to.type_ids.insert(to.type_ids.end(), from.type_ids.begin(), from.type_ids.end());
  to.offsets.insert(to.offsets.end(), from.offsets.begin(), from.offsets.end());
  to.sequence.insert(to.sequence.end(), from.sequence.begin(), from.sequence.end());
  to.attention.insert(to.attention.end(), from.attention.begin(), from.attention.end());
}

EncodedText special(const TemplateItem& item) {
  const std::size_t count = item.ids.size();
  return {item.ids, std::vector<std::int32_t>(count, item.type_id), std::vector<TextRange>(count),
          std::vector<std::int8_t>(count, -1), std::vector<std::uint8_t>(count, 1)};
}

std::vector<EncodedText> apply(const TemplateStep& step, std::vector<EncodedText> parts, AddSpecial add) {
  if (add == AddSpecial::no && step.only_with_special) return parts;
  std::vector<EncodedText> result;
  for (const TemplateItem& item : parts.size() == 1 ? step.single : step.pair) {
    if (item.sequence) {
      result.push_back(parts[static_cast<std::size_t>(*item.sequence)]);
      std::fill(result.back().type_ids.begin(), result.back().type_ids.end(), item.type_id);
    } else if (add == AddSpecial::yes) {
      result.push_back(special(item));
    }
  }
  return result;
}

bool is_space(char32_t point) { return point == 0x120 || is_white_space(point); }

/// Characters of white space at the start of the token and at its end.
std::pair<std::size_t, std::size_t> spaces_around(const std::string& token) {
  std::size_t leading = 0, trailing = 0, characters = 0;
  for (std::size_t at = 0; at < token.size();) {
    const bool space = is_space(next_code_point(token, at));
    if (space && leading == characters) ++leading;
    trailing = space ? trailing + 1 : 0;
    ++characters;
  }
  return {leading, trailing};
}

bool continues(char byte) { return (static_cast<unsigned char>(byte) & 0xC0) == 0x80; }

/// `count` characters further, not beyond `end`.
std::size_t forward(std::string_view text, std::size_t at, std::size_t end, std::size_t count) {
  for (; count > 0 && at < end; --count) {
    do ++at;
    while (at < end && continues(text[at]));
  }
  return at;
}

std::size_t backward(std::string_view text, std::size_t at, std::size_t begin, std::size_t count) {
  for (; count > 0 && at > begin; --count) {
    do --at;
    while (at > begin && continues(text[at]));
  }
  return at;
}

void trim(EncodedText& encoding, std::string_view text, const TrimStep& step, const PostProcessor::Spelling& spelling) {
  for (std::size_t i = 0; i < encoding.ids.size(); ++i) {
    TextRange& range = encoding.offsets[i];
    auto [leading, trailing] =
        spaces_around(spelling(encoding.ids[i], text.substr(range.begin, range.end - range.begin)));
    if (leading == 1 && step.add_prefix_space && (i == 0 || range.begin == 0)) leading = 0;  // the one that was added
    range.begin = forward(text, range.begin, range.end, leading);
    range.end = backward(text, range.end, range.begin, trailing);
  }
}

}  // namespace

EncodedText PostProcessor::join(std::vector<EncodedText> texts, std::span<const std::string_view> originals,
                                AddSpecial add, const Spelling& spelling) const {
  for (const Step& step : steps_) {
    if (const auto* trimming = std::get_if<TrimStep>(&step)) {
      for (EncodedText& part : texts) {
        // Before a template the parts are the texts; behind it, what it added stands for no text.
        if (!part.sequence.empty() && part.sequence[0] >= 0) {
          trim(part, originals[static_cast<std::size_t>(part.sequence[0])], *trimming, spelling);
        }
      }
    } else {
      texts = apply(std::get<TemplateStep>(step), std::move(texts), add);
    }
  }
  EncodedText joined;
  for (const EncodedText& part : texts) append(joined, part);
  return joined;
}

std::vector<std::int32_t> PostProcessor::wrap(std::vector<std::int32_t> ids) const {
  for (const Step& step : steps_) {
    const auto* filled = std::get_if<TemplateStep>(&step);
    if (filled == nullptr) continue;
    std::vector<std::int32_t> wrapped;
    wrapped.reserve(ids.size() + added(false));
    for (const TemplateItem& item : filled->single) {
      const std::vector<std::int32_t>& part = item.sequence ? ids : item.ids;
      wrapped.insert(wrapped.end(), part.begin(), part.end());
    }
    ids = std::move(wrapped);
  }
  return ids;
}

std::size_t PostProcessor::added(bool pair) const {
  std::size_t count = 0;
  for (const Step& step : steps_) {
    if (const auto* filled = std::get_if<TemplateStep>(&step)) {
      for (const TemplateItem& item : pair ? filled->pair : filled->single) count += item.ids.size();
    }
  }
  return count;
}

std::vector<std::int32_t> PostProcessor::ids() const {
  std::vector<std::int32_t> result;
  for (const Step& step : steps_) {
    if (const auto* filled = std::get_if<TemplateStep>(&step)) {
      for (const auto* items : {&filled->single, &filled->pair}) {
        for (const TemplateItem& item : *items) result.insert(result.end(), item.ids.begin(), item.ids.end());
      }
    }
  }
  return result;
}

}  // namespace hone
