#include "plugin/library_instance.h"

#include "base/error.h"

namespace hone {

LibraryInstance::LibraryInstance(Create create, Destroy destroy, const LibrarySettings& settings,
                                 const std::string& who)
    : destroy_(destroy), name_(settings.name) {
  if (create == nullptr) return;
  hone_call call(settings);
  hone_setup setup{};
  setup.size = sizeof setup;
  setup.name = {settings.name.c_str(), settings.name.size()};
  setup.seed = settings.key >> 11;
  const std::string failure = call.run([&] { return create(&library_host(), &call, &setup, &instance_); });
  if (!failure.empty()) fail(ErrorKind::service, "{}: cannot start: {}", who, failure);
}

LibraryInstance::~LibraryInstance() {
  if (destroy_ == nullptr) return;
  try {
    destroy_(instance_);
  } catch (...) {
    log_warn("{}: the plug-in threw an exception while it was destroyed", name_);
  }
}

}  // namespace hone
