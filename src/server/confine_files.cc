// Landlock (landlock(7), Linux 5.13): which files may be opened, whoever the process is.
#include <fcntl.h>
#include <linux/landlock.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>

#include "confine_parts.h"

namespace ringwall::server {
namespace {

// Not in the headers of Linux 6.1.
constexpr std::uint64_t access_truncate = std::uint64_t{1} << 14;
constexpr int version_with_refer = 2;
constexpr int version_with_truncate = 3;

constexpr std::uint64_t reading = LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR;
constexpr std::uint64_t writing = LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_REMOVE_DIR |
                                  LANDLOCK_ACCESS_FS_REMOVE_FILE | LANDLOCK_ACCESS_FS_MAKE_DIR |
                                  LANDLOCK_ACCESS_FS_MAKE_REG | LANDLOCK_ACCESS_FS_MAKE_SOCK;
constexpr std::uint64_t never = LANDLOCK_ACCESS_FS_MAKE_CHAR | LANDLOCK_ACCESS_FS_MAKE_BLOCK |
                                LANDLOCK_ACCESS_FS_MAKE_FIFO | LANDLOCK_ACCESS_FS_MAKE_SYM;
constexpr std::uint64_t of_files =
    LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_WRITE_FILE | access_truncate | LANDLOCK_ACCESS_FS_EXECUTE;

class Ruleset {
 public:
  explicit Ruleset(std::uint64_t handled) : handled_(handled) {
    const landlock_ruleset_attr attributes{.handled_access_fs = handled};
    descriptor_ = static_cast<int>(syscall(SYS_landlock_create_ruleset, &attributes, sizeof attributes, 0));
    error_ = descriptor_ < 0 ? errno : 0;
  }
  ~Ruleset() {
    if (descriptor_ >= 0) close(descriptor_);
  }
  Ruleset(const Ruleset&) = delete;
  Ruleset& operator=(const Ruleset&) = delete;

  [[nodiscard]] int error() const { return error_; }

  void allow(const std::string& path, std::uint64_t access) {
    const int place = open(path.c_str(), O_PATH | O_CLOEXEC);
    if (place < 0) return;
    struct stat status{};
    const bool is_folder = fstat(place, &status) == 0 && S_ISDIR(status.st_mode);
    const landlock_path_beneath_attr rule{
        .allowed_access = access & handled_ & (is_folder ? ~std::uint64_t{0} : of_files), .parent_fd = place};
    if (syscall(SYS_landlock_add_rule, descriptor_, LANDLOCK_RULE_PATH_BENEATH, &rule, 0) != 0) error_ = errno;
    close(place);
  }

  void restrict_self() {
    if (error_ == 0 && syscall(SYS_landlock_restrict_self, descriptor_, 0) != 0) error_ = errno;
  }

 private:
  const std::uint64_t handled_;
  int descriptor_ = -1;
  int error_ = 0;
};

}  // namespace

int landlock_version() {
  const long version = syscall(SYS_landlock_create_ruleset, nullptr, 0, LANDLOCK_CREATE_RULESET_VERSION);
  return version > 0 ? static_cast<int>(version) : 0;
}

int confine_files(const Confinement& wanted) {
  const int version = landlock_version();
  if (version == 0) return errno;
  std::uint64_t handled = reading | writing | never | LANDLOCK_ACCESS_FS_EXECUTE;
  if (version >= version_with_refer) handled |= LANDLOCK_ACCESS_FS_REFER;
  if (version >= version_with_truncate) handled |= access_truncate;
  Ruleset rules(handled);
  for (const std::string& path : wanted.readable) rules.allow(path, reading);
  for (const std::string& path : wanted.writable) rules.allow(path, reading | writing | access_truncate);
  for (const std::string& path : wanted.executable) rules.allow(path, reading | LANDLOCK_ACCESS_FS_EXECUTE);
  rules.restrict_self();
  return rules.error();
}

}  // namespace ringwall::server
