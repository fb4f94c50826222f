#include "read_file.h"

#include <sys/stat.h>

#include <cerrno>
#include <fstream>
#include <iterator>

namespace ringwall::tls {
namespace {

constexpr std::size_t file_bytes_max = 1 << 20;

}  // namespace

Result<std::string> read_file(const std::string& path, const char* what) {
  if (path.empty()) return fail(std::string("no ") + what + " file is given");
  struct stat about{};
  if (::stat(path.c_str(), &about) != 0) return fail_errno(path + " (the " + what + ")", errno);
  if (!S_ISREG(about.st_mode)) return fail(path + " (the " + what + "): not a regular file");
  if (static_cast<std::size_t>(about.st_size) > file_bytes_max) {
    return fail(path + " (the " + what + "): " + std::to_string(about.st_size) + " bytes; right is at most 1 MiB");
  }
  std::ifstream file(path, std::ios::binary);
  if (!file) return fail_errno(path + " (the " + what + ")", errno);
  return std::string(std::istreambuf_iterator<char>(file), {});
}

}  // namespace ringwall::tls
