#include "text/aligned_text.h"

#include "base/error.h"
#include "text/code_points.h"

namespace hone {

void AlignedText::assign(std::string_view text, bool aligned, std::size_t place) {
  text_ = text;
  aligned_ = aligned;
  place_ = place;
  origins_.clear();
  if (!aligned) return;
  origins_.resize(text.size());
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t begin = at;
    next_code_point(text, at);
    for (std::size_t i = begin; i < at; ++i) origins_[i] = {place + begin, place + at};
  }
}

TextRange AlignedText::origin(std::size_t begin, std::size_t end) const {
  HONE_ASSERT(aligned_ && begin <= end && end <= text_.size());
  if (begin < end) return {origins_[begin].begin, origins_[end - 1].end};
  const std::size_t point = begin < origins_.size() ? origins_[begin].begin : begin > 0 ? origins_[begin - 1].end : place_;
  return {point, point};
}

AlignedText AlignedText::slice(std::size_t begin, std::size_t end) const {
  AlignedText part = *this;
  part.keep(begin, end);
  if (begin > 0) part.place_ = aligned_ ? origin(begin, end).begin : place_ + begin;
  return part;
}

void AlignedText::keep(std::size_t begin, std::size_t end) {
  text_.erase(end);
  text_.erase(0, begin);
  if (!aligned_) return;
  origins_.erase(origins_.begin() + static_cast<std::ptrdiff_t>(end), origins_.end());
  origins_.erase(origins_.begin(), origins_.begin() + static_cast<std::ptrdiff_t>(begin));
}

TextRewrite::TextRewrite(AlignedText& text) : text_(text) {
  out_.reserve(text.text_.size() + 8);
  if (text.aligned_) origins_.reserve(text.text_.size() + 8);
}

void TextRewrite::skip(std::size_t characters) {
  for (; characters > 0 && at_ < text_.text_.size(); --characters) next_code_point(text_.text_, at_);
}

void TextRewrite::put(char32_t point, int change) {
  const std::size_t before = out_.size();
  append_utf8(out_, point);
  if (text_.aligned_) {
    TextRange origin{text_.place_, text_.place_};
    if (change > 0 && at_ > 0) {
      origin = text_.origins_[at_ - 1];
    } else if (change <= 0) {
      HONE_ASSERT(at_ < text_.origins_.size());
      origin = text_.origins_[at_];
    }
    origins_.resize(origins_.size() + (out_.size() - before), origin);
  }
  if (change <= 0) skip(static_cast<std::size_t>(1 - change));
}

void TextRewrite::copy(std::size_t bytes) {
  out_.append(text_.text_, at_, bytes);
  if (text_.aligned_) {
    const auto first = text_.origins_.begin() + static_cast<std::ptrdiff_t>(at_);
    origins_.insert(origins_.end(), first, first + static_cast<std::ptrdiff_t>(bytes));
  }
  at_ += bytes;
}

void TextRewrite::replace(std::size_t bytes, std::string_view replacement) {
  const std::size_t end = at_ + bytes;
  if (!text_.aligned_) {
    out_ += replacement;
    at_ = end;
    return;
  }
  for (std::size_t i = 0; i < replacement.size();) {
    const char32_t point = next_code_point(replacement, i);
    if (at_ >= end) {
      put(point, 1);
    } else {
      put(point, 0);
      if (i == replacement.size()) at_ = end;
    }
  }
  at_ = end;
}

void TextRewrite::finish() {
  text_.text_ = std::move(out_);
  text_.origins_ = std::move(origins_);
}

}  // namespace hone
