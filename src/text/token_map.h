#pragma once

#include "text/byte_map.h"

#include <memory>
#include <optional>

namespace hone {

/// The spellings of a vocabulary, by id and back. "" stands for an id that is not used.
class TokenMap {
 public:
  explicit TokenMap(std::vector<std::string> tokens)
      : tokens_(std::make_unique<std::vector<std::string>>(std::move(tokens))), ids_(*tokens_) {}

  /// -1 when there is no such token.
  std::int32_t find(std::string_view token) const { return ids_.find(token); }
  std::optional<std::int32_t> id(std::string_view token) const {
    const std::int32_t found = token.empty() ? -1 : find(token);
    return found < 0 ? std::nullopt : std::optional(found);
  }
  const std::string& token(std::int32_t id) const { return (*tokens_)[static_cast<std::size_t>(id)]; }
  std::int32_t size() const { return static_cast<std::int32_t>(tokens_->size()); }

 private:
  std::unique_ptr<std::vector<std::string>> tokens_;  // in a place of its own: the map points at it
  ByteMap ids_;
};

}  // namespace hone
