#include "text/tokenizer_files.h"

#include "io/file.h"
#include "text/tokenizer_json_fields.h"

#include <algorithm>

namespace hone {
namespace {

namespace fs = std::filesystem;

constexpr const char* kNames[] = {"tokenizer.json",      "tokenizer_config.json",     "special_tokens_map.json",
                                  "added_tokens.json",   "vocab.json",                "merges.txt",
                                  "vocab.txt",           "tokenizer.model",           "spiece.model",
                                  "sentencepiece.bpe.model", "tiktoken.model",        "chat_template.jinja",
                                  "chat_template.json"};
constexpr const char* kMoreTemplates = "additional_chat_templates";

/// The Jinja files of a folder, by name; none when it does not exist.
std::vector<fs::path> jinja_files(const fs::path& folder) {
  std::vector<fs::path> files;
  if (!fs::is_directory(folder)) return files;
  for (const auto& entry : fs::directory_iterator(folder)) {
    if (entry.is_regular_file() && entry.path().extension() == ".jinja") files.push_back(entry.path());
  }
  std::sort(files.begin(), files.end());
  return files;
}

}  // namespace

TokenizerFiles TokenizerFiles::of_directory(const fs::path& directory) {
  TokenizerFiles result;
  for (const char* name : kNames) {
    if (fs::is_regular_file(directory / name)) result.add(name, read_file(directory / name));
  }
  for (const fs::path& file : jinja_files(directory / kMoreTemplates)) {
    result.add((fs::path(kMoreTemplates) / file.filename()).string(), read_file(file));
  }
  return result;
}

void TokenizerFiles::write(const fs::path& directory) const {
  for (const auto& [name, contents] : files_) {
    const fs::path path = directory / name;
    if (path.parent_path() != directory) make_directories(path.parent_path());
    write_file_atomic(path, contents);
  }
}

std::vector<NamedChatTemplate> read_chat_templates(const fs::path& directory) {
  std::vector<NamedChatTemplate> templates;
  const auto add_file = [&](std::string name, const fs::path& file) {
    templates.push_back({std::move(name), read_file(file), file.string()});
  };
  if (fs::exists(directory / "chat_template.jinja")) add_file("default", directory / "chat_template.jinja");
  for (const fs::path& file : jinja_files(directory / kMoreTemplates)) add_file(file.stem().string(), file);
  const fs::path config = directory / "tokenizer_config.json";
  if (!templates.empty() || !fs::exists(config)) return templates;
  const Json json = Json::parse(read_file(config), config.string());
  const JsonField field = JsonField(json, config.string())["chat_template"];
  if (field.is_null()) return templates;
  if (field.value().is_string()) return {{"default", field.string(), field.where()}};
  for (std::size_t i = 0; i < field.array().size(); ++i) {
    const JsonField entry = field.element(i);
    templates.push_back({entry["name"].string(), entry["template"].string(), entry.where()});
  }
  return templates;
}

}  // namespace hone
