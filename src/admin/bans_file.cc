#include <ringwall/admin/bans_file.h>
#include <ringwall/config/address.h>
#include <ringwall/config/files.h>
#include <ringwall/config/units.h>

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <optional>
#include <sstream>

namespace ringwall::admin {

Result<void> load_bans(const std::string& path, Bans& bans, std::uint64_t now_s, std::uint64_t unix_now_s) {
  if (access(path.c_str(), F_OK) != 0 && errno == ENOENT) return {};
  const auto content = config::read_config_file(path);
  if (!content) return fail(path + ": " + content.error() + ": none of its bans holds");
  std::istringstream lines(*content);
  std::size_t left_out = 0;
  for (std::string line; std::getline(lines, line);) {
    std::istringstream words(line);
    std::string range_text;
    std::string end_text;
    words >> range_text >> end_text;
    const Result<config::Cidr> range = parse_ban_range(range_text);
    const std::optional<std::uint64_t> end_s = config::parse_number(end_text, config::Unit::none);
    const bool is_over = end_s && *end_s <= unix_now_s;
    // A clock that was wrong makes no ban that nobody would have been allowed to make.
    if (!range || !end_s || (!is_over && !bans.add(*range, now_s + std::min(*end_s - unix_now_s, ban_s_max)))) {
      ++left_out;
    }
  }
  if (left_out == 0) return {};
  return fail(fmt::format("{}: {} lines are no bans, or more than {}, and are left out", path, left_out, bans_max));
}

Result<void> save_bans(const std::string& path, const Bans& bans, std::uint64_t now_s, std::uint64_t unix_now_s) {
  std::string text;
  for (const Bans::Row& row : bans.rows()) {
    text += fmt::format("{} {}\n", to_text(row.range), unix_now_s + (std::max(row.until_s, now_s) - now_s));
  }
  const std::string made = fmt::format("{}.{}", path, getpid());
  (void)unlink(made.c_str());
  const int file = open(made.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
  if (file < 0) return fail_errno(made, errno);
  const bool is_whole = write(file, text.data(), text.size()) == static_cast<ssize_t>(text.size());
  int number = is_whole ? 0 : ENOSPC;
  close(file);
  if (is_whole && std::rename(made.c_str(), path.c_str()) == 0) return {};
  if (is_whole) number = errno;
  (void)unlink(made.c_str());
  return fail_errno(path, number);
}

}  // namespace ringwall::admin
