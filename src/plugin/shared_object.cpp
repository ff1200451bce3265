#include "plugin/shared_object.h"

#include <fcntl.h>
#include <link.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <bit>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <string>
#include <vector>

#include "base/error.h"
#include "io/file.h"

namespace hone {

namespace {

#if defined(__x86_64__)
constexpr std::uint16_t own_machine = EM_X86_64;
#elif defined(__aarch64__)
constexpr std::uint16_t own_machine = EM_AARCH64;
#else
#error "add this machine's ELF number"
#endif
constexpr unsigned char own_data = std::endian::native == std::endian::little ? ELFDATA2LSB : ELFDATA2MSB;

std::string machine_name(std::uint16_t machine) {
  switch (machine) {
    case EM_386: return "32-bit x86";
    case EM_X86_64: return "x86-64";
    case EM_ARM: return "32-bit ARM";
    case EM_AARCH64: return "64-bit ARM (aarch64)";
    case EM_RISCV: return "RISC-V";
    case EM_PPC64: return "POWER";
    case EM_S390: return "IBM Z";
    default: return fmt::format("ELF machine {}", machine);
  }
}

/// What a file that is not ELF is likely to be, from its first bytes.
std::string_view likely_kind(std::string_view bytes) {
  if (bytes.empty()) return "an empty file";
  if (bytes.starts_with("#!")) return "a script: use the kind `exec` for it";
  if (bytes.starts_with("MZ")) return "a Windows library";
  if (bytes.starts_with("\xCF\xFA\xED\xFE") || bytes.starts_with("\xCA\xFE\xBA\xBE")) return "a macOS library";
  if (bytes.starts_with("!<arch>")) return "a static library: link it with -shared";
  return "another kind of file: compile it with -shared -fPIC";
}

/// As many of `size` bytes at `offset` as the file has.
std::string read_at(const FileDescriptor& file, const std::filesystem::path& path, std::uint64_t offset,
                    std::size_t size) {
  std::string bytes(size, '\0');
  std::size_t got = 0;
  while (got < size) {
    const ssize_t count = ::pread(file.get(), bytes.data() + got, size - got, static_cast<off_t>(offset + got));
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) fail_system("cannot read the plug-in", path, errno);
    if (count == 0) break;
    got += static_cast<std::size_t>(count);
  }
  bytes.resize(got);
  return bytes;
}

[[noreturn]] void fail_incomplete(const std::filesystem::path& path) {
  fail(ErrorKind::config, "plug-in {}: the file is cut off or damaged; build or copy it again", path.string());
}

Elf64_Ehdr checked_header(std::string_view bytes, const std::filesystem::path& path) {
  if (!bytes.starts_with(ELFMAG)) {
    fail(ErrorKind::config, "plug-in {}: expected a shared library (ELF), got {}", path.string(), likely_kind(bytes));
  }
  if (bytes.size() < EI_NIDENT + 2 * sizeof(std::uint16_t)) fail_incomplete(path);
  const bool same_order = static_cast<unsigned char>(bytes[EI_DATA]) == own_data;
  std::uint16_t type = 0, machine = 0;  // at the same place in both word sizes
  std::memcpy(&type, bytes.data() + EI_NIDENT, sizeof type);
  std::memcpy(&machine, bytes.data() + EI_NIDENT + sizeof type, sizeof machine);
  if (!same_order) machine = static_cast<std::uint16_t>(machine << 8 | machine >> 8);
  if (bytes[EI_CLASS] != ELFCLASS64 || !same_order || machine != own_machine) {
    fail(ErrorKind::config, "plug-in {}: built for {}{}, this program is for {}; build it on or for this machine",
         path.string(), bytes[EI_CLASS] == ELFCLASS32 && machine == own_machine ? "the 32-bit form of " : "",
         machine_name(machine), machine_name(own_machine));
  }
  if (type != ET_DYN) {
    fail(ErrorKind::config, "plug-in {}: expected a shared library, got {}; link it with -shared -fPIC", path.string(),
         type == ET_REL    ? "an object file"
         : type == ET_EXEC ? "a program"
                           : "another kind of ELF file");
  }
  if (bytes.size() < sizeof(Elf64_Ehdr)) fail_incomplete(path);
  Elf64_Ehdr header;
  std::memcpy(&header, bytes.data(), sizeof header);
  return header;
}

}  // namespace

void check_shared_object(const std::filesystem::path& path) {
  const FileDescriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (file.get() < 0) fail_system("cannot open the plug-in", path, errno);
  struct stat status {};
  if (::fstat(file.get(), &status) != 0) fail_system("cannot inspect the plug-in", path, errno);
  if (!S_ISREG(status.st_mode)) {
    fail(ErrorKind::io, "plug-in {}: expected a file, got {}", path.string(),
         S_ISDIR(status.st_mode) ? "a directory" : "a pipe, socket or device");
  }
  const auto file_size = static_cast<std::uint64_t>(status.st_size);
  const Elf64_Ehdr header = checked_header(read_at(file, path, 0, sizeof(Elf64_Ehdr)), path);
  if (header.e_phentsize != sizeof(Elf64_Phdr) || header.e_phnum == 0) fail_incomplete(path);
  const std::string table = read_at(file, path, header.e_phoff, std::size_t{header.e_phnum} * sizeof(Elf64_Phdr));
  if (table.size() != std::size_t{header.e_phnum} * sizeof(Elf64_Phdr)) fail_incomplete(path);
  for (std::size_t i = 0; i < header.e_phnum; ++i) {
    Elf64_Phdr segment;
    std::memcpy(&segment, table.data() + i * sizeof segment, sizeof segment);
    if (segment.p_type == PT_INTERP) {
      fail(ErrorKind::config, "plug-in {}: expected a shared library, got a program; link it with -shared -fPIC",
           path.string());
    }
    const bool inside = segment.p_offset <= file_size && segment.p_filesz <= file_size - segment.p_offset;
    if (segment.p_type == PT_LOAD && !inside) fail_incomplete(path);
  }
}

}  // namespace hone
