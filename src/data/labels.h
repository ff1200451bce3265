#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"

namespace hone {

/// The classes of a labelled data set. Ids follow the sorted names: by number when every name is an integer, else by
/// bytes; so the same labels give the same ids in any order of rows. Saved beside the model that learned them.
class LabelSet {
 public:
  LabelSet() = default;
  /// From labels as they occur, repeated.
  static LabelSet of(std::span<const std::string> labels);

  /// The same classes with ids in this order, which names each of them once.
  LabelSet in_order(std::span<const std::string> names) const;

  std::int64_t size() const { return static_cast<std::int64_t>(names_.size()); }
  const std::string& name(std::int64_t id) const;
  const std::vector<std::string>& names() const { return names_; }
  /// How often each class occurred, by id.
  const std::vector<std::int64_t>& counts() const { return counts_; }
  /// -1 when there is no such class.
  std::int64_t find(std::string_view name) const;
  /// Error{data} that opens with `where` and lists the classes when there is no such class.
  std::int64_t id(std::string_view name, std::string_view where) const;

  /// {"names": [...], "counts": [...]}
  Json to_json() const;
  /// Error{data} that opens with `source` when it is not what to_json writes.
  static LabelSet from_json(const Json& json, std::string_view source);

 private:
  void index();

  std::vector<std::string> names_;
  std::vector<std::int64_t> counts_;
  std::map<std::string, std::int64_t, std::less<>> ids_;
};

}  // namespace hone
