// What the tests of the guard share: a guard with one connection, and calls for it.
#pragma once

#include <ringwall/session/guard.h>

#include <string>
#include <string_view>

#include "unit/catch.h"

namespace ringwall::session {

using Kind = Ruling::Kind;

constexpr std::uint64_t second_ns = 1'000'000'000;
constexpr quota::AddressBytes client_address = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 192, 0, 2, 1};

// A guard with one connection, whose clock stands still unless it is moved.
struct Bench {
  explicit Bench(config::Config config_in = {}) : config(std::move(config_in)) {
    REQUIRE(guard.admission.open(connection, guard.admission.client(client_address, now_ns), now_ns).given);
  }

  Ruling judge(std::string_view text, bool in_flight = true) {
    return guard.judge(text, {connection}, in_flight, now_ns);
  }
  std::string reply(std::string_view text) {
    const Ruling ruling = judge(text);
    CHECK(ruling.kind == Kind::answer);
    return std::string(ruling.reply);
  }

  config::Config config;
  std::uint64_t now_ns = second_ns;
  Rules rules{config, {}, now_ns};
  Guard guard{rules, config};
  quota::Connection connection{};
};

inline config::Config with(auto&& change) {
  config::Config config;
  change(config);
  return config;
}

constexpr std::string_view cheap = R"({"jsonrpc":"2.0","id":1,"method":"system_name","params":[]})";
constexpr std::string_view unsafe_call = R"({"jsonrpc":"2.0","id":1,"method":"author_rotateKeys","params":[]})";

}  // namespace ringwall::session
