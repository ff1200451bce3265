#include "text/jinja/text.h"

#include <algorithm>
#include <cstring>

#include "text/jinja/runtime.h"

namespace hone::jinja {

namespace {

constexpr std::size_t growing_from = 1024;  // shorter texts are copied: cheaper than keeping room

const Mark* copy_marks(Runtime& runtime, std::span<const Mark> marks) {
  if (marks.empty()) return nullptr;
  Mark* copy = runtime.array<Mark>(marks.size());
  std::copy(marks.begin(), marks.end(), copy);
  return copy;
}

const Mark* one_mark(Runtime& runtime, std::size_t size, std::uint8_t flags) {
  if (size == 0 || flags == 0) return nullptr;
  return runtime.make<Mark>(0u, static_cast<std::uint32_t>(size), flags);
}

/// Marks of two texts, one behind the other.
void join_marks(Runtime& runtime, const Str& a, const Str& b, Str& joined) {
  if (a.mark_count + b.mark_count == 0) return;
  Mark* marks = runtime.array<Mark>(a.mark_count + b.mark_count);
  std::size_t count = a.mark_count;
  std::copy_n(a.marks, count, marks);
  const auto shift = static_cast<std::uint32_t>(a.size);
  for (const Mark& mark : b.mark_span()) {
    if (count > 0 && marks[count - 1].end == mark.begin + shift && marks[count - 1].flags == mark.flags) {
      marks[count - 1].end = mark.end + shift;
    } else {
      marks[count++] = {mark.begin + shift, mark.end + shift, mark.flags};
    }
  }
  joined.marks = marks;
  joined.mark_count = count;
}

}  // namespace

void TextBuilder::mark(std::size_t begin, std::size_t end, std::uint8_t flags) {
  if (begin == end || flags == 0) return;
  if (!marks_.empty() && marks_.back().end == begin && marks_.back().flags == flags) {
    marks_.back().end = static_cast<std::uint32_t>(end);
  } else {
    marks_.push_back({static_cast<std::uint32_t>(begin), static_cast<std::uint32_t>(end), flags});
  }
}

void TextBuilder::append(std::string_view text, std::uint8_t flags) {
  runtime_.check_string_size(bytes_.size() + text.size());
  mark(bytes_.size(), bytes_.size() + text.size(), flags);
  bytes_ += text;
}

void TextBuilder::append_part(const Str& text, std::size_t begin, std::size_t end) {
  if (begin >= end) return;
  runtime_.check_string_size(bytes_.size() + (end - begin));
  const std::size_t base = bytes_.size();
  bytes_.append(text.data + begin, end - begin);
  for (const Mark& m : text.mark_span()) {
    const std::size_t from = std::max<std::size_t>(m.begin, begin);
    const std::size_t to = std::min<std::size_t>(m.end, end);
    if (from < to) mark(base + from - begin, base + to - begin, m.flags);
  }
}

void TextBuilder::add_flags(std::size_t begin, std::uint8_t flags) {
  std::size_t kept = marks_.size();
  while (kept > 0 && marks_[kept - 1].end > begin) --kept;
  const std::vector<Mark> tail(marks_.begin() + static_cast<std::ptrdiff_t>(kept), marks_.end());
  marks_.resize(kept);
  std::size_t at = begin;
  for (const Mark& m : tail) {
    if (m.begin < begin) mark(m.begin, begin, m.flags);
    const std::size_t from = std::max<std::size_t>(m.begin, begin);
    mark(at, from, flags);
    mark(from, m.end, m.flags | flags);
    at = m.end;
  }
  mark(at, bytes_.size(), flags);
}

const Str* TextBuilder::finish(bool safe) {
  char* bytes = runtime_.array<char>(bytes_.size());
  std::memcpy(bytes, bytes_.data(), bytes_.size());
  return runtime_.make<Str>(bytes, bytes_.size(), copy_marks(runtime_, marks_), marks_.size(), safe);
}

const Str* make_str(Runtime& runtime, std::string_view text, std::uint8_t flags) {
  runtime.check_string_size(text.size());
  char* bytes = runtime.array<char>(text.size());
  std::memcpy(bytes, text.data(), text.size());
  return borrow_str(runtime, {bytes, text.size()}, flags);
}

const Str* borrow_str(Runtime& runtime, std::string_view text, std::uint8_t flags) {
  const Mark* mark = one_mark(runtime, text.size(), flags);
  return runtime.make<Str>(text.data(), text.size(), mark, mark == nullptr ? 0u : 1u);
}

const Str* concat(Runtime& runtime, const Str& a, const Str& b) {
  if (b.size == 0) return &a;
  if (a.size == 0) return &b;
  const std::size_t size = a.size + b.size;
  runtime.check_string_size(size);
  Str joined{.size = size};
  join_marks(runtime, a, b, joined);
  if (a.growth != nullptr && a.growth->used == a.size && a.growth->capacity >= size) {
    std::memcpy(const_cast<char*>(a.data) + a.size, b.data, b.size);
    a.growth->used = size;
    joined.data = a.data;
    joined.growth = a.growth;
    return runtime.make<Str>(joined);
  }
  const std::size_t capacity = size < growing_from ? size : size * 2;
  char* bytes = runtime.array<char>(capacity);
  std::memcpy(bytes, a.data, a.size);
  std::memcpy(bytes + a.size, b.data, b.size);
  joined.data = bytes;
  if (capacity > size) joined.growth = runtime.make<Growth>(size, capacity);
  return runtime.make<Str>(joined);
}

const Str* part(Runtime& runtime, const Str& text, std::size_t begin, std::size_t end) {
  if (begin == 0 && end == text.size) return &text;
  Str piece{.data = text.data + begin, .size = end - begin, .safe = text.safe};
  const auto inside = [&](const Mark& m) { return m.end > begin && m.begin < end; };
  const auto count = static_cast<std::size_t>(std::ranges::count_if(text.mark_span(), inside));
  if (count > 0) {
    Mark* marks = runtime.array<Mark>(count);
    piece.marks = marks;
    piece.mark_count = count;
    for (const Mark& m : text.mark_span()) {
      if (!inside(m)) continue;
      *marks++ = {static_cast<std::uint32_t>(std::max<std::size_t>(m.begin, begin) - begin),
                  static_cast<std::uint32_t>(std::min<std::size_t>(m.end, end) - begin), m.flags};
    }
  }
  return runtime.make<Str>(piece);
}

}  // namespace hone::jinja
