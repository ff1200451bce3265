#include "config/reference.h"

#include <doctest/doctest.h>

#include "sample_config.h"

using namespace hone;
using namespace hone::test;

namespace {

bool has(const std::string& text, std::string_view part) { return text.find(part) != std::string::npos; }

}  // namespace

TEST_CASE("config/reference: Markdown has a section for each root section and each kind") {
  SampleConfig config;
  const std::string text = reference_markdown(sample_catalogs(), body_of(config));
  CHECK(has(text, "\n## Top level\n\n| key | type | default | bounds | meaning |\n"));
  CHECK(has(text, "\n| `memory` | size | `1MiB` | ≥ 4KiB | Memory to use. |\n"));
  CHECK(has(text, "\n| `limit` | integer or null | `null` | ≥ 1 | Rows to read. |\n"));
  CHECK(has(text, "\n| `verbose` | true \\| false | `false` |  | Say more. |\n"));
  CHECK(has(text, "\n## `model`\n\nThe network.\n"));
  CHECK(has(text, "\n| `dropout` | number | `0` | in [0, 1) | Share of values dropped. |\n"));
  CHECK(has(text, "\n| `mode` | sum \\| mean | `sum` |  | How parts combine. |\n"));
  CHECK(has(text, "\n| `<name>.path` | text | **required** |  | The file. |\n"));
  CHECK(has(
      text,
      "\n## `stages`\n\nWhat the run does, in order.\n\nA list of stages; see [kinds of stage](#kinds-of-stage).\n"));
  CHECK(has(text, "\n## Kinds of stage\n\n### stage `sft`\n\nTrains on completions.\n"));
  CHECK(has(text, "\n### reward `sum`\n\nAdds rewards.\n"));
  CHECK(has(text, "\n| `parts` | list of rewards | `[]` |  | What is added. |\n"));
}
