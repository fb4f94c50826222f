// Where a connection comes from.
#include "stage.h"
#include "unit/catch.h"

#include <arpa/inet.h>

#include <cerrno>
#include <list>

namespace ringwall::connection {
namespace {

using test::Recorder;
using test::second;
using test::Stage;
using Told = std::vector<std::string>;

struct Outgoing {
  explicit Outgoing(Stage& stage_in) : stage(stage_in) {}
  Outgoing(const Outgoing&) = delete;
  Outgoing& operator=(const Outgoing&) = delete;
  ~Outgoing() {
    connection.abort();
    RINGWALL_CHECK(stage.run_until([&] { return connection.is_closed(); }));
  }
  void connect(const char* source) {
    const ring::SocketAddress from = sim::address_of(source, 0);
    connection.connect(Stage::address(), 5 * second, nullptr, &from);
  }

  Stage& stage;
  Recorder owner;
  Connection connection{stage.resources, owner};
};

std::string host_of(const ring::SocketAddress& address) {
  char text[INET_ADDRSTRLEN] = "";
  inet_ntop(AF_INET, &reinterpret_cast<const sockaddr_in&>(address.storage).sin_addr, text, sizeof text);
  return text;
}

TEST_CASE("a connection comes from the source that it was given") {
  Stage stage;
  for (const char* source : {"127.0.0.5", "127.9.8.7"}) {
    Outgoing outgoing(stage);
    outgoing.connect(source);
    const int accepted = stage.accept();
    CHECK(host_of(stage.kernel.peer_address(accepted)) == source);
    REQUIRE(stage.run_until([&] { return outgoing.owner.heard("connected"); }));
    stage.kernel.close_socket(accepted);
  }
}

TEST_CASE("a source that is not this machine's is told by its errno, and never from inside connect") {
  Stage stage;
  const unsigned open = stage.kernel.descriptors_open();
  Outgoing outgoing(stage);
  outgoing.connect("198.51.100.1");
  CHECK(outgoing.owner.told.empty());
  CHECK(stage.kernel.descriptors_open() == open);
  REQUIRE(stage.run_until([&] { return outgoing.connection.is_closed(); }));
  CHECK(outgoing.owner.told == Told{"failed: system", "closed"});
  CHECK(outgoing.connection.last_errno() == EADDRNOTAVAIL);
}

TEST_CASE("a source whose ports are used up is told by the same errno, and another source has its own") {
  Stage stage({.ports_max = 3});
  std::list<Outgoing> outgoing;
  std::vector<int> accepted;
  for (const char* source : {"127.0.0.5", "127.0.0.5", "127.0.0.5", "127.0.0.6"}) {
    outgoing.emplace_back(stage).connect(source);
    accepted.push_back(stage.accept());
    REQUIRE(stage.run_until([&] { return outgoing.back().owner.heard("connected"); }));
  }
  Outgoing& last = outgoing.emplace_back(stage);
  last.connect("127.0.0.5");
  REQUIRE(stage.run_until([&] { return last.connection.is_closed(); }));
  CHECK(last.owner.told == Told{"failed: system", "closed"});
  CHECK(last.connection.last_errno() == EADDRNOTAVAIL);
  for (const int socket : accepted) stage.kernel.close_socket(socket);
}

}  // namespace
}  // namespace ringwall::connection
