#include <ringwall/server/kept_certificate.h>

#include <ringwall/tls/self_signed.h>

#include <fcntl.h>
#include <fmt/core.h>
#include <sys/file.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <cerrno>
#include <filesystem>
#include <system_error>
#include <utility>

namespace ringwall::server {

namespace {

constexpr std::int64_t renew_before_s = 30 * 24 * 3600;
constexpr std::int64_t clock_slack_s = 3600;  // a pair that begins later was made by a clock that was wrong
constexpr std::size_t name_bytes_max = 64;    // of a file; the hash tells apart what is cut
constexpr int lock_tries = 100;
constexpr timespec lock_pause{.tv_sec = 0, .tv_nsec = 50'000'000};

// FNV-1a.
std::uint32_t hash(const std::vector<std::string>& names) {
  std::uint32_t sum = 2'166'136'261U;
  const auto add = [&sum](char c) { sum = (sum ^ static_cast<unsigned char>(c)) * 16'777'619U; };
  for (const std::string& name : names) {
    std::ranges::for_each(name, add);
    add('\0');
  }
  return sum;
}

// "self-signed-localhost"; with a hash of all names where the first one does not say everything.
std::string file_name(const std::vector<std::string>& names) {
  std::string name = names.front().substr(0, name_bytes_max);
  std::ranges::replace_if(name, [](unsigned char c) { return std::isalnum(c) == 0 && c != '-' && c != '.'; }, '_');
  if (names.size() == 1 && name == names.front()) return "self-signed-" + name;
  const std::string others = names.size() > 1 ? fmt::format("-and-{}", names.size() - 1) : std::string();
  return fmt::format("self-signed-{}{}-{:08x}", name, others, hash(names));
}

bool is_for(const tls::Identity& identity, const std::vector<std::string>& names) {
  return std::ranges::all_of(names, [&](const std::string& name) {
    return std::ranges::find(identity.names, name) != identity.names.end() ||
           std::ranges::find(identity.addresses, name) != identity.addresses.end();
  });
}

// The folder's lock, for as long as this lives. Whoever may read the folder can hold it, and some file systems have no
// such lock: after five seconds it goes on without, and serves what it has checked all the same.
class Lock {
 public:
  explicit Lock(const std::string& folder) : descriptor_(open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)) {
    for (int tries = 0; descriptor_ >= 0 && tries < lock_tries; ++tries) {
      if (flock(descriptor_, LOCK_EX | LOCK_NB) == 0 || (errno != EWOULDBLOCK && errno != EINTR)) return;
      nanosleep(&lock_pause, nullptr);
    }
  }
  ~Lock() {
    if (descriptor_ >= 0) close(descriptor_);
  }
  Lock(const Lock&) = delete;
  Lock& operator=(const Lock&) = delete;

 private:
  const int descriptor_;
};

// Why what was kept is not to be served any more; empty: it is.
std::string why_anew(const Result<tls::Identity>& kept, const std::vector<std::string>& names,
                     std::int64_t unix_now_s) {
  if (!kept) return kept.error().message;
  const std::string& file = kept->files.chain_file;
  if (!is_for(*kept, names)) return file + ": is for other names";
  if (kept->not_before_s > unix_now_s + clock_slack_s) {
    return fmt::format("{}: is valid only from {}", file, tls::day(kept->not_before_s));
  }
  if (kept->not_after_s <= unix_now_s + renew_before_s) {
    return fmt::format("{}: ends on {}", file, tls::day(kept->not_after_s));
  }
  return "";
}

bool is_valid(const Result<tls::Identity>& kept, const std::vector<std::string>& names, std::int64_t unix_now_s) {
  return kept && is_for(*kept, names) && kept->not_before_s <= unix_now_s && unix_now_s < kept->not_after_s;
}

std::unexpected<Error> unwritable(const std::string& why) {
  return fail("server.state_dir: " + why + "; name a folder that can be written, --set server.state_dir=FOLDER");
}

}  // namespace

Result<Kept> keep_self_signed(const std::string& state_dir, const std::vector<std::string>& names,
                              std::int64_t unix_now_s) {
  std::error_code error;
  std::filesystem::create_directories(state_dir, error);
  if (error) return unwritable("cannot make " + state_dir + ": " + error.message());
  const Lock lock(state_dir);
  const std::string base = state_dir + "/" + file_name(names);
  const tls::Certificate files{.chain_file = base + ".crt", .key_file = base + ".key", .ocsp_file = {}};
  const bool is_first = !std::filesystem::exists(files.chain_file, error);
  Result<tls::Identity> kept = tls::load_identity(files);
  const std::string why = why_anew(kept, names, unix_now_s);
  if (why.empty()) return Kept{std::move(*kept), ""};
  const Result<tls::SelfSigned> made = tls::make_self_signed({.names = names, .days = 365, .unix_now_s = unix_now_s});
  if (!made) return std::unexpected(made.error());
  if (const Result<void> written = tls::write_pair(files, *made); !written) {
    if (!is_valid(kept, names, unix_now_s)) return unwritable(written.error().message);
    return Kept{std::move(*kept),
                fmt::format("{}; it is served on, for a new one cannot be kept: {}", why, written.error().message)};
  }
  Result<tls::Identity> fresh = tls::load_identity(files);
  if (!fresh) return std::unexpected(fresh.error());
  return Kept{std::move(*fresh), is_first ? "" : why + "; another certificate was made in its place"};
}

}  // namespace ringwall::server
