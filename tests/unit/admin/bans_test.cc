#include <ringwall/admin/bans.h>
#include <ringwall/admin/bans_file.h>

#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <string>

#include "unit/catch.h"

using namespace ringwall;
using namespace ringwall::admin;

namespace {

config::Cidr range(std::string_view text) {
  const Result<config::Cidr> parsed = parse_range(text);
  REQUIRE(parsed.has_value());
  return *parsed;
}

}  // namespace

TEST_CASE("a ban ends at its time and no other does") {
  Bans bans;
  CHECK(bans.next_s() == UINT64_MAX);
  REQUIRE(bans.add(range("192.0.2.1"), 100));
  REQUIRE(bans.add(range("2001:db8::/48"), 50));
  CHECK(bans.next_s() == 50);
  CHECK_FALSE(bans.expire(49));
  CHECK(bans.expire(50));
  REQUIRE(bans.rows().size() == 1);
  CHECK(to_text(bans.rows().front().range) == "192.0.2.1/32");
  CHECK(bans.next_s() == 100);
}

TEST_CASE("a second ban of the same range takes the first one's place") {
  Bans bans;
  REQUIRE(bans.add(range("192.0.2.0/24"), 100));
  REQUIRE(bans.add(range("192.0.2.0/24"), 30));
  CHECK(bans.rows().size() == 1);
  CHECK(bans.next_s() == 30);
}

TEST_CASE("only the very range that was banned can be let in again") {
  Bans bans;
  REQUIRE(bans.add(range("192.0.2.0/24"), 100));
  CHECK_FALSE(bans.remove(range("192.0.2.1")));
  CHECK(bans.remove(range("192.0.2.0/24")));
  CHECK(bans.rows().empty());
}

TEST_CASE("of open connections only those of a new ban are asked for, and of none when one is lifted or ends") {
  const auto has = [](const Bans& bans, std::uint64_t after, std::string_view address) {
    return bans.ranges(after)->contains(range(address).address);
  };
  Bans bans;
  REQUIRE(bans.add(range("192.0.2.0/24"), 100));
  const std::uint64_t first = bans.version();
  REQUIRE(bans.add(range("198.51.100.0/24"), 50));
  CHECK(bans.version() != first);
  CHECK(has(bans, first, "198.51.100.7"));
  CHECK_FALSE(has(bans, first, "192.0.2.7"));
  CHECK(has(bans, 0, "192.0.2.7"));
  const std::uint64_t second = bans.version();
  REQUIRE(bans.add(range("198.51.100.0/24"), 60));  // longer: who is there already is not let in
  CHECK(bans.version() == second);
  REQUIRE(bans.remove(range("192.0.2.0/24")));
  CHECK(bans.version() != second);
  CHECK(bans.ranges(second)->empty());
  const std::uint64_t third = bans.version();
  REQUIRE(bans.expire(60));
  CHECK(bans.version() != third);
  CHECK(bans.ranges(0)->empty());
}

TEST_CASE("there are so many bans at most, and each of them may still get another time") {
  Bans bans;
  config::Cidr one = range("10.0.0.0");
  for (std::size_t index = 0; index < bans_max; ++index) {
    one.address[14] = static_cast<std::uint8_t>(index >> 8);
    one.address[15] = static_cast<std::uint8_t>(index);
    REQUIRE(bans.add(one, 100));
  }
  CHECK_FALSE(bans.add(range("192.0.2.1"), 100));
  CHECK(bans.add(one, 200));
}

TEST_CASE("a range that would shut out everybody is refused") {
  CHECK(parse_ban_range("10.0.0.0/8").has_value());
  CHECK_FALSE(parse_ban_range("0.0.0.0/7").has_value());
  CHECK_FALSE(parse_ban_range("0.0.0.0/0").has_value());
  CHECK(parse_ban_range("2001::/16").has_value());
  CHECK_FALSE(parse_ban_range("2000::/3").has_value());
  CHECK_FALSE(parse_ban_range("::/0").has_value());
  CHECK_FALSE(parse_ban_range("").has_value());
  CHECK_FALSE(parse_ban_range("example.com").has_value());
}

TEST_CASE("a time for a ban has a unit or is in seconds") {
  CHECK(*parse_ban_time("") == ban_default_s);
  CHECK(*parse_ban_time("90") == 90);
  CHECK(*parse_ban_time("10m") == 600);
  CHECK(*parse_ban_time("30d") == ban_s_max);
  for (const char* wrong : {"0", "31d", "-1", "1y", "soon"}) CHECK_FALSE(parse_ban_time(wrong).has_value());
}

namespace {

struct Folder {
  Folder() { REQUIRE(mkdtemp(path.data()) != nullptr); }
  ~Folder() { std::filesystem::remove_all(path); }
  std::string path = "/tmp/ringwall-bans.XXXXXX";
};

}  // namespace

TEST_CASE("bans come back from their file with the time that is left, though the clock began anew") {
  const Folder folder;
  const std::string path = folder.path + "/bans";
  Bans bans;
  REQUIRE(bans.add(range("192.0.2.0/24"), 1'100));
  REQUIRE(bans.add(range("2001:db8::1"), 1'030));
  REQUIRE(save_bans(path, bans, 1'000, 50'000));
  Bans later;
  REQUIRE(load_bans(path, later, 7, 50'040));
  REQUIRE(later.rows().size() == 1);
  CHECK(to_text(later.rows().front().range) == "192.0.2.0/24");
  CHECK(later.rows().front().until_s == 67);
}

TEST_CASE("what is no ban in that file is left out, and so is one that nobody could have made") {
  const Folder folder;
  const std::string path = folder.path + "/bans";
  std::ofstream(path)
      << "0.0.0.0/0 99999\nhere 99999\n192.0.2.1\n192.0.2.2 soon\n192.0.2.3 1\n\n192.0.2.4 18446744073709551615\n";
  Bans bans;
  const Result<void> loaded = load_bans(path, bans, 10, 100);
  REQUIRE_FALSE(loaded.has_value());
  CHECK(loaded.error().message.find("5 lines are no bans") != std::string::npos);
  REQUIRE(bans.rows().size() == 1);
  CHECK(to_text(bans.rows().front().range) == "192.0.2.4/32");
  CHECK(bans.rows().front().until_s == 10 + ban_s_max);
  CHECK(load_bans(folder.path + "/none", bans, 10, 100));
  CHECK(bans.rows().size() == 1);
}

TEST_CASE("a file that cannot be written is an error that names it") {
  const Result<void> saved = save_bans("/proc/nowhere/bans", Bans(), 0, 0);
  REQUIRE_FALSE(saved.has_value());
  CHECK(saved.error().message.find("/proc/nowhere/bans") != std::string::npos);
}

TEST_CASE("a file of bans that is none is not read, and one that stands where it is made is not followed") {
  const Folder folder;
  const std::string path = folder.path + "/bans";
  REQUIRE(mkfifo(path.c_str(), 0600) == 0);
  Bans bans;
  const Result<void> loaded = load_bans(path, bans, 0, 0);
  REQUIRE_FALSE(loaded.has_value());
  CHECK(loaded.error().message.find(path) != std::string::npos);
  const std::string precious = folder.path + "/precious";
  std::ofstream(precious) << "mine";
  std::filesystem::create_symlink(precious, path + "." + std::to_string(getpid()));
  REQUIRE(bans.add(range("192.0.2.1"), 10));
  REQUIRE(save_bans(path, bans, 0, 0));
  CHECK(std::filesystem::file_size(precious) == 4);
  CHECK(std::filesystem::is_regular_file(path));
}
