#pragma once

#include <memory>
#include <string>

#include "plugin/library.h"
#include "plugin/library_call.h"

namespace hone {

/// What `create` of a plug-in made; ends with `destroy`.
class LibraryInstance {
 public:
  using Create = decltype(hone_reward::create);
  using Destroy = decltype(hone_reward::destroy);

  /// Error{service} with the plug-in's words when it cannot start. `who`: for that message.
  LibraryInstance(Create create, Destroy destroy, const LibrarySettings& settings, const std::string& who);
  ~LibraryInstance();
  LibraryInstance(const LibraryInstance&) = delete;
  LibraryInstance& operator=(const LibraryInstance&) = delete;

  void* get() const { return instance_; }

 private:
  Destroy destroy_;
  std::string name_;
  void* instance_ = nullptr;
};

}  // namespace hone
