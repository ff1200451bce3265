#include "io/safetensors.h"

#include "base/error.h"
#include "base/json.h"
#include "io/file.h"

#include <algorithm>
#include <cstring>
#include <limits>

namespace hone {
namespace {

namespace fs = std::filesystem;

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
  return {reinterpret_cast<const char*>(bytes.data()) + 8, static_cast<std::size_t>(length)};
}

/// Bytes that the shape needs; nothing when that overflows.
std::optional<std::uint64_t> bytes_needed(const TensorView& view) {
  std::uint64_t count = element_size(view.dtype);
  for (const std::int64_t size : view.shape) {
    const auto factor = static_cast<std::uint64_t>(size);
    if (factor != 0 && count > std::numeric_limits<std::uint64_t>::max() / factor) return std::nullopt;
    count *= factor;
  }
  return count;
}

const Json& member(const Json& entry, std::string_view key, const std::string& where) {
  const Json* value = entry.find(key);
  if (value == nullptr) fail(ErrorKind::data, "{}: the header gives no `{}`", where, key);
  return *value;
}

std::uint64_t natural(const Json& value, std::string_view what, const std::string& where) {
  if (!value.is_integer() || value.as_integer() < 0) {
    fail(ErrorKind::data, "{}: {} must be whole and not negative, not {}", where, what, value.dump());
  }
  return static_cast<std::uint64_t>(value.as_integer());
}

Entry parse_entry(const std::string& name, const Json& json, const std::string& file) {
  const std::string where = fmt::format("{}: tensor {}", file, name);
  Entry entry;
  entry.view.name = name;
  const Json& dtype = member(json, "dtype", where);
  const std::optional<DType> known = dtype.is_string() ? dtype_named(dtype.as_string()) : std::nullopt;
  if (!known) fail(ErrorKind::data, "{}: dtype {} is not supported", where, dtype.dump());
  entry.view.dtype = *known;
  const Json& shape = member(json, "shape", where);
  const Json& offsets = member(json, "data_offsets", where);
  if (!shape.is_array()) fail(ErrorKind::data, "{}: shape must be a list, not {}", where, shape.dump());
  for (const Json& size : shape.as_array()) {
    entry.view.shape.push_back(static_cast<std::int64_t>(natural(size, "a size of the shape", where)));
  }
  if (!offsets.is_array() || offsets.as_array().size() != 2) {
    fail(ErrorKind::data, "{}: data_offsets must be [begin, end], not {}", where, offsets.dump());
  }
  entry.begin = natural(offsets.as_array()[0], "data_offsets", where);
  entry.end = natural(offsets.as_array()[1], "data_offsets", where);
  const auto needed = bytes_needed(entry.view);
  if (entry.end < entry.begin || !needed || entry.end - entry.begin != *needed) {
    fail(ErrorKind::data, "{}: shape {} of {} needs {} bytes, data_offsets {} give {}", where, shape.dump(),
         dtype_name(entry.view.dtype), needed ? std::to_string(*needed) : "too many", offsets.dump(),
         static_cast<std::int64_t>(entry.end) - static_cast<std::int64_t>(entry.begin));
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

}  // namespace

void Safetensors::add_file(const fs::path& path) {
  const std::string file = path.string();
  const MappedFile& mapped = files_.emplace_back(path);
  const std::string_view text = header_text(mapped.bytes(), file);
  const Json header = Json::parse(text, file + " (header)");
  if (!header.is_object()) {
    fail(ErrorKind::data, "{}: the header must be a JSON object, not {}", file, header.type_name());
  }
  std::vector<Entry> entries;
  for (const auto& [name, json] : header.as_object()) {
    if (name != "__metadata__") {
      entries.push_back(parse_entry(name, json, file));
      continue;
    }
    if (!json.is_object()) fail(ErrorKind::data, "{}: __metadata__ must be an object of strings", file);
    for (const auto& [key, value] : json.as_object()) metadata_.emplace(key, value.as_string());
  }
  const std::span<const std::byte> data = mapped.bytes().subspan(8 + text.size());
  check_layout(entries, data.size(), file);
  for (Entry& entry : entries) {
    entry.view.bytes = data.subspan(entry.begin, entry.end - entry.begin);
    if (!by_name_.emplace(entry.view.name, tensors_.size()).second) {
      fail(ErrorKind::data, "{}: tensor {} is also in an earlier shard", file, entry.view.name);
    }
    tensors_.push_back(std::move(entry.view));
  }
}

void Safetensors::add_shards(const fs::path& index) {
  const std::string file = index.string();
  const Json json = Json::parse(read_file(index), file);
  const Json* map = json.find("weight_map");
  if (map == nullptr || !map->is_object()) fail(ErrorKind::data, "{}: expected an object `weight_map`", file);
  std::vector<std::string> shards;
  for (const auto& [tensor, shard] : map->as_object()) {
    const std::string& name = shard.as_string();
    if (fs::path(name).filename() != name) {
      fail(ErrorKind::data, "{}: shard {} of tensor {} must be a file beside the index", file, name, tensor);
    }
    if (std::find(shards.begin(), shards.end(), name) == shards.end()) shards.push_back(name);
  }
  std::sort(shards.begin(), shards.end());
  std::map<std::string, std::string> home;
  for (const std::string& shard : shards) {
    const std::size_t first = tensors_.size();
    add_file(index.parent_path() / shard);
    for (std::size_t i = first; i < tensors_.size(); ++i) home[tensors_[i].name] = shard;
  }
  for (const auto& [tensor, shard] : map->as_object()) {
    const auto found = home.find(tensor);
    if (found == home.end() || found->second != shard.as_string()) {
      fail(ErrorKind::data, "{}: tensor {} should be in {}, but that file does not have it", file, tensor,
           shard.as_string());
    }
  }
}

Safetensors Safetensors::open(const fs::path& path) {
  Safetensors result;
  fs::path file = path;
  if (fs::is_directory(path)) {
    file = path / "model.safetensors";
    if (!fs::exists(file)) file = path / "model.safetensors.index.json";
    if (!fs::exists(file)) {
      fail(ErrorKind::io, "{}: neither model.safetensors nor model.safetensors.index.json is in it", path.string());
    }
  }
  if (file.extension() == ".json") {
    result.add_shards(file);
  } else {
    result.add_file(file);
  }
  return result;
}

const TensorView* Safetensors::find(std::string_view name) const {
  const auto found = by_name_.find(std::string(name));
  return found == by_name_.end() ? nullptr : &tensors_[found->second];
}

void write_safetensors(const fs::path& path, std::span<const TensorView> tensors,
                       std::map<std::string, std::string> metadata) {
  std::vector<const TensorView*> order;
  for (const TensorView& tensor : tensors) order.push_back(&tensor);
  std::stable_sort(order.begin(), order.end(), [](const TensorView* a, const TensorView* b) {
    return element_size(a->dtype) > element_size(b->dtype);
  });
  metadata.emplace("format", "pt");
  Json::Object header;
  Json::Object words;
  for (auto& [key, value] : metadata) words.emplace_back(key, Json(value));
  header.emplace_back("__metadata__", Json(std::move(words)));
  std::int64_t offset = 0;
  std::unordered_map<std::string_view, bool> seen;
  for (const TensorView* tensor : order) {
    HONE_ASSERT(bytes_needed(*tensor) == tensor->bytes.size());
    HONE_ASSERT(seen.emplace(tensor->name, true).second);
    Json::Array shape(tensor->shape.begin(), tensor->shape.end());
    const auto end = offset + static_cast<std::int64_t>(tensor->bytes.size());
    Json::Object entry;
    entry.emplace_back("dtype", Json(dtype_name(tensor->dtype)));
    entry.emplace_back("shape", Json(std::move(shape)));
    entry.emplace_back("data_offsets", Json(Json::Array{Json(offset), Json(end)}));
    header.emplace_back(tensor->name, Json(std::move(entry)));
    offset = end;
  }
  std::string text = Json(std::move(header)).dump();
  text.append((8 - text.size() % 8) % 8, ' ');
  const std::uint64_t length = text.size();
  AtomicFile file(path);
  file.write(std::as_bytes(std::span(&length, 1)));
  file.write(text);
  for (const TensorView* tensor : order) file.write(tensor->bytes);
  file.commit();
}

}  // namespace hone
