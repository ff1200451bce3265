#include "io/file.h"
#include "text/byte_alphabet.h"
#include "text/tokenizer_json.h"

#include <algorithm>

namespace hone {
namespace {

Json typed(std::string_view type) {
  Json object = Json::object();
  object.set("type", Json(type));
  return object;
}

Json byte_level(bool add_prefix_space, bool use_regex) {
  Json step = typed("ByteLevel");
  step.set("add_prefix_space", add_prefix_space);
  step.set("trim_offsets", true);
  step.set("use_regex", use_regex);
  return step;
}

Json added_tokens_json(std::vector<AddedToken> added) {
  std::sort(added.begin(), added.end(), [](const AddedToken& a, const AddedToken& b) { return a.id < b.id; });
  Json list = Json::array();
  for (const AddedToken& token : added) {
    Json entry = Json::object();
    entry.set("id", static_cast<std::int64_t>(token.id));
    entry.set("content", token.text);
    entry.set("single_word", false);
    entry.set("lstrip", token.lstrip);
    entry.set("rstrip", token.rstrip);
    entry.set("normalized", token.normalized);
    entry.set("special", token.special);
    list.push_back(std::move(entry));
  }
  return list;
}

Json pre_tokenizer_json(const BpeSpec& spec) {
  Json last = byte_level(spec.add_prefix_space, spec.byte_level_split);
  if (spec.splits.empty()) return last;
  Json steps = Json::array();
  for (const std::string& pattern : spec.splits) {
    Json regex = Json::object();
    regex.set("Regex", pattern);
    Json step = typed("Split");
    step.set("pattern", std::move(regex));
    step.set("behavior", "Isolated");
    step.set("invert", false);
    steps.push_back(std::move(step));
  }
  steps.push_back(std::move(last));
  Json sequence = typed("Sequence");
  sequence.set("pretokenizers", std::move(steps));
  return sequence;
}

/// How tokenizer.json spells each id that its vocabulary holds; "" for an unused one.
std::vector<std::string> spellings(const BpeSpec& spec) {
  std::vector<std::string> result;
  for (const std::string& token : spec.tokens) result.push_back(to_byte_alphabet(token));
  for (const AddedToken& token : spec.added) {
    const auto id = static_cast<std::size_t>(token.id);
    if (id < result.size()) result[id] = token.text;
  }
  return result;
}

Json model_json(const BpeSpec& spec, const std::vector<std::string>& names) {
  Json::Object vocab;
  for (std::size_t id = 0; id < names.size(); ++id) {
    if (!names[id].empty()) vocab.emplace_back(names[id], Json(static_cast<std::int64_t>(id)));
  }
  Json::Array merges;
  for (const auto& [left, right] : spec.merges) {
    merges.push_back(Json(Json::Array{Json(names[static_cast<std::size_t>(left)]),
                                      Json(names[static_cast<std::size_t>(right)])}));
  }
  Json model = typed("BPE");
  for (const char* key : {"dropout", "unk_token", "continuing_subword_prefix", "end_of_word_suffix"}) {
    model.set(key, nullptr);
  }
  model.set("fuse_unk", false);
  model.set("byte_fallback", false);
  model.set("ignore_merges", spec.ignore_merges);
  model.set("vocab", Json(std::move(vocab)));
  model.set("merges", Json(std::move(merges)));
  return model;
}

Json template_item(std::string_view kind, const std::string& id, int type_id) {
  Json body = Json::object();
  body.set("id", id);
  body.set("type_id", type_id);
  Json item = Json::object();
  item.set(std::string(kind), std::move(body));
  return item;
}

/// The single text and the pair of texts, each with its prefix and suffix.
Json template_json(const BpeSpec& spec, const auto& name_of) {
  Json result = typed("TemplateProcessing");
  Json::Array single, pair;
  Json special = Json::object();
  const auto put = [&](Json::Array& out, const std::vector<std::int32_t>& ids, int type_id) {
    for (const std::int32_t id : ids) {
      const std::string name = name_of(id);
      out.push_back(template_item("SpecialToken", name, type_id));
      Json entry = Json::object();
      entry.set("id", name);
      entry.set("ids", Json(Json::Array{Json(static_cast<std::int64_t>(id))}));
      entry.set("tokens", Json(Json::Array{Json(name)}));
      special.set(name, std::move(entry));
    }
  };
  const auto text = [&](Json::Array& out, const char* which, int type_id) {
    put(out, spec.prefix, type_id);
    out.push_back(template_item("Sequence", which, type_id));
    put(out, spec.suffix, type_id);
  };
  text(single, "A", 0);
  text(pair, "A", 0);
  text(pair, "B", 1);
  result.set("single", Json(std::move(single)));
  result.set("pair", Json(std::move(pair)));
  result.set("special_tokens", std::move(special));
  return result;
}

Json post_processor_json(const BpeSpec& spec, const std::vector<std::string>& names) {
  if (spec.prefix.empty() && spec.suffix.empty()) return byte_level(spec.add_prefix_space, spec.byte_level_split);
  return template_json(spec, [&](std::int32_t id) {
    for (const AddedToken& token : spec.added) {
      if (token.id == id) return token.text;
    }
    return names[static_cast<std::size_t>(id)];
  });
}

Json config_json(const BpeSpec& spec) {
  Json config = spec.config;
  if (config.is_null()) {
    config.set("tokenizer_class", "PreTrainedTokenizerFast");
    config.set("clean_up_tokenization_spaces", false);
  }
  const auto set = [&](const char* key, const std::optional<std::string>& name) {
    if (name || config.find(key) != nullptr) config.set(key, name ? Json(*name) : Json());
  };
  set("bos_token", spec.bos);
  set("eos_token", spec.eos);
  set("pad_token", spec.pad);
  return config;
}

}  // namespace

void write_tokenizer_json(const BpeSpec& spec, const std::filesystem::path& directory) {
  const std::vector<std::string> names = spellings(spec);
  Json root = Json::object();
  root.set("version", "1.0");
  root.set("truncation", nullptr);
  root.set("padding", nullptr);
  root.set("added_tokens", added_tokens_json(spec.added));
  root.set("normalizer", spec.nfc ? typed("NFC") : Json());
  root.set("pre_tokenizer", pre_tokenizer_json(spec));
  root.set("post_processor", post_processor_json(spec, names));
  root.set("decoder", byte_level(true, true));
  root.set("model", model_json(spec, names));
  write_file_atomic(directory / "tokenizer.json", root.dump(2) + "\n");
  write_file_atomic(directory / "tokenizer_config.json", config_json(spec).dump(2) + "\n");
}

}  // namespace hone
