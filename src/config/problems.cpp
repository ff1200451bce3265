#include "config/problems.h"

#include <algorithm>
#include <cstdlib>
#include <tuple>

#include "base/error.h"

namespace hone {

namespace {
constexpr std::size_t most_shown = 100;
}

void Problems::add(const Mark& mark, std::string_view path, std::string_view message) {
  if (!known_.insert(fmt::format("{} {}", mark.text(), path)).second) return;
  const std::string source = mark.source == nullptr ? "" : *mark.source;
  const auto place = std::find(sources_.begin(), sources_.end(), source);
  const auto index = static_cast<std::size_t>(place - sources_.begin());
  if (place == sources_.end()) sources_.push_back(source);
  std::string text = path.empty() ? fmt::format("{}: {}", mark.text(), message)
                                  : fmt::format("{}: {}: {}", mark.text(), path, message);
  rows_.push_back({index, mark, std::move(text)});
}

void Problems::stop(const Mark& mark, std::string_view path, std::string_view message) {
  add(mark, path, message);
  throw_if_any();
  std::abort();  // not reached: there is a problem
}

void Problems::throw_if_any() const {
  if (rows_.empty()) return;
  std::vector<const Row*> ordered;
  for (const Row& row : rows_) ordered.push_back(&row);
  std::stable_sort(ordered.begin(), ordered.end(), [](const Row* a, const Row* b) {
    const bool a_command = a->mark.line == 0, b_command = b->mark.line == 0;
    return std::tie(a_command, a->source, a->mark.line, a->mark.column) <
           std::tie(b_command, b->source, b->mark.line, b->mark.column);
  });
  std::string message;
  for (std::size_t i = 0; i < ordered.size() && i < most_shown; ++i) {
    if (i > 0) message += '\n';
    message += ordered[i]->text;
  }
  if (ordered.size() > most_shown) message += fmt::format("\n… and {} more problems", ordered.size() - most_shown);
  throw Error(ErrorKind::config, message);
}

}  // namespace hone
