#include "base/random.h"
#include "support/committed_golden.h"
#include "text/jinja/template.h"

#include <doctest/doctest.h>

#include <chrono>

namespace hone {
namespace {

double seconds_since(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

std::string render(std::string_view source, const Json& variables, jinja::Limits limits = {}) {
  return jinja::Template(source, "t", limits)
      .render({}, [&](jinja::Runtime& runtime, jinja::Renderer& renderer) {
        for (const auto& [name, value] : variables.as_object()) {
          renderer.set_input(name, jinja::from_json(runtime, value, jinja::from_data));
        }
      })
      .text;
}

void check_stops(const std::string& source, const char* limit) {
  INFO(source.substr(0, 200));
  const auto start = std::chrono::steady_clock::now();
  CHECK_THROWS_WITH_AS(render(source, Json::object()), doctest::Contains(limit), Error);
  CHECK(seconds_since(start) < 20);  // seconds at most, also where tests run slowly
}

std::string repeated(std::string_view text, int times) {
  std::string all;
  for (int i = 0; i < times; ++i) all += text;
  return all;
}

TEST_CASE("text: templates that would run for ever or fill the memory end with the limit they exceed") {
  const std::string loops = "{% for a in range(9999) %}{% for b in range(9999) %}{% for c in range(9999) %}"
                            "{% endfor %}{% endfor %}{% endfor %}";
  check_stops(loops, "steps to render");
  check_stops("{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}", "nested deeper than");
  check_stops("{% macro m(n) %}{{ m(n) }}{{ m(n) }}{% endmacro %}{{ m(1) }}", "nested deeper than");
  check_stops("{% for x in [1] recursive %}{{ loop([1]) }}{% endfor %}", "nested deeper than");
  check_stops("{% set ns = namespace(s='ab') %}{% for i in range(99) %}{% set ns.s = ns.s + ns.s %}{% endfor %}", "bytes");
  check_stops("{% set ns = namespace(s=[1]) %}{% for i in range(99) %}{% set ns.s = ns.s + ns.s %}{% endfor %}", "");
  check_stops("{{ 'ab' * 999999999999 }}", "grows beyond");
  check_stops("{{ [1] * 999999999999 }}", "too large");
  check_stops("{{ 'a' | center(999999999999) }}", "grows beyond");
  check_stops("{{ '%999999999d' % 1 }}", "grows beyond");
  check_stops("{{ '{:999999999}'.format(1) }}", "grows beyond");
  const std::string big = "{% set a = 'a' * 9999999 %}";
  const std::string often = "{% for i in range(99999) %}";
  check_stops(big + often + "{{ a | length }}{% endfor %}", "steps to render");
  check_stops(big + often + "{{ a in [a ~ 'b'] }}{% endfor %}", "");
  check_stops(big + often + "{{ ('b' ~ a) in a ~ a }}{% endfor %}", "");
  check_stops(big + often + "{{ {a: 1}[a] }}{% endfor %}", "steps to render");
  check_stops(big + often + "{{ a.removeprefix(a) }}{% endfor %}", "");
  check_stops(big + "{{ a.strip('b' * 9999999 + 'a') }}", "steps to render");
  check_stops(big + "{{ a.rfind('b' + 'a' * 4999999) }}", "steps to render");
  CHECK(render(big + "{{ a.find('a' * 4999999 + 'b') }}", Json::object()) == "-1");
  check_stops("{% set ns = namespace(t=(1,)) %}{% for i in range(99) %}{% set ns.t = (ns.t, ns.t) %}{% endfor %}"
              "{{ {ns.t: 1} }}", "steps to render");
  check_stops("{{ range(100001) }}", "range: more than 100000 items");
  check_stops("{% set ns = namespace(l=[]) %}{% for i in range(9999) %}{% set ns.l = [ns.l] %}{% endfor %}{{ ns.l }}",
              "nested deeper than");
  check_stops("{% set ns = namespace(l=[]) %}{% for i in range(9999) %}{% set ns.l = [ns.l] %}{% endfor %}"
              "{{ ns.l | tojson }}", "nested deeper than");
  check_stops("{% set ns = namespace(l=[]) %}{% for i in range(9999) %}{% set ns.l = [ns.l] %}{% endfor %}"
              "{{ ns.l == [ns.l] }}", "nested deeper than");
  check_stops("{% set ns = namespace(a=1) %}{% set ns.a = ns %}{{ ns }}", "nested deeper than");
}

TEST_CASE("text: templates with too much nesting are refused before they run") {
  check_stops("{{ " + repeated("(", 100'000) + "1" + repeated(")", 100'000) + " }}", "nested deeper than 200 levels");
  check_stops("{{ " + repeated("[", 100'000), "nested deeper than 200 levels");
  check_stops("{{ " + repeated("not ", 100'000) + "1 }}", "nested deeper than 200 levels");
  check_stops("{{ " + repeated("-", 100'000) + "1 }}", "nested deeper than 200 levels");
  check_stops("{{ 1" + repeated(" + 1", 100'000) + " }}", "nested deeper than 200 levels");
  check_stops("{{ s" + repeated(".a", 100'000) + " }}", "nested deeper than 200 levels");
  check_stops("{{ s" + repeated("|trim", 100'000) + " }}", "nested deeper than 200 levels");
  check_stops("{{ 1" + repeated(" if 1 else 1", 100'000) + " }}", "nested deeper than 200 levels");
  check_stops(repeated("{% if 1 %}", 100'000), "nested deeper than 200 levels");
  check_stops("{% set " + repeated("(", 100'000), "nested deeper than 200 levels");
  check_stops(std::string(5u << 20, 'x'), "the limit is");
}

TEST_CASE("text: each limit can be met on its own") {
  const Json none = Json::object();
  CHECK_THROWS_WITH_AS(render("{{ 'abcdef' * 2 }}", none, {.output_bytes = 10}), doctest::Contains("10 bytes"), Error);
  CHECK(render("{{ 'abcde' * 2 }}", none, {.output_bytes = 10}) == "abcdeabcde");
  CHECK_THROWS_WITH_AS(render("{% for x in range(99) %}{{ x }}{% endfor %}", none, {.steps = 50}),
                       doctest::Contains("50 steps"), Error);
  CHECK_THROWS_WITH_AS(render("{{ range(9999) | list }}", none, {.memory_bytes = 100'000}), doctest::Contains("100000"), Error);
}

TEST_CASE("text: adding to a text in a loop costs what is added") {
  const std::string source = "{% set ns = namespace(t='') %}{% for i in range(90000) %}"
                             "{% set ns.t = ns.t + '0123456789' %}{% endfor %}{{ ns.t | length }}";
  CHECK(render(source, Json::object()) == "900000");
}

TEST_CASE("text: ten thousand broken templates never crash or hang") {
  const Json golden = test::committed_golden("chat_templates.json");
  const Json snippets = test::committed_golden("jinja_snippets.json");
  std::vector<std::string> sources;
  for (const Json& entry : golden.at("templates").as_array()) sources.push_back(entry.at("source").as_string());
  for (const Json& entry : snippets.at("cases").as_array()) sources.push_back(entry.as_array()[0].as_string());
  Json variables = snippets.at("variables");
  for (const auto& [name, value] : golden.at("conversations").as_array()[0].as_object()) variables.set(name, value);
  Random random(stream_key(7, "templates"));
  const jinja::Limits limits{.steps = 20'000, .output_bytes = 1 << 20, .memory_bytes = 8 << 20};
  const std::string_view pieces[] = {"{{", "}}", "{%", "%}", "{#", "#}", "(", ")", "[", "]", "|", "-", "if ", " in ", "'",
                                     "\"", "for ", "endfor", "endif", "99999999", "*", "**", "%", "\\", "\xFF", "é", "loop"};
  std::size_t rendered = 0;
  for (int i = 0; i < 10'000; ++i) {
    std::string source = sources[i % 4 == 0 ? random.below(25) : random.below(sources.size())];
    const std::string& other = sources[random.below(sources.size())];
    for (std::uint64_t change = 1 + random.below(3); change > 0 && !source.empty(); --change) {
      const std::size_t at = random.below(source.size());
      switch (random.below(5)) {
        case 0: source.erase(at, 1 + random.below(8)); break;
        case 1: source.insert(at, pieces[random.below(std::size(pieces))]); break;
        case 2: source[at] = static_cast<char>(random.below(256)); break;
        case 3: source.insert(at, source.substr(random.below(source.size()), random.below(30))); break;
        default: source = source.substr(0, at) + other.substr(random.below(other.size() + 1));
      }
    }
    try {
      render(source, variables, limits);
      ++rendered;
    } catch (const Error& error) {
      CHECK(error.kind() == ErrorKind::data);
    }
  }
  CHECK(rendered > 1000);
}

}  // namespace
}  // namespace hone
