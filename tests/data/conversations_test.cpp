#include <doctest/doctest.h>

#include <algorithm>

#include "data/class_examples.h"
#include "data/examples.h"
#include "support/error_of.h"
#include "support/scratch.h"
#include "support/test_data.h"
#include "text/byte_tokenizer.h"

namespace hone {

namespace {

using Ids = std::vector<std::int32_t>;

constexpr std::string_view chatml =
    "{% for m in messages %}<|bos|>{{ m.role }}\n{{ m.content }}"
    "{% for call in m.tool_calls or [] %}{{ call.function | tojson }}{% endfor %}<|eos|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|bos|>assistant\n{% endif %}";

/// A byte a token, and turns between <|bos|> and <|eos|>.
std::unique_ptr<Tokenizer> chatting(std::string_view chat_template = chatml) {
  std::unique_ptr<Tokenizer> tokenizer = byte_tokenizer();
  tokenizer->set_chat(ChatFormat::given(std::string(chat_template)));
  return tokenizer;
}

Dataset dataset(const test::Scratch& scratch, std::string_view jsonl) {
  return Dataset::load("d", {.path = scratch.file("d.jsonl", jsonl).string()});
}

std::string learned_text(const Tokenizer& tokenizer, const TokenExample& example) {
  Ids ids;
  for (std::size_t t = 0; t < example.ids.size(); ++t) {
    if (example.learns(static_cast<std::int64_t>(t))) ids.push_back(example.ids[t]);
  }
  return tokenizer.decode(ids, SkipSpecial::no);
}

constexpr std::string_view two_turns =
    R"({"messages": [{"role": "user", "content": "a<|eos|>"}, {"role": "assistant", "content": "b"},)"
    R"( {"role": "user", "content": "c"}, {"role": "assistant", "content": "d"}]})"
    "\n";

EncodedRows completions(const Dataset& data, const Tokenizer& tokenizer, const ExampleRules& rules,
                        std::int64_t context = 200) {
  return encode_completions(data, Split::train, tokenizer, context, rules);
}

}  // namespace

TEST_CASE("data: every turn of the assistant is learned, the last one, or everything") {
  const test::Scratch scratch;
  const auto tokenizer = chatting();
  const Dataset data = dataset(scratch, two_turns);
  const EncodedRows all = completions(data, *tokenizer, {});
  REQUIRE(all.examples.size() == 1);
  const TokenExample& example = all.examples[0];
  CHECK(tokenizer->decode(example.ids, SkipSpecial::no) ==
        "<|bos|>user\na<|eos|><|eos|>\n<|bos|>assistant\nb<|eos|>\n<|bos|>user\nc<|eos|>\n<|bos|>assistant\nd<|eos|>\n");
  CHECK(std::count(example.ids.begin(), example.ids.end(), 256) == 4);  // not the one that the user wrote
  CHECK(learned_text(*tokenizer, example) == "b<|eos|>\nd<|eos|>\n");
  CHECK(example.target_tokens() == 6);
  CHECK(all.report.target_tokens == 6);

  const TokenExample last = completions(data, *tokenizer, {.learned = Learned::last_turn}).examples[0];
  CHECK(learned_text(*tokenizer, last) == "d<|eos|>\n");
  CHECK(last.learned.empty());
  CHECK(last.context_tokens == static_cast<std::int64_t>(last.ids.size()) - 3);
  const EncodedRows everything =
      encode_texts(data, Split::train, *tokenizer, 200, {.learned = Learned::everything});
  CHECK(everything.examples[0].ids == example.ids);
  CHECK(everything.examples[0].target_tokens() == static_cast<std::int64_t>(example.ids.size()) - 1);
}

TEST_CASE("data: marks of the template say what is learned") {
  const test::Scratch scratch;
  const auto tokenizer = chatting("{% for m in messages %}{% if m.role == 'assistant' %}<|bos|>{% generation %}"
                                  "{{ m.content }}<|eos|>{% endgeneration %}|{% else %}[{{ m.content }}]{% endif %}{% endfor %}");
  const Dataset data = dataset(scratch, two_turns);
  CHECK(learned_text(*tokenizer, completions(data, *tokenizer, {}).examples[0]) == "b<|eos|>d<|eos|>");
  CHECK(learned_text(*tokenizer, completions(data, *tokenizer, {.learned = Learned::last_turn}).examples[0]) ==
        "d<|eos|>");
}

TEST_CASE("data: a template that rewrites earlier turns lets the last one be learned") {
  const test::Scratch scratch;
  const auto tokenizer = chatting("{% for m in messages %}{{ m.role[0] }}:{{ m.content if loop.last or m.role == 'user' "
                                  "else '-' }}<|eos|>{% endfor %}{% if add_generation_prompt %}a:{% endif %}");
  const Dataset data = dataset(scratch, two_turns);
  HONE_CHECK_ERROR(data, completions(data, *tokenizer, {}), "d.jsonl:1", "messages[1]", "learn: last_turn");
  CHECK(learned_text(*tokenizer, completions(data, *tokenizer, {.learned = Learned::last_turn}).examples[0]) ==
        "d<|eos|>");
}

TEST_CASE("data: conversations longer than the context, without answers, and in a stream") {
  const test::Scratch scratch;
  const auto tokenizer = chatting();
  const Dataset data = dataset(scratch, two_turns);
  const EncodedRows left = completions(data, *tokenizer, {.overlong = Overlong::truncate_left}, 20);
  CHECK(left.examples[0].ids.size() == 20);
  CHECK(learned_text(*tokenizer, left.examples[0]) == "d<|eos|>\n");
  const EncodedRows right = completions(data, *tokenizer, {.overlong = Overlong::truncate_right}, 28);
  CHECK(learned_text(*tokenizer, right.examples[0]) == "b");
  CHECK(right.report.cut_rows == 1);
  HONE_CHECK_ERROR(data, completions(data, *tokenizer, {.overlong = Overlong::skip}, 20), "1 of 1 rows are longer");
  const auto blocks = completions(data, *tokenizer, {.packing = TextPacking::stream}, 20).examples;
  std::string learned;
  for (const TokenExample& block : blocks) {
    for (std::size_t t = 1; t < block.ids.size(); ++t) {
      if (block.learns(static_cast<std::int64_t>(t))) learned += tokenizer->id_to_token(block.ids[t]);
    }
  }
  CHECK(learned == "b<|eos|>Ċd<|eos|>Ċ");
  const Dataset asked = dataset(scratch, R"({"messages": [{"role": "user", "content": "a"}]})");
  HONE_CHECK_ERROR(data, completions(asked, *tokenizer, {}), "the answer of each of the 1 rows is empty");
  HONE_CHECK_ERROR(data, encode_completions(data, Split::train, *tokenizer, {200, 7}), "d.jsonl:1", "need a decoder");
}

TEST_CASE("data: two answers to a conversation are a pair of which the answers are learned") {
  const test::Scratch scratch;
  const auto tokenizer = chatting();
  const Dataset data = dataset(
      scratch, R"({"conversations": [{"from": "human", "value": "q"}], "chosen": {"from": "gpt", "value": "yes"},)"
               R"( "rejected": {"from": "gpt", "value": "no"}})");
  const auto pair = encode_pairs(data, Split::train, *tokenizer, 200).examples;
  REQUIRE(pair.size() == 2);
  CHECK(learned_text(*tokenizer, pair[0]) == "yes<|eos|>\n");
  CHECK(learned_text(*tokenizer, pair[1]) == "no<|eos|>\n");
  CHECK(pair[0].context_tokens == pair[1].context_tokens);
  CHECK(pair[0].learned.empty());
}

TEST_CASE("data: a conversation with a label is classified as the template writes it") {
  const test::Scratch scratch;
  const auto tokenizer = chatting();
  const Dataset data = dataset(scratch, R"({"messages": [{"role": "user", "content": "a<|eos|>"}], "label": "x"})" "\n"
                                        R"({"messages": [{"role": "user", "content": "b"}], "label": "y"})" "\n");
  CHECK(problem_type_of(data) == ProblemType::single_label);
  const ClassTargets targets{.classes = classes_of(data)};
  TextEncoder encoder(*tokenizer, 100, {});
  const std::vector<TokenExample> rows = encode_classified(data, Split::train, encoder, targets);
  REQUIRE(rows.size() == 2);
  CHECK(rows[0].ids == encode_chat(*tokenizer, conversation_of(data.rows(Split::train)[0]), GenerationPrompt::no, "here"));
  CHECK(rows[0].label == 0);
  CHECK(rows[1].label == 1);
  CHECK(rows[1].target_tokens() == 0);
  const std::size_t whole = rows[0].ids.size();
  TextEncoder cutting(*tokenizer, static_cast<std::int64_t>(whole) - 2, {.overlong = Overlong::truncate_left});
  const std::vector<TokenExample> cut = encode_classified(data, Split::train, cutting, targets);
  CHECK(cut[0].ids == Ids(rows[0].ids.begin() + 2, rows[0].ids.end()));
  const auto untold = byte_tokenizer();
  TextEncoder plain(*untold, 100, {});
  HONE_CHECK_ERROR(config, encode_classified(data, Split::train, plain, targets), "chat template", "d.jsonl:1");
}

TEST_CASE("data: calls of tools and their descriptions reach the template") {
  const test::Scratch scratch;
  const auto tokenizer = chatting(std::string("{{ tools | tojson }}|") + std::string(chatml));
  const Dataset data = dataset(
      scratch,
      R"({"tools": "[{\"name\": \"add\"}]", "conversations": [{"from": "human", "value": "1+1"},)"
      R"( {"from": "function_call", "value": "{\"name\": \"add\", \"arguments\": {\"a\": 1}}"},)"
      R"( {"from": "observation", "value": "2"}, {"from": "gpt", "value": "two"}]})");
  const TokenExample example = completions(data, *tokenizer, {}).examples[0];
  CHECK(tokenizer->decode(example.ids, SkipSpecial::no)
            .starts_with(R"([{"type": "function", "function": {"name": "add"}}]|<|bos|>user)"));
  CHECK(learned_text(*tokenizer, example) == "{\"name\": \"add\", \"arguments\": {\"a\": 1}}<|eos|>\ntwo<|eos|>\n");
}

TEST_CASE("data: messages may be JSON text, have parts, and calls in place of a text") {
  const test::Scratch scratch;
  const Dataset data = dataset(
      scratch, R"({"messages": "[{\"role\": \"user\", \"content\": [{\"type\": \"text\", \"text\": \"hi\"}]},)"
               R"( {\"role\": \"assistant\", \"content\": null, \"tool_calls\": [{\"function\": {\"name\": \"f\"}}]}]"})");
  const DataRow& row = data.rows(Split::train)[0];
  CHECK(row.messages[0].content == "hi");
  CHECK(row.messages[1].content.empty());
  CHECK(row.messages[1].fields.at("tool_calls").as_array().size() == 1);
  CHECK(to_json(row.messages).as_array()[0].at("content").is_array());
  const auto load = [&](std::string_view text) { return dataset(scratch, text); };
  HONE_CHECK_ERROR(data, load(R"({"messages": [{"role": "user", "content": null}]})"), "d.jsonl:1", "message 1");
  HONE_CHECK_ERROR(data, load(R"({"messages": "[{"})"), "d.jsonl:1", "JSON text");
  HONE_CHECK_ERROR(data, load(R"({"messages": [{"role": "user", "content": [{"type": "image"}]}]})"), "message 1");
  HONE_CHECK_ERROR(data, load(R"({"messages": [{"role": "user", "content": "a"}], "tools": 3})"), "`tools`");
  HONE_CHECK_ERROR(data, load(R"({"conversations": [{"from": "function_call", "value": "x"}]})"), "function_call");
}

TEST_CASE("data: the published conversations are rows") {
  HONE_NEEDS_TEST_DATA(folder);
  const auto tokenizer = chatting();
  const auto load = [&](const char* name) {
    return Dataset::load("d", {.path = (folder / "datasets/llamafactory_demo" / name).string()});
  };
  const EncodedRows calls = completions(load("glaive_toolcall_en_demo.json"), *tokenizer, {}, 1 << 16);
  CHECK(calls.examples.size() == 300);
  CHECK(calls.report.cut_rows == 0);
  CHECK(calls.report.target_tokens > 100000);
  const EncodedRows pairs = encode_pairs(load("dpo_en_demo.json"), Split::train, *tokenizer, 1 << 16);
  CHECK(pairs.examples.size() == 600);
}

}  // namespace hone
