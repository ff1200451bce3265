#include "config/environment_variables.h"

#include <fmt/format.h>

#include <cstdlib>

#include "base/utf8.h"

namespace hone {

namespace {

constexpr std::string_view opening = "${env:";

/// The value of one reference, the text between `${env:` and `}`.
std::string value_of(std::string_view reference, const Node& node, const std::string& path, Problems& problems) {
  const auto dash = reference.find(":-");
  const std::string name(reference.substr(0, dash));
  const char* value = name.empty() ? nullptr : std::getenv(name.c_str());
  if (value == nullptr && dash != reference.npos) return std::string(reference.substr(dash + 2));
  if (value == nullptr) {
    problems.add(node.mark, path,
                 fmt::format("the environment variable {} is not set; set it or write ${{env:{}:-default}}",
                             quoted_for_message(name), name));
    return "";
  }
  if (first_invalid_utf8(value) != std::string_view::npos) {
    problems.add(node.mark, path, fmt::format("the environment variable '{}' is not valid UTF-8", name));
  }
  return valid_utf8(value);
}

void expand_scalar(Node& node, const std::string& path, Problems& problems) {
  std::string result;
  std::string_view rest = node.text;
  for (auto at = rest.find(opening); at != rest.npos; at = rest.find(opening)) {
    if (at > 0 && rest[at - 1] == '$') {
      result.append(rest.substr(0, at - 1)).append(opening);
      rest.remove_prefix(at + opening.size());
      continue;
    }
    const auto end = rest.find('}', at);
    if (end == rest.npos) {
      problems.add(node.mark, path, "'${env:' is not closed; write ${env:NAME}, or $${env: for the text itself");
      return;
    }
    const auto name_at = at + opening.size();
    result.append(rest.substr(0, at)).append(value_of(rest.substr(name_at, end - name_at), node, path, problems));
    node.quoted = false;
    rest.remove_prefix(end + 1);
  }
  node.text = result.append(rest);
}

}  // namespace

void expand_environment(Node& node, const std::string& path, Problems& problems) {
  if (node.is_scalar()) expand_scalar(node, path, problems);
  for (std::size_t i = 0; i < node.items.size(); ++i) {
    expand_environment(node.items[i], element_path(path, node.items[i], i), problems);
  }
  for (Node::Entry& entry : node.entries) expand_environment(entry.value, join_path(path, entry.key), problems);
}

std::string escape_environment(std::string_view text) {
  std::string result;
  for (auto at = text.find(opening); at != text.npos; at = text.find(opening)) {
    result.append(text.substr(0, at)).append("$").append(opening);
    text.remove_prefix(at + opening.size());
  }
  return result.append(text);
}

}  // namespace hone
