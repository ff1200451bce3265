#include "io/checksum.h"

#include "base/error.h"
#include "io/mapped_file.h"

#include <fmt/format.h>
#include <sys/mman.h>
#include <xxhash.h>

#include <algorithm>
#include <memory>

namespace hone {

namespace {

constexpr std::size_t piece_bytes = std::size_t{16} << 20;  // whole pages

std::string text_of(XXH64_hash_t hash) { return fmt::format("{:016x}", hash); }

}  // namespace

std::string checksum(std::string_view bytes) { return text_of(XXH3_64bits(bytes.data(), bytes.size())); }

std::string file_checksum(const std::filesystem::path& path) {
  const MappedFile file(path);
  const std::unique_ptr<XXH3_state_t, XXH_errorcode (*)(XXH3_state_t*)> state(XXH3_createState(), XXH3_freeState);
  HONE_ASSERT(state != nullptr && XXH3_64bits_reset(state.get()) == XXH_OK);
  for (std::size_t at = 0; at < file.bytes().size(); at += piece_bytes) {
    const auto piece = file.bytes().subspan(at, std::min(piece_bytes, file.bytes().size() - at));
    XXH3_64bits_update(state.get(), piece.data(), piece.size());
    // A checkpoint may be larger than the memory that is left: what was read must not count as the process's.
    ::madvise(const_cast<std::byte*>(piece.data()), piece.size(), MADV_DONTNEED);
  }
  return text_of(XXH3_64bits_digest(state.get()));
}

}  // namespace hone
