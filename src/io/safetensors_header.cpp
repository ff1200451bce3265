#include "io/safetensors.h"

#include "base/error.h"
#include "base/json.h"

#include <algorithm>
#include <cstring>

namespace hone {
namespace {

constexpr std::uint64_t kMaxHeader = 100'000'000;  // the reference implementation's bound

/// Where a tensor's bytes lie, counted from the end of the header.
struct Entry {
  TensorView view;
  std::uint64_t begin = 0;
  std::uint64_t end = 0;
};

/// The header's JSON text; checks that the file is long enough for it.
std::string_view header_text(std::span<const std::byte> bytes, const std::string& file) {
  if (bytes.size() < 8) {
    fail(ErrorKind::data, "{}: {} bytes are too few for a safetensors file (the header's length takes 8)", file,
         bytes.size());
  }
  std::uint64_t length = 0;
  std::memcpy(&length, bytes.data(), 8);
  if (length > kMaxHeader) {
    fail(ErrorKind::data, "{}: not a safetensors file: a header of {} bytes (at most {} are allowed)", file, length,
         kMaxHeader);
  }
  if (length > bytes.size() - 8) {
    fail(ErrorKind::data, "{}: truncated: the header needs {} bytes, the file has {} after the length", file, length,
         bytes.size() - 8);
  }
  const std::string_view text(reinterpret_cast<const char*>(bytes.data()) + 8, static_cast<std::size_t>(length));
  if (!text.starts_with('{')) {
    fail(ErrorKind::data, "{}: not a safetensors file: the header must be a JSON object and begin with '{{'", file);
  }
  return text;
}

const Json& member(const Json& entry, std::string_view key, const std::string& where) {
  const Json* value = entry.find(key);
  if (value == nullptr) fail(ErrorKind::data, "{}: the header gives no `{}`", where, key);
  return *value;
}

std::int64_t natural(const Json& value, std::string_view what, const std::string& where) {
  if (!value.is_integer() || value.as_integer() < 0) {
    fail(ErrorKind::data, "{}: {} must be whole and not negative, not {}", where, what, value.dump());
  }
  return value.as_integer();
}

Entry parse_entry(const std::string& name, const Json& json, const std::string& file) {
  const std::string where = fmt::format("{}: tensor {}", file, name);
  if (!json.is_object()) fail(ErrorKind::data, "{}: expected an object, not {}", where, json.type_name());
  Entry entry;
  entry.view.name = name;
  const Json& dtype = member(json, "dtype", where);
  const std::optional<DType> known = dtype.is_string() ? dtype_named(dtype.as_string()) : std::nullopt;
  if (!known) fail(ErrorKind::data, "{}: dtype {} is not known", where, dtype.dump());
  entry.view.dtype = *known;
  const Json& shape = member(json, "shape", where);
  const Json& offsets = member(json, "data_offsets", where);
  if (!shape.is_array()) fail(ErrorKind::data, "{}: shape must be a list, not {}", where, shape.dump());
  for (const Json& size : shape.as_array()) entry.view.shape.push_back(natural(size, "a size of the shape", where));
  if (!offsets.is_array() || offsets.as_array().size() != 2) {
    fail(ErrorKind::data, "{}: data_offsets must be [begin, end], not {}", where, offsets.dump());
  }
  entry.begin = static_cast<std::uint64_t>(natural(offsets.as_array()[0], "data_offsets", where));
  entry.end = static_cast<std::uint64_t>(natural(offsets.as_array()[1], "data_offsets", where));
  const auto needed = byte_count(entry.view.dtype, entry.view.shape);
  if (entry.end < entry.begin || !needed || entry.end - entry.begin != *needed) {
    fail(ErrorKind::data, "{}: shape {} of {} needs {} bytes, data_offsets {} give {}", where, shape.dump(),
         dtype_name(entry.view.dtype), needed ? std::to_string(*needed) : "too many or no whole number of",
         offsets.dump(), static_cast<std::int64_t>(entry.end) - static_cast<std::int64_t>(entry.begin));
  }
  return entry;
}

/// Checks that the entries cover [0, size) exactly and sorts them by place.
void check_layout(std::vector<Entry>& entries, std::uint64_t size, const std::string& file) {
  std::stable_sort(entries.begin(), entries.end(), [](const Entry& a, const Entry& b) {
    return a.begin != b.begin ? a.begin < b.begin : a.end < b.end;
  });
  std::uint64_t covered = 0;
  for (const Entry& entry : entries) {
    if (entry.begin != covered) {
      fail(ErrorKind::data, "{}: tensor {} begins at byte {} of the data, expected {}: the ranges {}", file,
           entry.view.name, entry.begin, covered, entry.begin < covered ? "overlap" : "leave a hole");
    }
    if (entry.end > size) {
      fail(ErrorKind::data, "{}: truncated: tensor {} ends at byte {} of the data, the file has {}; fetch it again",
           file, entry.view.name, entry.end, size);
    }
    covered = entry.end;
  }
  if (covered != size) {
    fail(ErrorKind::data, "{}: the tensors take {} bytes, the file has {} after its header", file, covered, size);
  }
}

std::map<std::string, std::string> parse_metadata(const Json& json, const std::string& file) {
  if (!json.is_object()) {
    fail(ErrorKind::data, "{}: __metadata__ must be an object of strings, not {}", file, json.type_name());
  }
  std::map<std::string, std::string> metadata;
  for (const auto& [key, value] : json.as_object()) {
    if (!value.is_string()) {
      fail(ErrorKind::data, "{}: __metadata__ may hold strings only, but `{}` is {}", file, key, value.type_name());
    }
    metadata.emplace(key, value.as_string());
  }
  return metadata;
}

}  // namespace

SafetensorsContents parse_safetensors(std::span<const std::byte> file, const std::string& source) {
  const std::string_view text = header_text(file, source);
  const Json header = Json::parse_unique(text, source + " (header)");
  SafetensorsContents contents;
  std::vector<Entry> entries;
  for (const auto& [name, json] : header.as_object()) {
    if (name == "__metadata__") {
      contents.metadata = parse_metadata(json, source);
    } else {
      entries.push_back(parse_entry(name, json, source));
    }
  }
  const std::span<const std::byte> data = file.subspan(8 + text.size());
  check_layout(entries, data.size(), source);
  for (Entry& entry : entries) {
    entry.view.bytes = data.subspan(entry.begin, entry.end - entry.begin);
    contents.tensors.push_back(std::move(entry.view));
  }
  return contents;
}

}  // namespace hone
