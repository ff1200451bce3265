#pragma once

#include "base/error.h"

#include <initializer_list>
#include <optional>
#include <string>

namespace hone::test {

/// What an Error said and of which kind it was.
struct Caught {
  ErrorKind kind;
  std::string message;
  bool has(std::string_view part) const { return message.find(part) != std::string::npos; }
};

/// The Error that `action` throws, or nothing.
template <class Action>
std::optional<Caught> error_of(const Action& action) {
  try {
    action();
  } catch (const Error& error) {
    return Caught{error.kind(), error.what()};
  }
  return std::nullopt;
}

}  // namespace hone::test

/// Requires an Error of this kind whose message holds every further argument.
#define HONE_CHECK_ERROR(expected_kind, action, ...)                      \
  do {                                                                    \
    const auto caught = ::hone::test::error_of([&] { action; });          \
    REQUIRE_MESSAGE(caught.has_value(), "no error was thrown");           \
    INFO(caught->message);                                                \
    CHECK(caught->kind == ::hone::ErrorKind::expected_kind);              \
    for (const std::string_view part : std::initializer_list<std::string_view>{__VA_ARGS__}) {                   \
      INFO("missing: ", part);                                            \
      CHECK(caught->has(part));                                           \
    }                                                                     \
  } while (false)
