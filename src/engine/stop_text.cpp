#include "engine/stop_text.h"

#include <algorithm>

namespace hone {

bool StopText::append(std::string_view bytes) {
  const std::size_t old_size = text_.size();
  text_ += bytes;
  for (const std::string& stop : *stops_) {
    if (stop.empty()) continue;
    const std::size_t from = old_size >= stop.size() ? old_size - stop.size() + 1 : 0;
    end_ = std::min(end_, text_.find(stop, from));
  }
  return end_ != std::string::npos;
}

}  // namespace hone
