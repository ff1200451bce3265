#include "engine/beam_decoding.h"

#include <ATen/ops/log_softmax.h>

#include <algorithm>
#include <string>

#include "base/error.h"
#include "base/stop.h"
#include "base/threads.h"
#include "base/utf8.h"

namespace hone {

BeamDecoding::BeamDecoding(Engine& engine, std::span<const Request> requests, const BeamSettings& settings,
                           const SamplingConfig& sampling)
    : engine_(engine),
      rules_(sampling.logit_rules(engine.model_.policy->shape().vocabulary, settings.eos)),
      cache_(*engine.cache_) {
  if (engine.encodes()) sources_.emplace(*engine.source_cache_);
  for (const Request& request : requests) begin(request, settings, engine.room(request, sampling));
}

void BeamDecoding::begin(const Request& request, const BeamSettings& settings, std::int64_t room) {
  if (request.constraint != nullptr && settings.eos.empty()) {
    fail(ErrorKind::config, "beam search with a constraint needs an end-of-sequence token: the tokenizer has none");
  }
  BeamSettings own = settings;
  own.max_new_tokens = room;
  Search& search = searches_.emplace_back(Search{.request = &request, .search = BeamSearch(own)});
  search.beams.push_back({.pages = {}, .steering = TokenSteering(rules_, request)});
}

std::vector<std::vector<BeamText>> BeamDecoding::run() {
  const at::NoGradGuard no_grad;
  choose(prefill());
  while (std::ranges::any_of(searches_, [](const Search& search) { return !search.search.done(); })) {
    throw_if_stopped();
    choose(decode());
  }
  HONE_ASSERT(cache_.idle() && (!sources_ || sources_->idle()));
  std::vector<std::vector<BeamText>> found;
  for (const Search& search : searches_) found.push_back(texts(search));
  return found;
}

at::Tensor BeamDecoding::prefill() {
  std::vector<std::span<const std::int32_t>> sources;
  std::vector<SourcePages*> places;
  for (Search& search : searches_) {
    sources.push_back(search.request->source);
    places.push_back(&search.source);
  }
  if (sources_) encode_sources(engine_.model_, sources, places, *sources_);
  PackedRows rows;
  for (Search& search : searches_) {
    const std::vector<std::int32_t>& context = search.request->context;
    search.cached = static_cast<std::int64_t>(context.size());
    cache_.extend(search.beams[0].pages, 0, search.cached);
    rows.add(context, 0, search.beams[0].pages, search.source);
    engine_.prefilled_tokens_ += static_cast<std::int64_t>(context.size() + search.request->source.size());
  }
  return forward(rows, LogitRows::last_of_each);
}

at::Tensor BeamDecoding::decode() {
  PackedRows rows;
  for (Search& search : searches_) {
    if (search.search.done()) continue;
    for (std::size_t i = 0; i < search.beams.size(); ++i) {
      Beam& beam = search.beams[i];
      cache_.extend(beam.pages, search.cached, 1);
      rows.add(std::span<const std::int32_t>(&search.search.beams()[i].id, 1), search.cached, beam.pages,
               search.source);
    }
    ++search.cached;
    engine_.sampled_tokens_ += static_cast<std::int64_t>(search.beams.size());
  }
  return forward(rows, LogitRows::all);
}

at::Tensor BeamDecoding::forward(const PackedRows& rows, LogitRows wanted) {
  return paged_logits(engine_.model_, rows, cache_.cache(), sources_ ? &sources_->cache() : nullptr, wanted);
}

/// One step of the searches that go on: the rows are those of their beams, in order.
void BeamDecoding::choose(const at::Tensor& logits_BV) {
  at::Tensor logprob_BV = at::log_softmax(logits_BV, 1).contiguous();
  const auto width = static_cast<std::size_t>(logprob_BV.size(1));
  float* row = logprob_BV.data_ptr<float>();
  for (Search& search : searches_) {
    if (search.search.done()) continue;
    const std::size_t count = search.beams.size();
    parallel_for(static_cast<std::int64_t>(count), 1, [&](std::int64_t begin, std::int64_t end) {
      for (auto i = static_cast<std::size_t>(begin); i < static_cast<std::size_t>(end); ++i) {
        search.beams[i].steering.apply(std::span<float>(row + i * width, width));
      }
    });
    search.search.step(std::span<const float>(row, count * width), static_cast<std::int64_t>(width));
    row += count * width;
    reorder(search);
  }
}

/// Every beam gets the pages of the one that it continues; a search that is over gives all of them back.
void BeamDecoding::reorder(Search& search) {
  std::vector<Beam> next;
  if (!search.search.done()) {
    for (const BeamSearch::Beam& beam : search.search.beams()) {
      Beam& continued = next.emplace_back(search.beams[static_cast<std::size_t>(beam.parent)]);
      cache_.share(continued.pages);
      continued.steering.accept(beam.id);
    }
  }
  for (Beam& old : search.beams) cache_.release(old.pages);
  search.beams = std::move(next);
  if (search.search.done() && sources_) sources_->release(search.source.pages);
}

std::vector<BeamText> BeamDecoding::texts(const Search& search) const {
  std::vector<BeamText> texts;
  for (BeamSearch::Hypothesis& found : search.search.hypotheses()) {
    BeamText& text = texts.emplace_back();
    text.score = found.score;
    Completion& completion = text.completion;
    const bool ended = !found.ids.empty() && std::ranges::find(rules_.eos, found.ids.back()) != rules_.eos.end();
    completion.finish = ended ? FinishReason::stop : FinishReason::length;
    const std::span<const std::int32_t> spoken = std::span(found.ids).first(found.ids.size() - (ended ? 1 : 0));
    std::string bytes;
    for (const std::int32_t id : spoken) {
      if (!engine_.tokenizer_.is_special(id)) bytes += engine_.tokenizer_.id_to_bytes(id);
    }
    completion.text = valid_utf8(bytes);
    completion.version.assign(found.ids.size(), engine_.model_.store.version());
    completion.ids = std::move(found.ids);
  }
  return texts;
}

}  // namespace hone
