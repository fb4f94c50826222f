// A listener behind a load balancer: what a connection must begin with, and what becomes of those that do not.
#include "stage.h"

#include <algorithm>
#include <string>
#include <string_view>

namespace ringwall::shard {
namespace {

using session::EndReason;
using test::answer;
using test::millisecond;
using test::Options;
using test::page_request;
using test::second;
using test::some_call;
using test::Stage;

constexpr std::string_view line = "PROXY TCP4 198.51.100.7 192.0.2.1 56581 443\r\n";

config::Cidr network(std::uint8_t first_byte) {
  return {.address = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, first_byte}, .prefix_bits = 96 + 8};
}

// The peers of a Stage come from 203.0.113.7.
Options behind_balancer(std::vector<config::Cidr> trusted = {}) {
  return {.first = {.kind = config::ListenerKind::plain,
                    .proxy_protocol = config::ProxyProtocol::required,
                    .trusted_proxies = std::move(trusted)}};
}

bool is_served(const sim::Peer& client) { return client.received().contains("JSON-RPC endpoint"); }

// As the node hears of it, when a client sends `bytes`.
std::string forwarded_for(const Options& options, const std::string& bytes) {
  std::string head;  // of the node's connection, which ends with the stage
  Stage stage(options);
  stage.node.on_peer = [&](sim::Peer& peer) {
    peer.on_event = [&](sim::Peer& asked) {
      head += asked.take_received();
      if (head.ends_with(some_call)) asked.send(answer("[]"));
    };
  };
  const sim::Peer& client = stage.connect(bytes);
  REQUIRE(stage.run_until([&] { return client.received().ends_with("[]"); }));
  constexpr std::string_view name = "X-Forwarded-For: ";
  const std::size_t start = head.find(name) + name.size();
  return head.substr(start, head.find('\r', start) - start);
}

std::string post_from(std::string_view header, std::string_view forwarded) {
  return std::string(header) + "POST / HTTP/1.1\r\nHost: a\r\nX-Forwarded-For: " + std::string(forwarded) +
         "\r\nContent-Type: application/json\r\nContent-Length: " + std::to_string(some_call.size()) + "\r\n\r\n" +
         std::string(some_call);
}

TEST_CASE("the header names the client, and the stream begins after it") {
  const Options options = behind_balancer();
  CHECK(forwarded_for(options, post_from(line, "192.0.2.66")) == "198.51.100.7");
  CHECK(forwarded_for(options, post_from("PROXY UNKNOWN\r\n", "192.0.2.66")) == "203.0.113.7");
}

TEST_CASE("after a header X-Forwarded-For is believed of the address that it names, and of nobody else") {
  const Options options = behind_balancer({network(203), network(10)});
  // The peer is trusted with its header, but it was not the peer that wrote the request.
  CHECK(forwarded_for(options, post_from(line, "192.0.2.66")) == "198.51.100.7");
  CHECK(forwarded_for(options, post_from("PROXY UNKNOWN\r\n", "192.0.2.66")) == "203.0.113.7");
  CHECK(forwarded_for(options, post_from("PROXY TCP4 10.0.0.1 192.0.2.1 1 2\r\n", "192.0.2.66")) == "192.0.2.66");
}

TEST_CASE("a header is read in any pieces") {
  for (std::uint64_t seed = 1; seed <= 40; ++seed) {
    INFO("seed " << seed);
    Options options = behind_balancer();
    options.seed = seed;
    options.faults.short_receive = 0.9;
    Stage stage(options);
    sim::Peer& client = stage.connect();
    const std::string text = std::string(line) + std::string(page_request);
    for (std::size_t at = 0; at < text.size(); at += seed) {
      client.send(std::string_view(text).substr(at, seed));
      stage.run_for(millisecond);
    }
    REQUIRE(stage.run_until([&] { return is_served(client); }));
  }
}

TEST_CASE("who sends no header is reset without an answer, counted, and told to the operator") {
  Stage stage(behind_balancer());
  for (const std::string_view text :
       {page_request, std::string_view("\x16\x03\x01"), std::string_view("PROXY TCP4 x\r\n"),
        std::string_view("\r\n\r\n\0\r\nQUIT\n\x31", 13)}) {
    stage.connect(text);
  }
  REQUIRE(stage.run_until([&] { return stage.ended(EndReason::proxy_header) == 4; }));
  stage.run_for(second);
  for (const sim::Peer& client : stage.clients) {
    CHECK(client.received().empty());
    CHECK(client.error() == ECONNRESET);
  }
  CHECK(std::ranges::count(stage.notices, "proxy_header") >= 1);
  // The other listener has no use for one, and does not believe it.
  sim::Peer& forger = stage.connect(std::string(line) + std::string(page_request), 1);
  REQUIRE(stage.run_until([&] { return forger.has_ended(); }));
  CHECK(forger.received().starts_with("HTTP/1.1 400 "));
  REQUIRE(stage.run_until([&] { return stage.ended(EndReason::client_refused) == 1; }));
}

TEST_CASE("a peer that is not trusted is reset, whatever its header says") {
  Stage stage(behind_balancer({network(10)}));
  const sim::Peer& client = stage.connect(std::string(line) + std::string(page_request));
  REQUIRE(stage.run_until([&] { return stage.ended(EndReason::proxy_header) == 1; }));
  stage.run_for(second);
  CHECK(client.received().empty());
  CHECK(client.error() == ECONNRESET);
}

TEST_CASE("a header that does not come whole has the time of a handshake, and its end is the client's") {
  Stage stage(behind_balancer());
  stage.connect();
  sim::Peer& slow = stage.connect(line.substr(0, 20));
  sim::Peer& gone = stage.connect(line.substr(0, 20));
  REQUIRE(stage.run_until([&] { return stage.sessions() == 3; }));
  gone.half_close();
  REQUIRE(stage.run_until([&] { return stage.ended(EndReason::client_gone) == 1; }));
  stage.run_for(8 * second);
  slow.send(line.substr(20, 1));
  CHECK(stage.ended(EndReason::client_slow) == 0);
  REQUIRE(stage.run_until([&] { return stage.ended(EndReason::client_slow) == 2; }, 2500 * millisecond));
}

TEST_CASE("a stop does not wait for a header") {
  Stage stage(behind_balancer());
  stage.connect(line.substr(0, 20));
  REQUIRE(stage.run_until([&] { return stage.sessions() == 1; }));
  stage.run_for(second);
  stage.stop();
  CHECK(stage.stops_within(1500 * millisecond));
  CHECK(stage.ended(EndReason::stopping) == 1);
}

}  // namespace
}  // namespace ringwall::shard
