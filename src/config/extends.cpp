#include "config/extends.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "config/document.h"
#include "config/environment_variables.h"

namespace hone {

namespace {

namespace fs = std::filesystem;

bool elements_have_names(const Node& list) {
  return std::all_of(list.items.begin(), list.items.end(),
                     [](const Node& item) { return item.is_map() && !item.element_name().empty(); });
}

bool kinds_differ(const Node& a, const Node& b) {
  const Node* kind_a = a.find("kind");
  const Node* kind_b = b.find("kind");
  return kind_a != nullptr && kind_b != nullptr && kind_a->text != kind_b->text;
}

void lay_list_over(Node& base, Node over) {
  std::set<std::string> merged;  // a name repeated in `over` stays a duplicate, for the reader to report
  for (Node& item : over.items) {
    const std::string name = item.element_name();
    const auto same = std::find_if(base.items.begin(), base.items.end(),
                                   [&](const Node& other) { return other.element_name() == name; });
    if (same != base.items.end() && merged.insert(name).second) {
      lay_over(*same, std::move(item));
    } else {
      merged.insert(name);
      base.items.push_back(std::move(item));
    }
  }
  base.mark = over.mark;
}

Node read_chain(const fs::path& path, std::vector<fs::path>& chain, Problems& problems);

Node read_base(const Node& extends, const fs::path& path, std::vector<fs::path>& chain, Problems& problems) {
  if (!extends.is_scalar()) {
    problems.stop(extends.mark, "extends", fmt::format("expected a file name, got {}", extends.found()));
  }
  const fs::path base = (path.parent_path() / extends.text).lexically_normal();
  std::error_code unknown;
  const fs::path identity = fs::weakly_canonical(base, unknown);
  if (std::find(chain.begin(), chain.end(), identity) != chain.end()) {
    problems.stop(extends.mark, "extends", fmt::format("{} extends itself through this file", base.string()));
  }
  if (chain.size() >= max_document_depth) {
    problems.stop(extends.mark, "extends", fmt::format("more than {} files extend each other", max_document_depth));
  }
  if (const FileText file = read_file_text(base); !file.failure.empty()) {
    problems.stop(extends.mark, "extends", fmt::format("cannot read {}: {}", base.string(), file.failure));
  }
  return read_chain(base, chain, problems);
}

Node read_chain(const fs::path& path, std::vector<fs::path>& chain, Problems& problems) {
  std::error_code unknown;
  chain.push_back(fs::weakly_canonical(path, unknown));
  Node node = read_document(path, problems);
  if (!node.is_map()) {
    problems.stop(
        node.mark, "",
        fmt::format("expected a map of keys, got {}{}", node.found(), node.is_null() ? ": the file is empty" : ""));
  }
  const auto entry = std::find_if(node.entries.begin(), node.entries.end(),
                                  [](const Node::Entry& one) { return one.key == "extends"; });
  if (entry == node.entries.end()) return node;
  Node extends = std::move(entry->value);
  node.entries.erase(entry);
  const std::size_t before = problems.size();
  expand_environment(extends, "extends", problems);
  if (problems.size() > before) problems.throw_if_any();
  Node base = read_base(extends, path, chain, problems);
  lay_over(base, std::move(node));
  return base;
}

}  // namespace

void lay_over(Node& base, Node over) {
  if (base.is_map() && over.is_map() && !kinds_differ(base, over)) {
    for (Node::Entry& entry : over.entries) {
      if (Node* present = base.find(entry.key)) {
        lay_over(*present, std::move(entry.value));
      } else {
        base.entries.push_back(std::move(entry));
      }
    }
    base.mark = over.mark;
  } else if (base.is_list() && over.is_list() && elements_have_names(base) && elements_have_names(over)) {
    lay_list_over(base, std::move(over));
  } else {
    base = std::move(over);
  }
}

Node read_with_bases(const fs::path& path, Problems& problems) {
  std::vector<fs::path> chain;
  return read_chain(path, chain, problems);
}

}  // namespace hone
