#include "report/summary.h"

#include <doctest/doctest.h>

#include <vector>

namespace hone {

TEST_CASE("report: the final table has a row for each stage and held-out metric") {
  const std::vector<StageSummary> stages{
      {.stage = "pretrain", .seconds = 20.04, .tokens = 1'000'000},
      {.stage = "sft", .held_out = {{"accuracy (greedy)", 0.0, 0.3812}}, .seconds = 35.2, .tokens = 1'450'240},
      {.stage = "ppo",
       .held_out = {{"accuracy (greedy)", 0.3812, 0.953}, {"accuracy (sampled)", {}, 0.94127}},
       .seconds = 151,
       .tokens = 0},
  };
  CHECK(summary_table(stages) ==
        "stage     held-out            before   after        time  tokens/s\n"
        "--------  ------------------  ------  ------  ----------  --------\n"
        "pretrain  -                        -       -      20.0 s    49,900\n"
        "sft       accuracy (greedy)        0  0.3812      35.2 s    41,200\n"
        "ppo       accuracy (greedy)   0.3812   0.953  2 min 31 s         -\n"
        "          accuracy (sampled)       -  0.9413\n");
}

}  // namespace hone
