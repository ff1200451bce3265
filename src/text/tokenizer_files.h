#pragma once

#include <filesystem>
#include <string>
#include <utility>
#include <vector>

namespace hone {

/// The files that a tokenizer consists of, to be written back as they are.
class TokenizerFiles {
 public:
  TokenizerFiles() = default;
  /// Those of a directory: tokenizer.json and its kin, vocabularies, chat templates.
  static TokenizerFiles of_directory(const std::filesystem::path& directory);

  void add(std::string name, std::string contents) { files_.emplace_back(std::move(name), std::move(contents)); }
  /// Into a directory that exists.
  void write(const std::filesystem::path& directory) const;

 private:
  std::vector<std::pair<std::string, std::string>> files_;  ///< path inside the directory, contents
};

/// A chat template of a model directory.
struct NamedChatTemplate {
  std::string name;    ///< "default", if it is the only one
  std::string source;  ///< Jinja
  std::string where;   ///< the file, for messages
};

/// The chat templates of a directory: chat_template.jinja and additional_chat_templates/*.jinja, else `chat_template` of
/// tokenizer_config.json, a string or a list of names and templates. Empty when there are none.
std::vector<NamedChatTemplate> read_chat_templates(const std::filesystem::path& directory);

}  // namespace hone
