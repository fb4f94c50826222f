#include <ringwall/admin/http_server.h>
#include <ringwall/connection/tls_transport.h>
#include <ringwall/server/announce.h>

#include "unit/catch.h"

using namespace ringwall;
using namespace ringwall::server;

namespace {

config::Config plain_listener(std::uint32_t connections_max) {
  config::Config config;
  config.listeners.emplace_back().kind = config::ListenerKind::plain;
  config.upstreams.emplace_back();
  config.server.connections_max = connections_max;
  return config;
}

std::string said(std::uint32_t connections_max, std::size_t open_files) {
  const config::Config config = plain_listener(connections_max);
  return announcement(config, bounds(config, 1, open_files), 1, "");
}

}  // namespace

TEST_CASE("a configured number of clients that the open files do not allow is told, with how many would be enough") {
  const Bounds lowered = bounds(plain_listener(4'000), 1, 1'024);
  CHECK(lowered.connections_per_shard < 512);
  CHECK(said(4'000, 1'024)
            .contains("WARNING: server.connections_max is 4000, but 1024 open files allow only " +
                      std::to_string(lowered.connections_per_shard) + ". For all, allow " +
                      std::to_string(lowered.open_files_wanted) + " files: ulimit -n,"));
  CHECK(bounds(plain_listener(4'000), 1, lowered.open_files_wanted).connections_per_shard == 4'000);
  CHECK_FALSE(said(4'000, lowered.open_files_wanted).contains("connections_max"));
  CHECK_FALSE(said(0, 1'024).contains("connections_max"));
}

TEST_CASE("where operators ask is said, and the files that they take are kept for them") {
  config::Config config = plain_listener(0);
  const Bounds without = bounds(config, 1, 1'024);
  CHECK_FALSE(announcement(config, without, 1, "").contains("admin"));
  config.admin.socket = "/run/ringwall/admin.sock";
  CHECK(announcement(config, without, 1, "").contains("\n  admin: /run/ringwall/admin.sock\n"));
  config.admin.address = {"127.0.0.1", 9'090};
  CHECK(announcement(config, without, 1, "").contains("\n  admin: http://127.0.0.1:9090, /run/ringwall/admin.sock\n"));
  CHECK(bounds(config, 1, 1'024).connections_per_shard + admin::callers_max / 2 < without.connections_per_shard);
}

TEST_CASE("a usual limit of open files is for clients, not for what may wait for POST") {
  const config::Config config = plain_listener(0);
  CHECK(4 * bounds(config, 4, 1'024).connections_per_shard >= 1'024 / 4);
}

TEST_CASE("what becomes of TLS connections is said between where it serves and within which bounds") {
  const config::Config config = plain_listener(1);
  const std::string text = announcement(config, bounds(config, 1, 1'024), 1, "  tls: by hand\n");
  CHECK(text.find("\n  tls: by hand\n  bounds: ") != text.npos);
}

TEST_CASE("a client's memory is bounded in a handshake and after it, whichever takes more") {
  constexpr std::size_t kib = 1'024;
  config::Config config = plain_listener(1);
  // What is kept of calls counts after the handshake only.
  config.limits.connection_calls_in_flight_max = config.limits.connection_subscriptions_max = 1;
  const std::size_t few_calls = bounds(config, 1, 1'024).connection_bytes;
  CHECK(few_calls >= sizeof(connection::TlsTransport) + 2 * 32 * kib + handshake_wolfssl_bytes_max);
  config.limits.connection_calls_in_flight_max = config.limits.connection_subscriptions_max = 512;
  const std::size_t many_calls = bounds(config, 1, 1'024).connection_bytes;
  CHECK(many_calls >= sizeof(connection::TlsTransport) + 2 * 16'645 + 3 * 16 * kib + 512 * (64 + 16));
  CHECK(many_calls > few_calls);
}

TEST_CASE("one of a thing is no plural") {
  CHECK(said(1, 1'024).contains(" with 1 shard:\n"));
  CHECK(said(1, 1'024).contains(" bounds: 1 client a shard "));
  CHECK(said(2, 1'024).contains(" bounds: 2 clients a shard "));
}
