#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "engine/engine.h"
#include "engine/paged_forward.h"
#include "engine/token_steering.h"

namespace hone {

/// Beam searches of several requests in step: each forward pass has the next token of every running beam. Beams that
/// go back to one parent share its pages and copy the last one when they write.
class BeamDecoding {
 public:
  /// The engine's caches have room for `settings.num_beams` sequences a request.
  BeamDecoding(Engine& engine, std::span<const Request> requests, const BeamSettings& settings,
               const SamplingConfig& sampling);

  std::vector<std::vector<BeamText>> run();

 private:
  struct Beam {
    PageList pages;
    TokenSteering steering;
  };
  struct Search {
    const Request* request = nullptr;
    BeamSearch search;
    std::vector<Beam> beams;  ///< those of the search; at first one
    SourcePages source;
    std::int64_t cached = 0;  ///< tokens of each beam whose keys and values are in its pages
  };

  void begin(const Request& request, const BeamSettings& settings, std::int64_t room);
  at::Tensor prefill();
  at::Tensor decode();
  void choose(const at::Tensor& logits_BV);
  void reorder(Search& search);
  std::vector<BeamText> texts(const Search& search) const;
  at::Tensor forward(const PackedRows& rows, LogitRows wanted);

  Engine& engine_;
  const kernels::LogitRules rules_;
  PagedCache cache_;
  std::optional<PagedCache> sources_;  ///< encoder-decoder only
  std::vector<Search> searches_;
};

}  // namespace hone
