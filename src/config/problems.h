#pragma once

#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "config/node.h"

namespace hone {

/// Everything that is wrong with a configuration, collected so that one run shows all of it.
class Problems {
 public:
  /// `path` is the dotted key, or "" when the whole file is meant. The first problem with a value is the one that
  /// counts: what follows from it (an unset variable is no number either) is left out.
  void add(const Mark& mark, std::string_view path, std::string_view message);
  /// For what makes going on pointless: throws what was collected, this included.
  [[noreturn]] void stop(const Mark& mark, std::string_view path, std::string_view message);

  std::size_t size() const { return rows_.size(); }

  /// Error{config} with one line a problem, `place: key: message`, file by file in the order of their lines, the
  /// command line last.
  void throw_if_any() const;

 private:
  struct Row {
    std::size_t source;  ///< index of first appearance
    Mark mark;
    std::string text;
  };
  std::vector<std::string> sources_;
  std::set<std::string> known_;
  std::vector<Row> rows_;
};

}  // namespace hone
