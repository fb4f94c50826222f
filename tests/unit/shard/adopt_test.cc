// What a reload gives to a shard: it holds from the next handler on, and nothing of it is kept that need not be.
#include "stage.h"

namespace ringwall::shard {
namespace {

using test::page_request;
using test::post;
using test::second;
using test::some_call;
using test::Stage;

// `change`d from what the stage's shard began with, and handed over.
struct Given {
  template <typename Change>
  Given(Stage& stage, Change change) {
    config::Config config = stage.config();
    change(config);
    auto made = std::make_shared<const Settings>(
        config, session::make_methods(config.methods),
        quota::next_terms(stage.rules().terms, session::quota_limits(config.limits), stage.kernel.now_ns()));
    settings = made;
    methods = made->methods;
    stage.post([update = Update{.settings = std::move(made), .tls = {nullptr, nullptr}}](Shard& shard) {
      shard.adopt(update);
    });
    stage.run_for(second);
  }

  std::weak_ptr<const Settings> settings;
  std::weak_ptr<const rpc::MethodTable> methods;
};

TEST_CASE("a client that is connected is served by what is new, and stays connected") {
  Stage stage;
  sim::Peer& client = stage.connect(page_request);
  REQUIRE(stage.run_until([&] { return client.received().contains("JSON-RPC endpoint"); }));
  CHECK_FALSE(client.received().contains("new.example"));
  const Given given(stage, [](config::Config& config) {
    config.listeners[0].public_name = "new.example";
    config.methods.deny = {"system_*"};
    config.timeouts.send_ms = 1'234;
    config.server.handshakes_per_turn = 3;
  });
  client.send(page_request);
  REQUIRE(stage.run_until([&] { return client.received().contains("new.example"); }));
  client.send(post(some_call));
  REQUIRE(stage.run_until([&] { return client.received().contains("-32601"); }));
  CHECK(stage.sessions() == 1);
  CHECK(stage.shard->service().sessions_opened == 1);
  CHECK(stage.shard->resources().send_timeout_ns == 1'234'000'000);
  CHECK(stage.shard->resources().handshakes_per_turn == 3);
}

TEST_CASE("how much is logged of sessions changes by what is handed over alone") {
  Stage stage;
  const Given given(stage, [](config::Config& config) { config.log.sessions_per_s = 0; });
  stage.connect(page_request);
  REQUIRE(stage.run_until([&] { return stage.sessions() == 1; }));
  stage.clients.clear();
  REQUIRE(stage.run_until([&] { return stage.sessions() == 0; }));
  CHECK(stage.told == "");
}

TEST_CASE("what was given is freed as soon as it was read, and methods when others take their place") {
  Stage stage;
  sim::Peer& client = stage.connect(page_request);
  REQUIRE(stage.run_until([&] { return client.received().contains("JSON-RPC endpoint"); }));
  const Given first(stage, [](config::Config& config) { config.methods.deny = {"system_*"}; });
  CHECK(first.settings.expired());
  CHECK_FALSE(first.methods.expired());
  const Given second_one(stage, [](config::Config& config) { config.methods.policy = rpc::Policy::all; });
  CHECK(first.methods.expired());
  CHECK_FALSE(second_one.methods.expired());
  CHECK(stage.sessions() == 1);
}

TEST_CASE("an update of certificates alone leaves the settings as they are") {
  Stage stage;
  stage.post([](Shard& shard) { shard.adopt({.settings = nullptr, .tls = {nullptr, nullptr}}); });
  sim::Peer& client = stage.connect(page_request);
  REQUIRE(stage.run_until([&] { return client.received().contains("JSON-RPC endpoint"); }));
  CHECK(stage.shard->service().config == stage.config());
}

}  // namespace
}  // namespace ringwall::shard
