// tls_link.h: a Link whose peer is OpenSSL.
#pragma once

#include <ringwall/connection/tls_transport.h>

#include "stage.h"
#include "unit/catch.h"
#include "unit/tls/peer.h"

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace ringwall::connection::test {

inline const tls::test::Server& server() {
  static const tls::test::Folder folder;
  static const tls::test::Server server({tls::test::certificate_for(folder, {"localhost"})});
  return server;
}

struct TlsLink : Link {
  explicit TlsLink(Stage& stage_in, int version = TLS1_3_VERSION)
      : TlsLink(stage_in, std::make_unique<TlsTransport>(server().context, stage_in.resources), version) {}
  TlsLink(Stage& stage_in, std::unique_ptr<TlsTransport> transport, int version = TLS1_3_VERSION)
      : Link(stage_in, std::move(transport)),
        client({.version_min = version, .version_max = version, .server_name = "localhost"}) {
    peer.on_event = [this](sim::Peer&) { pump(); };
  }
  ~TlsLink() { peer.on_event = nullptr; }  // the base's end still runs the world

  // Begins the handshake.
  void start() { pump(); }
  void say(std::string_view text) {
    client.send(text);
    pump();
  }
  void establish() {
    start();
    REQUIRE(stage.run_until([&] { return owner.heard("established") && client.done; }));
  }
  void receive() {
    const std::string wire = peer.take_received();
    client.receive(std::as_bytes(std::span(wire)));
  }
  void pump() {
    receive();
    if (!client.done) (void)client.step();
    if (client.done) heard += client.read();
    const std::vector<std::byte> wire = client.out();
    if (!wire.empty()) peer.send(wire);
  }

  tls::test::Client client;
  std::string heard;  // by the client
};

}  // namespace ringwall::connection::test
