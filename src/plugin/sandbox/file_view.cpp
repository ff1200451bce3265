#include "plugin/sandbox/file_view.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <filesystem>

#include "io/file.h"
#include "plugin/sandbox/system_error.h"

namespace hone::sandbox {

namespace {

constexpr const char* staging = "/tmp";  // covered by the new root until it becomes the root

/// Folders above `path`, then `path` itself as a folder or an empty file.
void make_place(const std::string& path, bool folder) {
  for (std::size_t slash = path.find('/', 1); slash != std::string::npos; slash = path.find('/', slash + 1)) {
    const std::string above = path.substr(0, slash);
    if (::mkdir(above.c_str(), 0755) != 0 && errno != EEXIST) fail_errno("make the folder " + above);
  }
  if (folder) {
    if (::mkdir(path.c_str(), 0755) != 0 && errno != EEXIST) fail_errno("make the folder " + path);
    return;
  }
  const FileDescriptor file(::open(path.c_str(), O_CREAT | O_WRONLY | O_CLOEXEC, 0644));
  if (file.get() < 0) fail_errno("make " + path);
}

struct Shown {
  std::string path;
  bool folder = true;
  FileDescriptor tree = FileDescriptor();  // a copy of the mounts below it, not attached anywhere
  std::string link;                        // instead of `tree`: what the symbolic link says
};

Shown take(const std::string& path, std::uint64_t attributes) {
  Shown shown{.path = path};
  struct stat about {};
  checked(::lstat(path.c_str(), &about), "look at " + path);
  if (S_ISLNK(about.st_mode)) {
    const std::string target = std::filesystem::read_symlink(path).string();
    // /bin is a link into /usr on merged systems. Other links (/etc/localtime) are shown as what they lead to.
    if (target.starts_with("usr/") || target.starts_with("/usr/")) {
      shown.link = target;
      return shown;
    }
    checked(::stat(path.c_str(), &about), "look at " + path);
  }
  shown.folder = S_ISDIR(about.st_mode);
  shown.tree = FileDescriptor(
      ::open_tree(AT_FDCWD, path.c_str(), OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | static_cast<unsigned>(AT_RECURSIVE)));
  if (shown.tree.get() < 0) fail_errno("copy the mounts of " + path);
  mount_attr wanted{};
  wanted.attr_set = attributes;
  checked(::mount_setattr(shown.tree.get(), "", AT_EMPTY_PATH | AT_RECURSIVE, &wanted, sizeof wanted),
          "make " + path + " read-only");
  return shown;
}

void show(const Shown& shown) {
  const std::string place = staging + shown.path;
  if (!shown.link.empty()) {
    make_place(place.substr(0, place.rfind('/')), true);
    checked(::symlink(shown.link.c_str(), place.c_str()), "link " + shown.path);
    return;
  }
  make_place(place, shown.folder);
  checked(::move_mount(shown.tree.get(), "", AT_FDCWD, place.c_str(), MOVE_MOUNT_F_EMPTY_PATH), "show " + shown.path);
}

void mount_memory(const std::string& place, std::int64_t bytes, std::int64_t files) {
  const std::string options = fmt::format("size={},nr_inodes={},mode=755", bytes, files);
  checked(::mount("tmpfs", place.c_str(), "tmpfs", MS_NOSUID | MS_NODEV, options.c_str()), "mount a folder in memory");
}

}  // namespace

void enter_private_root(const std::vector<std::string>& readable) {
  checked(::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr), "make the mounts private");
  std::vector<Shown> all;
  for (const std::string& path : readable) {
    all.push_back(take(path, MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV));
  }
  for (const char* device : {"/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom"}) {
    all.push_back(take(device, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC));
  }
  const std::string root = staging;
  mount_memory(root, 1 << 20, 1024);
  for (const Shown& shown : all) show(shown);
  make_place(root + box, true);
  mount_memory(root + box, box_bytes, box_files);
  checked(::mkdir((root + box + "/.tmp").c_str(), 0755), "make a folder for temporary files");
  const std::string temporary = std::string(box).substr(1) + "/.tmp";
  checked(::symlink(temporary.c_str(), (root + "/tmp").c_str()), "link /tmp");
  checked(::chdir(staging), "enter the new root");
  checked(::syscall(SYS_pivot_root, ".", "."), "make the new root the root");
  checked(::umount2(".", MNT_DETACH), "detach the old root");
  checked(::chdir("/"), "enter the new root");
  mount_attr read_only{};
  read_only.attr_set = MOUNT_ATTR_RDONLY;
  checked(::mount_setattr(AT_FDCWD, "/", 0, &read_only, sizeof read_only), "make the new root read-only");
}

void check_names(const std::vector<std::pair<std::string, std::string>>& files) {
  for (const auto& [name, content] : files) {
    const std::filesystem::path relative(name);
    bool fine = !name.empty() && relative.is_relative() && name.find('\0') == std::string::npos;
    for (const auto& part : relative) fine = fine && part != "..";
    if (!fine) fail(ErrorKind::data, "the sandbox cannot write a file called '{}': use a name within its folder", name);
  }
}

void write_files(const std::string& folder, const std::vector<std::pair<std::string, std::string>>& files) {
  check_names(files);
  for (const auto& [name, content] : files) {
    const std::string path = folder + "/" + name;
    make_place(path, false);
    const FileDescriptor file(::open(path.c_str(), O_WRONLY | O_TRUNC | O_CLOEXEC | O_NOFOLLOW));
    if (file.get() < 0) fail_errno("write " + path);
    for (std::size_t written = 0; written < content.size();) {
      const ssize_t count = ::write(file.get(), content.data() + written, content.size() - written);
      if (count < 0 && errno == EINTR) continue;
      if (count <= 0) fail_errno("write " + path);
      written += static_cast<std::size_t>(count);
    }
  }
}

}  // namespace hone::sandbox
