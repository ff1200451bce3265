#include "support/committed_golden.h"
#include "text/jinja/template.h"

#include <doctest/doctest.h>

namespace hone {
namespace {

std::string fnv(std::string_view text) {
  std::uint64_t value = 0xCBF29CE484222325;
  for (const char c : text) value = (value ^ static_cast<unsigned char>(c)) * 0x100000001B3;
  return fmt::format("{:016x}", value);
}

std::tm fixed_time() {
  std::tm time{};
  time.tm_year = 124, time.tm_mon = 6, time.tm_mday = 26, time.tm_wday = 5, time.tm_yday = 207;
  time.tm_hour = 13, time.tm_min = 5, time.tm_sec = 9;
  return time;
}

jinja::Rendered rendered(std::string_view source, const Json& variables) {
  return jinja::Template(source, "snippet").render(fixed_time(), [&](jinja::Runtime& runtime, jinja::Renderer& renderer) {
    for (const auto& [name, value] : variables.as_object()) {
      renderer.set_input(name, jinja::from_json(runtime, value, jinja::from_data));
    }
  });
}

/// The text, or null when rendering or compiling fails as data.
Json outcome(std::string_view source, const Json& variables) {
  try {
    return Json(rendered(source, variables).text);
  } catch (const Error& error) {
    CHECK(error.kind() == ErrorKind::data);
    CHECK(std::string_view(error.what()).starts_with("snippet: line "));
    return Json();
  }
}

TEST_CASE("text: Jinja snippets of every feature give what Jinja2 gives, or fail where it raises") {
  const Json golden = test::committed_golden("jinja_snippets.json");
  const Json& variables = golden.at("variables");
  std::size_t compared = 0;
  for (const Json& entry : golden.at("cases").as_array()) {
    const std::string& source = entry.as_array()[0].as_string();
    const Json& expected = entry.as_array()[1];
    INFO(source);
    const Json result = outcome(source, variables);
    if (expected.is_object()) {
      REQUIRE(result.is_string());
      CHECK(fnv(result.as_string()) == expected.at("fnv").as_string());
    } else {
      CHECK(result == expected);
    }
    ++compared;
  }
  CHECK(compared >= 1500);
}

std::string message_of(std::string_view source) {
  try {
    rendered(source, Json::parse(R"({"s": "text", "l": [1], "d": {"a": 1}})", "test"));
  } catch (const Error& error) {
    return error.what();
  }
  return "no error";
}

TEST_CASE("text: errors of templates name the line and what is wrong") {
  const std::pair<const char*, const char*> cases[] = {
      {"a\n\n{{ s }}{{ missing.x }}", "snippet: line 3: 'missing' is undefined"},
      {"{{ d.a.b.c }}", "snippet: line 1: a int has no attribute or item 'b'"},
      {"{{ l.append(1) }}", "the sandbox does not let a template change lists and dicts"},
      {"\n{{ raise_exception('roles must alternate') }}",
       "snippet: line 2: the template refuses this conversation: roles must alternate"},
      {"{% include 'x' %}", "{% include %} is not supported"},
      {"{% import 'x' as y %}", "{% import %} is not supported"},
      {"{% from 'x' import y %}", "{% from %} is not supported"},
      {"{% extends 'x' %}", "{% extends %} is not supported"},
      {"{{ s | random }}", "the filter 'random' is not supported"},
      {"{{ s | nothing }}", "there is no filter 'nothing'"},
      {"{% if s is nothing %}{% endif %}", "there is no test 'nothing'"},
      {"{{ 1 + s }}", "'+' does not work between a int and a str"},
      {"{{ 9223372036854775807 + 1 }}", "does not fit 64 bits"},
      {"{{ 99999999999999999999 }}", "does not fit 64 bits"},
      {"{% for x in l %}", "the template ends where {% endfor %} was expected"},
      {"{% if s %}\n{% endfor %}", "line 2: unknown tag 'endfor' where {% endif %} is still missing"},
      {"{% macro m(a) %}{% endmacro %}{{ m(1, 2) }}", "the macro 'm' takes not more than 1 arguments, got 2"},
      {"{{ l | map('string') }}", "a generator cannot be printed"},
      {"{{ l | tojson(bad=1) }}", "tojson: an argument of that name is not known or given twice: 'bad'"},
      {"{{ (1", "expected ')', got the end of the template"},
      {"{{ 'abc }}", "a string is not closed"},
      {"{# never closed ", "a comment is not closed"},
      {"\xFF", "the template is not UTF-8 at byte 0"},
  };
  for (const auto& [source, expected] : cases) {
    INFO(source);
    CHECK(message_of(source).find(expected) != std::string::npos);
    if (message_of(source).find(expected) == std::string::npos) CHECK(message_of(source) == expected);
  }
}

TEST_CASE("text: marks of data follow their bytes through filters and methods") {
  const Json variables = Json::parse(R"json({"u": " <s>ab "})json", "test");
  const auto marks = [&](std::string_view source) {
    std::string shown;
    const jinja::Rendered result = rendered(source, variables);
    std::size_t at = 0;
    for (const jinja::Mark& mark : result.marks) {
      shown += result.text.substr(at, mark.begin - at) + "[" + result.text.substr(mark.begin, mark.end - mark.begin) + "]";
      at = mark.end;
    }
    return shown + result.text.substr(at);
  };
  CHECK(marks("x{{ u }}y") == "x[ <s>ab ]y");
  CHECK(marks("{{ ('<s>' + u) | trim }}") == "<s>[ <s>ab]");
  CHECK(marks("{{ ('-' ~ u | trim ~ '-')[1:4] }}") == "[<s>]");
  CHECK(marks("{{ (u + '|').split('|') | join('<e>') }}") == "[ <s>ab ]<e>");
  CHECK(marks("{{ ('<b>' + u) | upper }}") == "<B>[ <S>AB ]");
  CHECK(marks("{{ ('b' + u) | replace('b', '<e>') }}") == "<e>[ <s>a<e> ]");
  CHECK(marks("{{ u | replace('', '<e>') | length > 0 }}") == "True");
  CHECK(marks("{{ u | tojson }}{{ ['<s>'] | tojson }}") == "[\" <s>ab \"][\"<s>\"]");
  CHECK(marks("{{ '%s<e>' % u }}{{ '<e>{}'.format(u) }}") == "[ <s>ab ]<e><e>[ <s>ab ]");
  CHECK(marks("{% macro m(t) %}<m>{{ t }}</m>{% endmacro %}{{ m(u.strip()) | string }}") == "<m>[<s>ab]</m>");
  CHECK(marks("{% set b %}<s>{{ u }}{% endset %}{{ b | indent(2, true) }}") == "  <s>[ <s>ab ]");
  CHECK(marks("{{ u | length }}{{ u.find('s') }}{{ loop is defined }}") == "[72]False");
  CHECK(marks("{{ '<s>' if '<s>' in u }}") == "<s>");
  CHECK(marks("{% for c in u | trim %}{{ c }}-{% endfor %}") == "[<]-[s]-[>]-[a]-[b]-");
}

}  // namespace
}  // namespace hone
