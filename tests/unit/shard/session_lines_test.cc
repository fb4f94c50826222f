// What a shard tells of its sessions.
#include <ringwall/session/session.h>

#include "stage.h"

#include <string>
#include <string_view>

namespace ringwall::shard {
namespace {

using test::answer;
using test::page_request;
using test::post;
using test::some_call;
using test::Stage;

TEST_CASE("a session that asked for a page is told of with its address and its bytes") {
  Stage stage;
  sim::Peer& client = stage.connect(page_request);
  REQUIRE(stage.run_until([&] { return !client.received().empty(); }));
  client.half_close();
  REQUIRE(stage.run_until([&] { return stage.sessions() == 0; }));
  INFO(stage.told);
  CHECK(stage.told.find(" info session ended client=203.0.113.7 listener=") != std::string::npos);
  CHECK(stage.told.find(" by=client reason=client_closed state=head age_s=") != std::string::npos);
  CHECK(stage.told.find(" received_bytes=" + std::to_string(page_request.size()) +
                        " sent_bytes=" + std::to_string(client.received().size()) +
                        " calls=0 units=0 denied=0 limited=0") != std::string::npos);
  CHECK(stage.told.find("upstream=") == std::string::npos);  // none was asked
}

TEST_CASE("calls that went to the node and calls that were denied are counted apart") {
  Stage stage;
  stage.node.on_peer = [](sim::Peer& peer) {
    peer.on_event = [](sim::Peer& node) {
      if (!node.take_received().empty()) node.send(answer("{}"));
    };
  };
  sim::Peer& client = stage.connect(post(some_call));
  REQUIRE(stage.run_until([&] { return client.received().find("{}") != std::string::npos; }));
  (void)client.take_received();
  client.send(post(R"({"jsonrpc":"2.0","id":1,"method":"author_rotateKeys"})"));
  REQUIRE(stage.run_until([&] { return client.received().find("-32601") != std::string::npos; }));
  (void)client.take_received();
  client.send(post("{"));
  REQUIRE(stage.run_until([&] { return client.received().find("-32700") != std::string::npos; }));
  client.half_close();
  REQUIRE(stage.run_until([&] { return stage.sessions() == 0; }));
  INFO(stage.told);
  CHECK(stage.told.find(" upstream=node by=client ") != std::string::npos);
  CHECK(stage.told.find(" calls=1 units=1 denied=2 limited=0 subscriptions=0\n") != std::string::npos);
  CHECK(stage.told.find(" call denied client=203.0.113.7 reason=unsafe method=author_rotateKeys\n") !=
        std::string::npos);
  CHECK(stage.told.find(" call denied client=203.0.113.7 reason=unreadable\n") != std::string::npos);
}

}  // namespace
}  // namespace ringwall::shard
