#pragma once

#include <exception>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "flow/reward.h"

namespace hone {

/// A reward that judges each episode by itself. An exception from `judge` becomes the error of that episode alone.
class SampleReward : public Reward {
 public:
  std::vector<Score> score(std::span<const Episode> episodes) final {
    std::vector<Score> scores;
    scores.reserve(episodes.size());
    for (const Episode& episode : episodes) scores.push_back(judged(episode));
    return scores;
  }

 protected:
  virtual Score judge(const Episode& episode) const = 0;

 private:
  Score judged(const Episode& episode) const {
    try {
      return judge(episode);
    } catch (const std::exception& error) {
      return Score::error(error.what());
    }
  }
};

/// What the prompt's reference holds under `key`; Error{data} with what there is instead when it has no such key.
inline const Json& reference_at(const Episode& episode, std::string_view key) {
  const Json* value = episode.prompt.reference.find(key);
  if (value == nullptr) {
    fail(ErrorKind::data, "prompt {}: its reference has no key \"{}\": {}", episode.prompt.id, key,
         episode.prompt.reference.dump());
  }
  return *value;
}

}  // namespace hone
