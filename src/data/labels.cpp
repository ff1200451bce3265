#include "data/labels.h"

#include <algorithm>
#include <charconv>

#include "base/error.h"
#include "base/format.h"

namespace hone {

namespace {

bool is_integer(const std::string& name, std::int64_t& value) {
  const char* end = name.data() + name.size();
  const auto [stop, error] = std::from_chars(name.data(), end, value);
  return error == std::errc() && stop == end;
}

void sort_names(std::vector<std::string>& names) {
  std::int64_t value = 0;
  const bool numbers =
      std::all_of(names.begin(), names.end(), [&](const auto& name) { return is_integer(name, value); });
  if (!numbers) return std::sort(names.begin(), names.end());
  std::sort(names.begin(), names.end(), [](const std::string& a, const std::string& b) {
    std::int64_t x = 0, y = 0;
    is_integer(a, x), is_integer(b, y);
    return x != y ? x < y : a < b;
  });
}

}  // namespace

LabelSet LabelSet::of(std::span<const std::string> labels) {
  std::map<std::string, std::int64_t> counted;
  for (const std::string& label : labels) ++counted[label];
  LabelSet set;
  for (const auto& [name, count] : counted) set.names_.push_back(name);
  sort_names(set.names_);
  for (const std::string& name : set.names_) set.counts_.push_back(counted[name]);
  set.index();
  return set;
}

LabelSet LabelSet::in_order(std::span<const std::string> names) const {
  HONE_ASSERT(static_cast<std::int64_t>(names.size()) == size());
  LabelSet set;
  for (const std::string& name : names) {
    const std::int64_t id = find(name);
    HONE_ASSERT(id >= 0);
    set.names_.push_back(name);
    set.counts_.push_back(counts_[static_cast<std::size_t>(id)]);
  }
  set.index();
  HONE_ASSERT(set.ids_.size() == names.size());
  return set;
}

void LabelSet::index() {
  for (std::size_t i = 0; i < names_.size(); ++i) ids_[names_[i]] = static_cast<std::int64_t>(i);
}

const std::string& LabelSet::name(std::int64_t id) const {
  HONE_ASSERT(id >= 0 && id < size());
  return names_[static_cast<std::size_t>(id)];
}

std::int64_t LabelSet::find(std::string_view name) const {
  const auto found = ids_.find(name);
  return found == ids_.end() ? -1 : found->second;
}

std::int64_t LabelSet::id(std::string_view name, std::string_view where) const {
  const std::int64_t id = find(name);
  if (id < 0)
    fail(ErrorKind::data, "{}: label '{}' is none of the {} classes{}", where, name, size(), suggestion(name, names_));
  return id;
}

Json LabelSet::to_json() const {
  Json names = Json::array(), counts = Json::array();
  for (const std::string& name : names_) names.push_back(name);
  for (const std::int64_t count : counts_) counts.push_back(count);
  return Json::Object{{"names", names}, {"counts", counts}};
}

LabelSet LabelSet::from_json(const Json& json, std::string_view source) {
  const Json* names = json.find("names");
  const Json* counts = json.find("counts");
  if (names == nullptr || counts == nullptr || !names->is_array() || !counts->is_array() ||
      names->as_array().size() != counts->as_array().size()) {
    fail(ErrorKind::data, "{}: labels need `names` and `counts`, two lists of the same length", source);
  }
  LabelSet set;
  for (const Json& name : names->as_array()) set.names_.push_back(name.as_string());
  for (const Json& count : counts->as_array()) set.counts_.push_back(count.as_integer());
  set.index();
  if (set.ids_.size() != set.names_.size()) fail(ErrorKind::data, "{}: two labels have the same name", source);
  return set;
}

}  // namespace hone
