#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <memory>

#include "app/catalog.h"
#include "app/commands.h"
#include "app/root_config.h"
#include "base/error.h"
#include "base/format.h"
#include "config/overrides.h"
#include "config/reader.h"
#include "data/audit.h"
#include "io/file.h"
#include "text/tokenizer_json.h"

namespace hone {

namespace {

namespace fs = std::filesystem;

/// What is looked at, and with which tokenizer.
struct Audited {
  std::map<std::string, DataConfig> entries;
  std::vector<std::string> names;
  std::uint64_t seed = 1;
  std::optional<std::string> tokenizer;
};

bool is_run_file(const std::string& file) {
  const std::string extension = fs::path(file).extension().string();
  return extension == ".yaml" || extension == ".yml";
}

Audited of_run_file(const AuditCommand& command) {
  const RootConfig config = load_root(command.file.file, command.file.overrides);
  Audited audited{.seed = static_cast<std::uint64_t>(config.run.seed)};
  for (const auto& [name, entry] : config.data) {
    audited.entries[name] = entry;
    if (command.data.empty() || command.data == name) audited.names.push_back(name);
  }
  audited.tokenizer = config.tokenizer.path ? config.tokenizer.path : config.model.path;
  if (!audited.names.empty()) return audited;
  std::vector<std::string> known;
  for (const auto& [name, entry] : audited.entries) known.push_back(name);
  fail(ErrorKind::config, "{}: there is no data set '{}'{}", command.file.file, command.data,
       suggestion(command.data, known));
}

/// A file alone; overrides are keys of an entry of `data:`.
Audited of_data_file(const AuditCommand& command) {
  return {.entries = {{"file", data_entry(command.file.file, command.file.overrides)}}, .names = {"file"}};
}

/// What the model beside the tokenizer reads at most; 0 when none says so.
std::int64_t context_of(const std::string& directory) {
  const fs::path file = fs::path(directory) / "config.json";
  if (!fs::exists(file)) return 0;
  const Json config = Json::parse(read_file(file), file.string());
  for (const char* key : {"max_position_embeddings", "n_positions", "n_ctx"}) {
    const Json* found = config.find(key);
    if (found != nullptr && found->is_integer()) return found->as_integer();
  }
  return 0;
}

std::string percent(std::int64_t part, std::int64_t whole) {
  return whole == 0 ? "" : fmt::format("{:.1f} %", 100.0 * static_cast<double>(part) / static_cast<double>(whole));
}

using Named = std::pair<std::string, BySplit>;

void print_counts(const std::string& title, std::vector<Named> counts, const BySplit& rows) {
  constexpr std::size_t most = 20;
  std::ranges::stable_sort(counts, [](const Named& a, const Named& b) { return a.second > b.second; });
  Table table({{title}, {"training", Align::right}, {"share", Align::right}, {"held-out", Align::right},
               {"share", Align::right}});
  for (std::size_t i = 0; i < std::min(counts.size(), most); ++i) {
    const auto& [name, count] = counts[i];
    table.add({name, format_count(count[0]), percent(count[0], rows[0]), format_count(count[1]),
               percent(count[1], rows[1])});
  }
  std::printf("%s", table.text().c_str());
  if (counts.size() > most) {
    std::printf("and %zu more, the smallest with %s\n", counts.size() - most,
                format_count(counts.back().second[0]).c_str());
  }
  std::puts("");
}

void print_lengths(const DataAudit& found) {
  Table table({{"lengths"}, {"unit"}, {"min", Align::right}, {"median", Align::right}, {"mean", Align::right},
               {"90 %", Align::right}, {"99 %", Align::right}, {"max", Align::right}});
  for (const LengthSummary& l : found.lengths) {
    table.add({l.split, l.unit, format_count(l.least), format_count(l.median), fmt::format("{:.1f}", l.mean),
               format_count(l.p90), format_count(l.p99), format_count(l.most)});
  }
  std::printf("%s\n", table.text().c_str());
}

void print_findings(const DataAudit& found) {
  if (found.findings.empty()) {
    std::puts("nothing to report: no duplicates, no leakage, no broken texts");
    return;
  }
  Table table({{"training", Align::right}, {"held-out", Align::right}, {"rows that"}, {"first"}});
  for (const AuditFinding& finding : found.findings) {
    table.add({format_count(finding.rows[0]), format_count(finding.rows[1]), finding.what, finding.places.front()});
  }
  std::printf("%s", table.text().c_str());
  if (found.cut_tokens > 0) std::printf("%s tokens will be cut\n", format_count(found.cut_tokens).c_str());
}

void print(const DataAudit& found) {
  std::printf("%s: %s training and %s held-out rows of %s\n\n", found.name.c_str(), format_count(found.rows[0]).c_str(),
              format_count(found.rows[1]).c_str(), std::string(found.shape).c_str());
  if (!found.labels.empty()) {
    const std::vector<Named> labels(found.labels.begin(), found.labels.end());
    BySplit all{};
    for (const auto& [name, count] : labels) all[0] += count[0], all[1] += count[1];
    print_counts("label", labels, all);
  }
  print_counts("script", {found.scripts.begin(), found.scripts.end()}, found.rows);
  print_lengths(found);
  print_findings(found);
}

}  // namespace

DataConfig data_entry(const std::string& path, std::span<const std::string> overrides) {
  Problems problems;
  Node root = Node::map();
  root.add("path", Node::scalar(path, true));
  apply_overrides(root, overrides, problems);
  DataConfig config;
  read_fields(root, built_in(), [&](Fields& f) { config.describe(f); }, problems);
  problems.throw_if_any();
  return config;
}

void command_data_audit(const AuditCommand& command) {
  Audited audited = is_run_file(command.file.file) ? of_run_file(command) : of_data_file(command);
  if (!command.tokenizer.empty()) audited.tokenizer = command.tokenizer;
  std::unique_ptr<Tokenizer> tokenizer;
  AuditOptions options{.context = command.context, .near = command.near, .shingle = command.shingle};
  if (audited.tokenizer) {
    tokenizer = load_tokenizer(*audited.tokenizer);
    options.tokenizer = tokenizer.get();
    if (options.context == 0) options.context = context_of(*audited.tokenizer);
  } else if (command.context > 0) {
    fail(ErrorKind::usage, "--context counts tokens, so it needs --tokenizer");
  }
  for (const std::string& name : audited.names) {
    const DataAudit found = audit(load_dataset(name, audited.entries, audited.seed, tokenizer.get()), options);
    command.json ? static_cast<void>(std::puts(found.to_json().dump().c_str())) : print(found);
  }
}

}  // namespace hone
