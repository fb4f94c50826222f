#include <ringwall/server/kept_certificate.h>

#include <ringwall/tls/self_signed.h>

#include <sched.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "unit/catch.h"

namespace ringwall::server {
namespace {

constexpr std::int64_t now_s = 1'800'000'000;
constexpr std::int64_t day_s = 24 * 3600;

// A folder for one test, removed with all that is in it.
struct Folder {
  Folder() { REQUIRE(::mkdtemp(path.data()) != nullptr); }
  ~Folder() { std::filesystem::remove_all(path); }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;

  [[nodiscard]] tls::Certificate files(const std::string& name = "localhost") const {
    return {path + "/self-signed-" + name + ".crt", path + "/self-signed-" + name + ".key", ""};
  }
  void put(std::int64_t made_at_s, std::uint32_t days, const std::string& name = "localhost") const {
    const auto made = tls::make_self_signed({.names = {name}, .days = days, .unix_now_s = made_at_s});
    REQUIRE(made);
    REQUIRE(tls::write_pair(files(), *made));
  }

  std::string path = "/tmp/ringwall-kept-XXXXXX";
};

Kept keep(const Folder& folder, std::int64_t at_s = now_s, const std::vector<std::string>& names = {"localhost"}) {
  auto kept = keep_self_signed(folder.path, names, at_s);
  if (!kept) FAIL(kept.error().message);
  return std::move(*kept);
}

bool is_on_disk(const tls::Identity& identity) {
  const auto loaded = tls::load_identity(identity.files);
  return loaded && loaded->chain_pem == identity.chain_pem;
}

TEST_CASE("a pair is made once without a word, and kept") {
  const Folder folder;
  const Kept first = keep(folder);
  CHECK(first.notice.empty());
  CHECK(first.identity.files.chain_file == folder.files().chain_file);
  const Kept second = keep(folder, now_s + 100 * day_s);
  CHECK(second.notice.empty());
  CHECK(second.identity.chain_pem == first.identity.chain_pem);
}

TEST_CASE("another pair is made with the reason: it ends soon, begins later, is for another name, or is broken") {
  const Folder folder;
  const auto anew = [&](const std::string& reason) {
    const auto before = tls::load_identity(folder.files());
    const Kept kept = keep(folder);
    INFO(kept.notice);
    CHECK(kept.notice.find(reason) != std::string::npos);
    CHECK(kept.notice.find('\n') == std::string::npos);
    CHECK((!before || before->chain_pem != kept.identity.chain_pem));
    CHECK(is_on_disk(kept.identity));
    CHECK(keep(folder).notice.empty());
  };
  folder.put(now_s, 29);
  anew("ends on");
  folder.put(now_s + 300 * day_s, 365);
  anew("valid only from");
  folder.put(now_s, 365, "example.org");
  anew("other names");
  std::ofstream(folder.files().chain_file) << "no certificate";
  anew("no \"-----BEGIN CERTIFICATE-----\"");
  const auto another = tls::make_self_signed({.names = {"localhost"}, .unix_now_s = now_s});
  REQUIRE(another);
  REQUIRE(tls::write_private(folder.files().key_file, another->key_pem));  // what a crash between the two leaves
  anew("is not the key");
}

TEST_CASE("a clock that is a little behind makes nothing anew") {
  const Folder folder;
  const Kept first = keep(folder);
  CHECK(keep(folder, now_s - 3600).notice.empty());
  CHECK(is_on_disk(first.identity));
}

TEST_CASE("lists of names that differ have files that differ") {
  const Folder folder;
  const std::vector<std::vector<std::string>> lists{{"localhost"},
                                                    {"localhost", "one.example"},
                                                    {"localhost", "two.example"},
                                                    {"localhost", "two.example", "127.0.0.1"},
                                                    {"*.example"},
                                                    {"_.example"},
                                                    {std::string(60, 'a') + ".b." + std::string(60, 'c') + ".d"},
                                                    {std::string(60, 'a') + ".b." + std::string(60, 'c') + ".e"}};
  std::vector<Kept> made;
  for (const auto& list : lists) made.push_back(keep(folder, now_s, list));
  for (const Kept& kept : made) {
    CHECK(kept.notice.empty());
    CHECK(is_on_disk(kept.identity));
  }
}

TEST_CASE("many that start at once on an empty folder all have the one pair that is kept") {
  for (int round = 0; round < 5; ++round) {
    const Folder folder;
    std::vector<Result<Kept>> kept(8, fail("not asked"));
    {
      std::vector<std::jthread> threads;
      for (auto& result : kept) {
        threads.emplace_back([&] { result = keep_self_signed(folder.path, {"localhost"}, now_s); });
      }
    }
    for (const auto& result : kept) {
      REQUIRE(result);
      CHECK(result->identity.chain_pem == kept.front()->identity.chain_pem);
    }
    CHECK(is_on_disk(kept.front()->identity));
  }
}

// In a mount namespace of its own; 77 where that is not allowed.
int in_full_folder(const Folder& folder, bool has_pair) {
  const pid_t child = fork();
  if (child == 0) {
    if (unshare(CLONE_NEWNS) != 0 || mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0 ||
        mount("tmpfs", folder.path.c_str(), "tmpfs", 0, "size=12k") != 0) {
      _exit(77);
    }
    if (has_pair) {
      const auto pair = tls::make_self_signed({.names = {"localhost"}, .days = 10, .unix_now_s = now_s});
      if (!pair || !tls::write_pair(folder.files(), *pair)) _exit(1);
    }
    std::ofstream(folder.path + "/filling") << std::string(100'000, '.') << std::flush;
    const auto kept = keep_self_signed(folder.path, {"localhost"}, now_s);
    std::size_t files = 0;
    for ([[maybe_unused]] const auto& entry : std::filesystem::directory_iterator(folder.path)) ++files;
    if (!has_pair) _exit(!kept && files == 1 ? 0 : 2);
    const bool told = kept && kept->notice.find("ends on") != std::string::npos &&
                      kept->notice.find("No space left on device") != std::string::npos;
    _exit(told && is_on_disk(kept->identity) && files == 3 ? 0 : 3);
  }
  int status = 0;
  REQUIRE(waitpid(child, &status, 0) == child);
  return WEXITSTATUS(status);
}

TEST_CASE("on a full disk a pair that is still valid is served on, and an empty folder stays empty") {
  const Folder folder;
  const int with_pair = in_full_folder(folder, true);
  if (with_pair == 77) return;
  CHECK(with_pair == 0);
  CHECK(in_full_folder(folder, false) == 0);
}

TEST_CASE("a state folder that cannot be written is told with the setting that names another") {
  for (const char* folder : {"/dev/null/ringwall", "/proc"}) {
    INFO(folder);
    const auto kept = keep_self_signed(folder, {"localhost"}, 1'800'000'000);
    REQUIRE_FALSE(kept);
    CHECK(kept.error().message.starts_with("server.state_dir: "));
    CHECK(kept.error().message.find(folder) != std::string::npos);
    CHECK(kept.error().message.ends_with("; name a folder that can be written, --set server.state_dir=FOLDER"));
  }
}

}  // namespace
}  // namespace ringwall::server
