// A Connection that is plain at first, and TLS from some byte on.
#include "tls_link.h"

#include <memory>
#include <string>
#include <utility>

namespace ringwall::connection {
namespace {

using test::Stage;
using test::text_of;
using test::TlsLink;

TEST_CASE("a transport that begins late takes the handshake from any byte on, with what has come already") {
  for (std::uint64_t seed = 1; seed <= 12; ++seed) {
    INFO("seed " << seed);
    Stage stage({.seed = seed, .faults = test::harmless_faults()});
    TlsLink link(stage, nullptr);
    const std::string before = text_of(30 * seed);
    // What is before the handshake is told apart from it by its length.
    const auto begin = [&] {
      if (link.connection.transport() != nullptr || link.owner.received.size() < before.size()) return;
      const std::string received = std::exchange(link.owner.received, {});
      CHECK(received.starts_with(before));
      link.connection.begin_transport(std::make_unique<TlsTransport>(test::server().context, stage.resources),
                                      std::as_bytes(std::span(received).subspan(before.size())));
      CHECK(link.owner.told.empty());
    };
    link.owner.when_received = begin;
    link.peer.send(before);
    if (seed % 2 == 0) stage.run_for(Stage::moment_ns);
    link.establish();
    link.say("hello");
    link.connection.send_copy("welcome");
    REQUIRE(stage.run_until([&] { return link.owner.received == "hello" && link.heard == "welcome"; }));
    CHECK(link.owner.count("established") == 1);
  }
}

}  // namespace
}  // namespace ringwall::connection
