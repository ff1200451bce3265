#include "nn/moe.h"

namespace hone {

namespace {

struct Routing {
  at::Tensor weight_TK;
  at::Tensor expert_TK;  ///< int64
};

Routing route(const at::Tensor& logits_TE, const Moe& config) {
  const auto [weight_TK, expert_TK] = at::softmax(logits_TE, 1).topk(config.top_k, 1);
  return {config.normalize ? weight_TK / weight_TK.sum(1, true) : weight_TK, expert_TK};
}

}  // namespace

at::Tensor moe(const at::Tensor& x_TD, const Moe& config, std::vector<at::Tensor>* router_logits) {
  const at::Tensor logits_TE = linear(x_TD, config.router_ED);
  if (router_logits != nullptr) router_logits->push_back(logits_TE);
  const Routing routing = route(logits_TE, config);
  at::Tensor out_TD = at::zeros_like(x_TD);
  // Experts in ascending order, so that a row's sum does not depend on its neighbours.
  for (std::size_t e = 0; e < config.experts.size(); ++e) {
    const at::Tensor place_M2 = at::nonzero(routing.expert_TK == static_cast<std::int64_t>(e));
    if (place_M2.size(0) == 0) continue;
    const at::Tensor row_M = place_M2.select(1, 0).contiguous();
    const at::Tensor weight_M =
        routing.weight_TK.flatten().index_select(0, row_M * config.top_k + place_M2.select(1, 1));
    const at::Tensor share_MD = mlp(take_rows(x_TD, row_M), config.experts[e]) * weight_M.unsqueeze(1);
    out_TD = out_TD.index_add(0, row_M, share_MD);
  }
  return out_TD;
}

at::Tensor load_balancing_loss(const std::vector<at::Tensor>& router_logits, std::int64_t top_k) {
  const at::Tensor probability_NE = at::softmax(at::cat(router_logits), 1);
  const std::int64_t rows = probability_NE.size(0);
  const std::int64_t experts = probability_NE.size(1);
  const at::Tensor chosen_NK = std::get<1>(probability_NE.detach().topk(top_k, 1));
  const at::Tensor share_E = at::bincount(chosen_NK.flatten(), {}, experts).to(at::kFloat) / static_cast<double>(rows);
  return (share_E * probability_NE.mean(0)).sum() * static_cast<double>(experts);
}

}  // namespace hone
