#include <ringwall/server/certificates.h>

#include <ringwall/tls/self_signed.h>

#include <algorithm>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "temporary_folder.h"
#include "unit/catch.h"

namespace ringwall::server {
namespace {

using test::TemporaryFolder;

constexpr std::int64_t now_s = 1'800'000'000;
constexpr std::int64_t day_s = 24 * 3600;
constexpr std::uint32_t days = 100;

// Pairs of files "NAME.crt" and "NAME.key", which come into one another's places.
struct Files {
  void make(const std::string& label, const std::string& name) const {
    const auto made = tls::make_self_signed({.names = {name}, .days = days, .unix_now_s = now_s});
    REQUIRE(made);
    REQUIRE(tls::write_pair(pair(label), *made));
  }
  [[nodiscard]] tls::Certificate pair(const std::string& label) const {
    return {folder / (label + ".crt"), folder / (label + ".key"), ""};
  }
  [[nodiscard]] config::Certificate row(const std::string& label) const {
    return {folder / (label + ".crt"), folder / (label + ".key"), ""};
  }

  TemporaryFolder folder;
};

config::Config two_listeners(const Files& files) {
  config::Config config;
  config.server.state_dir = files.folder.path;
  config.listeners.resize(2);
  config.listeners[0].certificates = {files.row("a"), files.row("b")};
  config.listeners[1].certificates = {files.row("b")};
  return config;
}

Identities read(const config::Config& config) {
  auto certificates = read_certificates(config, now_s);
  if (!certificates) FAIL(certificates.error().message);
  return std::move(certificates->identities);
}

using Flags = std::vector<bool>;

}  // namespace

TEST_CASE("all are read in the order of the configuration, the kept one last, or the first mistake is told") {
  const Files files;
  files.make("a", "a.example");
  files.make("b", "b.example");
  config::Config config = two_listeners(files);
  config.listeners[0].self_signed = {"kept.example"};
  const Identities identities = read(config);
  REQUIRE(identities.size() == 2);
  REQUIRE(identities[0].size() == 3);
  CHECK(identities[0][0].names == std::vector<std::string>{"a.example"});
  CHECK(identities[0][1].names == std::vector<std::string>{"b.example"});
  CHECK(identities[0][2].names == std::vector<std::string>{"kept.example"});
  CHECK(identities[1].size() == 1);
  CHECK(files_of(identities).size() == 6);
  CHECK(files_of(config).size() == 4);
  CHECK(summary(identities[0][0]) ==
        files.pair("a").chain_file + ": a.example, until " + tls::day(now_s + days * day_s));
  files.folder.rename("b.key", "gone");
  const auto refused = read_certificates(config, now_s);
  REQUIRE_FALSE(refused);
  CHECK(refused.error().message.find("b.key") != std::string::npos);
}

TEST_CASE("a renewal takes what has changed, on the listeners that have it") {
  const Files files;
  files.make("a", "a.example");
  files.make("b", "b.example");
  files.make("next", "next.example");
  const config::Config config = two_listeners(files);
  const Identities served = read(config);
  const Renewal same = renew_certificates(config, served, now_s);
  CHECK(same.is_changed == Flags{false, false});
  CHECK(same.mistakes.empty());
  files.folder.rename("next.crt", "a.crt");
  files.folder.rename("next.key", "a.key");
  const Renewal renewed = renew_certificates(config, served, now_s);
  CHECK(renewed.is_changed == Flags{true, false});
  CHECK(renewed.identities[0][0].names == std::vector<std::string>{"next.example"});
  CHECK(renewed.mistakes.empty());
}

TEST_CASE("a key and a certificate of different times leave that pair as it was, and no other") {
  const Files files;
  files.make("a", "a.example");
  files.make("b", "b.example");
  files.make("next_a", "a.example");
  files.make("next_b", "b.example");
  const config::Config config = two_listeners(files);
  const Identities served = read(config);
  files.folder.rename("next_a.crt", "a.crt");  // its key comes later
  files.folder.rename("next_b.crt", "b.crt");
  files.folder.rename("next_b.key", "b.key");
  const Renewal half = renew_certificates(config, served, now_s);
  CHECK(half.is_changed == Flags{true, true});
  CHECK(half.identities[0][0].chain_pem == served[0][0].chain_pem);
  CHECK(half.identities[0][0].key_pem == served[0][0].key_pem);
  CHECK(half.identities[0][1].chain_pem != served[0][1].chain_pem);
  REQUIRE(half.mistakes.size() == 1);
  CHECK(half.mistakes[0].find("a.key") != std::string::npos);
  files.folder.rename("next_a.key", "a.key");
  const Renewal whole = renew_certificates(config, half.identities, now_s);
  CHECK(whole.is_changed == Flags{true, false});
  CHECK(whole.mistakes.empty());
}

TEST_CASE("the kept certificate is made anew before it ends, while it is served") {
  const Files files;
  config::Config config;
  config.server.state_dir = files.folder.path;
  config.listeners.resize(1);
  config.listeners[0].self_signed = {"localhost"};
  const Identities served = read(config);
  CHECK(renew_certificates(config, served, now_s + 300 * day_s).is_changed == Flags{false});
  const Renewal renewed = renew_certificates(config, served, now_s + 340 * day_s);
  CHECK(renewed.is_changed == Flags{true});
  CHECK(renewed.notices.size() == 1);
  CHECK(renewed.identities[0][0].not_after_s > served[0][0].not_after_s);
}

TEST_CASE("contexts are made where they are wanted, and none for a listener without TLS") {
  const Files files;
  files.make("a", "a.example");
  files.make("b", "b.example");
  config::Config config = two_listeners(files);
  config.listeners.emplace_back();
  const Identities identities = read(config);
  auto keys = tls::TicketKeys::create({}, 0);
  REQUIRE(keys);
  const auto all = make_contexts(identities, {true, true, true}, **keys, now_s);
  REQUIRE(all);
  REQUIRE((*all)[0]);
  CHECK((*all)[0]->certificate_count() == 2);
  CHECK((*all)[1]);
  CHECK_FALSE((*all)[2]);
  const auto second = make_contexts(identities, {false, true, false}, **keys, now_s);
  REQUIRE(second);
  CHECK_FALSE((*second)[0]);
  CHECK((*second)[1]);
}

TEST_CASE("an operator is warned of what will not be seen again, with what to do") {
  const Files files;
  files.make("a", "a.example");
  const std::string there = files.pair("a").chain_file;
  config::Config config;
  config.server.user = "nobody";
  config.listeners.emplace_back().acme_webroot = files.folder.path;
  CHECK(unreadable_when_renewed(config, there, {there}).empty());
  CHECK(unreadable_when_renewed(config, "", {}).empty());
  config.listeners.emplace_back().acme_webroot = files.folder / "no-webroot";
  const auto lines = unreadable_when_renewed(config, files.folder / "no.toml", {there, files.folder / "no.key"});
  REQUIRE(lines.size() == 3);
  CHECK(lines[0].find("no.toml") != std::string::npos);
  CHECK(lines[1].find("no-webroot") != std::string::npos);
  CHECK(lines[2].find("no.key") != std::string::npos);
  for (const std::string& line : lines) CHECK(line.find("nobody") != std::string::npos);
}

}  // namespace ringwall::server
