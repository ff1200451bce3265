#pragma once

#include <ATen/ATen.h>

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "base/json.h"

namespace hone {

enum class RopeType {
  none,      ///< "default": theta^(-2i/d)
  linear,    ///< positions divided by `factor`
  dynamic,   ///< theta grows beyond max_positions (NTK); within, as none
  yarn,      ///< Peng et al. 2023
  llama3,    ///< long waves divided by `factor`, short ones kept, a ramp between
  longrope,  ///< Ding et al. 2024: one factor a frequency, other ones for long sequences
};

/// The rotary embedding of one kind of layer, as config.json describes it.
struct RopeScaling {
  RopeType type = RopeType::none;
  double theta = 10000;
  double rotary_share = 1;         ///< partial_rotary_factor: part of each head that is rotated
  std::int64_t max_positions = 0;  ///< max_position_embeddings of the model
  double factor = 1;
  std::int64_t original_positions = 0;  ///< original_max_position_embeddings: yarn, llama3, longrope
  double low_frequency_factor = 1;      ///< llama3
  double high_frequency_factor = 4;
  double beta_fast = 32;  ///< yarn
  double beta_slow = 1;
  double mscale = 0;
  double mscale_all_dim = 0;
  bool truncate = true;
  std::optional<double> attention_factor;  ///< yarn, longrope: not the paper's
  std::vector<double> short_factor;        ///< longrope: up to original_positions tokens
  std::vector<double> long_factor;         ///< longrope: more
  /// The keys of config.json that said all this, with their values; empty when no file did.
  Json hf = Json::object();

  /// head_dim · rotary_share; Error{data} when that is odd or 0.
  std::int64_t rotary_dim(std::int64_t head_dim) const;
  /// Puts the rotary keys into a config.json exactly as they were read; without a file, rope_theta and rope_scaling.
  void to_hf(Json& config) const;
};

/// What config.json leaves to the family.
struct RopeDefaults {
  std::int64_t max_positions = 0;  ///< the model's max_position_embeddings
  double theta = 10000;
  double rotary_share = 1;
  /// What counts even where rope_scaling says original_max_position_embeddings, unless config.json itself does (Phi-3:
  /// 4096); 0: nothing.
  std::int64_t original_positions = 0;
  /// What older files call them ("rotary_emb_base", "rope_local_base_freq"; "partial_rotary_factor", "rotary_pct").
  std::string_view theta_key = "rope_theta";
  /// Empty: the family rotates whole heads, another share is refused.
  std::string_view share_key;
  /// The entry of nested rope_parameters to read ("full_attention", "sliding_attention"); empty: they are not nested.
  std::string_view layer_type;
  bool reads_rope_scaling = true;  ///< false: the older key is for other layers (Gemma 3's sliding ones)
};

/// Reads rope_theta and rope_scaling, or rope_parameters, as transformers 5 does. Error{data} names the key that is
/// missing, of a wrong type, out of range or unknown.
RopeScaling rope_from_hf(const Json& config, const RopeDefaults& defaults);

struct RopeFrequencies {
  std::vector<float> inverse;   ///< [rotary_dim / 2], with the bits that transformers computes
  double attention_factor = 1;  ///< of cosines and sines
};
/// For sequences of at most `length` tokens (0: max_positions, and longrope's short factors), which matters to dynamic
/// beyond max_positions and to longrope beyond original_positions. Error{data} when a list has not one factor a
/// frequency.
RopeFrequencies rope_frequencies(const RopeScaling& rope, std::int64_t head_dim, std::int64_t length = 0);

/// cos and sin of every position below `positions` for sequences of at most `length` tokens: what rotary attention
/// reads. longrope's two tables are those of length 0 and of length original_positions + 1: transformers takes one or
/// the other for a whole sequence, by its length.
at::Tensor rope_table(const RopeScaling& rope, std::int64_t head_dim, std::int64_t positions, std::int64_t length = 0);

}  // namespace hone
