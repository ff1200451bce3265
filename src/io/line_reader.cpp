#include "io/line_reader.h"

#include "base/error.h"
#include "base/utf8.h"

#include <algorithm>

namespace hone {
namespace {

constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";

bool is_blank(std::string_view line) { return line.find_first_not_of(" \t\r\v\f") == std::string_view::npos; }

std::string latin1_to_utf8(std::string_view text) {
  std::string result;
  result.reserve(text.size() + text.size() / 8);
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x80) {
      result += c;
    } else {
      result += static_cast<char>(0xC0 | (byte >> 6));
      result += static_cast<char>(0x80 | (byte & 0x3F));
    }
  }
  return result;
}

}  // namespace

LineReader::LineReader(const std::filesystem::path& path, CharacterEncoding encoding)
    : source_(path.string()), encoding_(encoding), bytes_(path) {
  while (buffer_.size() < kByteOrderMark.size() && bytes_.read(buffer_)) {
  }
  if (encoding_ == CharacterEncoding::utf8 && buffer_.starts_with(kByteOrderMark)) used_ = kByteOrderMark.size();
}

bool LineReader::raw_line(std::string& line) {
  std::size_t searched = used_;
  while (true) {
    const std::size_t end = buffer_.find('\n', searched);
    if (end != std::string::npos) {
      line.assign(buffer_, used_, end - used_);
      used_ = end + 1;
      return true;
    }
    buffer_.erase(0, used_);
    used_ = 0;
    searched = buffer_.size();
    if (bytes_.read(buffer_)) continue;
    line.swap(buffer_);
    buffer_.clear();
    return !line.empty();
  }
}

void LineReader::decode(std::string& text, std::int64_t first_line) const {
  if (encoding_ == CharacterEncoding::latin1) {
    text = latin1_to_utf8(text);
    return;
  }
  const std::size_t bad = first_invalid_utf8(text);
  if (bad == std::string::npos) return;
  const auto start = text.begin();
  const auto at = start + static_cast<std::ptrdiff_t>(bad);
  const std::size_t newline = bad == 0 ? std::string::npos : text.rfind('\n', bad - 1);
  const std::size_t byte = newline == std::string::npos ? bad + 1 : bad - newline;
  fail(ErrorKind::data,
       "{}:{}: byte {} of the line (0x{:02x}) is not valid UTF-8; if the file is Latin-1, say `encoding: latin-1`",
       source_, first_line + std::count(start, at, '\n'), byte, static_cast<unsigned char>(text[bad]));
}

bool LineReader::next(std::string& line) {
  if (!raw_line(line)) return false;
  ++number_;
  if (line.ends_with('\r')) line.pop_back();
  decode(line, number_);
  return true;
}

bool LineReader::next_filled(std::string& line) {
  while (next(line)) {
    if (!is_blank(line)) return true;
  }
  return false;
}

std::string LineReader::rest() {
  while (bytes_.read(buffer_)) {
  }
  std::string text = buffer_.substr(used_);
  buffer_.clear();
  used_ = 0;
  decode(text, number_ + 1);
  return text;
}

}  // namespace hone
