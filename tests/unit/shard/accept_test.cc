// Who is let in: the bound of sessions, descriptors that run out, several listeners.
#include "stage.h"

#include <algorithm>

namespace ringwall::shard {
namespace {

using session::EndReason;
using test::millisecond;
using test::Options;
using test::page_request;
using test::second;
using test::Stage;

constexpr std::uint64_t seeds = 6;

bool is_served(const sim::Peer& client) { return client.received().contains("JSON-RPC endpoint"); }

long served(const Stage& stage) { return std::ranges::count_if(stage.clients, is_served); }

TEST_CASE("clients of every listener are served, one after another and at the same time") {
  for (std::uint64_t seed = 1; seed <= seeds; ++seed) {
    INFO("seed " << seed);
    Stage stage({.seed = seed});
    for (int index = 0; index < 40; ++index) stage.connect(page_request, static_cast<std::uint16_t>(index % 2));
    REQUIRE(stage.run_until([&] { return served(stage) == 40; }));
    CHECK(stage.sessions() == 40);
    CHECK(stage.shard->service().sessions_opened == 40);
    for (sim::Peer& client : stage.clients) client.half_close();
    REQUIRE(stage.run_until([&] { return stage.sessions() == 0; }));
    CHECK(stage.ended(EndReason::client_closed) == 40);
    CHECK(stage.notices.empty());
  }
}

TEST_CASE("the bound of sessions holds whoever comes, and those who wait are served when others leave") {
  constexpr std::size_t bound = 4;
  for (std::uint64_t seed = 1; seed <= seeds; ++seed) {
    INFO("seed " << seed);
    Stage stage({.seed = seed, .sessions_max = bound});
    std::size_t most = 0;
    const auto watched = [&](auto condition) {
      return stage.run_until([&] {
        most = std::max(most, stage.sessions());
        return condition();
      });
    };
    for (int index = 0; index < 20; ++index) stage.connect(page_request, static_cast<std::uint16_t>(seed % 2));
    REQUIRE(watched([&] { return served(stage) == bound; }));
    stage.run_for(5 * second);
    CHECK(served(stage) == bound);
    for (long gone = 1; gone <= 16; ++gone) {
      std::ranges::find_if(stage.clients, is_served)->close();
      stage.clients.erase(std::ranges::find_if(stage.clients, is_served));
      REQUIRE(watched([&] { return served(stage) == bound; }));
    }
    CHECK(most == bound);
    CHECK(stage.shard->service().sessions_opened == 20);
    CHECK(std::ranges::none_of(stage.clients, [](const sim::Peer& client) { return client.error() != 0; }));
  }
}

TEST_CASE("a burst that is larger than the room is let in up to the bound, and the rest reset") {
  constexpr std::size_t bound = 300;
  Stage stage({.sessions_max = bound});
  for (int index = 0; index < 100; ++index) stage.connect(page_request);
  REQUIRE(stage.run_until([&] { return served(stage) == 100; }));
  // More than one queue holds, all within one turn.
  for (int index = 0; index < 240; ++index) stage.connect(page_request, static_cast<std::uint16_t>(index % 2));
  stage.world.events().run_until(stage.kernel.now_ns() + 10 * second);
  std::size_t most = 0;
  const auto all_are_done = [&] {
    most = std::max(most, stage.sessions());
    return std::ranges::count_if(stage.clients, [](const sim::Peer& client) {
             return is_served(client) || client.error() == ECONNRESET;
           }) >= static_cast<long>(bound);
  };
  REQUIRE(stage.run_until(all_are_done));
  stage.run_for(second);
  CHECK(most == bound);
  CHECK(stage.sessions() == bound);
  CHECK(served(stage) == bound);
}

TEST_CASE("at the bound a listener lets nobody in, though others filled it") {
  Stage stage({.sessions_max = 2});
  for (int index = 0; index < 2; ++index) stage.connect(page_request, 0);
  REQUIRE(stage.run_until([&] { return served(stage) == 2; }));
  sim::Peer& other = stage.connect(page_request, 1);
  stage.run_for(5 * second);
  CHECK(stage.sessions() == 2);
  CHECK(other.error() == 0);
  CHECK(other.received().empty());
  stage.clients.front().close();
  REQUIRE(stage.run_until([&] { return is_served(other); }));
}

TEST_CASE("without descriptors accepting pauses, is told of, and goes on when there are some again") {
  for (std::uint64_t seed = 1; seed <= seeds; ++seed) {
    INFO("seed " << seed);
    // The mailbox, two listeners and three clients.
    Stage stage({.seed = seed, .descriptors_max = 6});
    for (int index = 0; index < 5; ++index) stage.connect(page_request);
    REQUIRE(stage.run_until([&] { return served(stage) == 3; }));
    REQUIRE(stage.run_until([&] { return !stage.notices.empty(); }));
    CHECK(stage.notices.front() == "out_of_files");
    stage.run_for(3 * second);
    CHECK(served(stage) == 3);
    CHECK(stage.notices.size() <= 5);
    std::ranges::find_if(stage.clients, is_served)->close();
    REQUIRE(stage.run_until([&] { return served(stage) == 4; }, second));
    CHECK(std::ranges::none_of(stage.clients, [](const sim::Peer& client) { return client.error() != 0; }));
  }
}

TEST_CASE("a shard without descriptors sleeps between its tries") {
  Stage stage({.descriptors_max = 3});
  stage.connect(page_request);
  stage.run_for(second);
  const ring::RingCounters before = stage.shard->resources().ring.counters();
  stage.run_for(10 * second);
  const ring::RingCounters after = stage.shard->resources().ring.counters();
  // Ten tries a second of each listener, and the stage's own 50 ms.
  CHECK(after.turns - before.turns < 700);
  CHECK(after.submitted - before.submitted <= 220);
}

TEST_CASE("accepting goes on through every fault") {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    INFO("seed " << seed);
    Options options{.seed = seed, .sessions_max = 6};
    options.faults.multishot_ends = options.faults.cancel_loses = options.faults.descriptor_refused = 0.3;
    options.faults.late_completion = options.faults.completions_held = options.faults.enter_refused = 0.3;
    Stage stage(options);
    for (int index = 0; index < 30; ++index) {
      stage.connect(page_request, static_cast<std::uint16_t>(index % 2)).on_event = [](sim::Peer& client) {
        if (is_served(client)) client.half_close();
      };
    }
    std::size_t most = 0;
    const auto all_are_done = [&] {
      most = std::max(most, stage.sessions());
      return std::ranges::all_of(stage.clients, [](const sim::Peer& client) { return client.is_over(); });
    };
    REQUIRE(stage.run_until(all_are_done, 600 * second));
    CHECK(most <= 6);
    REQUIRE(stage.run_until([&] { return stage.sessions() == 0; }));
  }
}

TEST_CASE("a kernel that refuses the ring of buffers is told by its errno, and what never began is closed") {
  sim::World world({});
  sim::SimKernel kernel(world);
  config::Config config;
  config.listeners = {{.kind = config::ListenerKind::plain}};
  session::Rules rules(config, {}, 0);
  Mailbox mailbox;
  const int event = kernel.open_mailbox();
  const auto make = [&](std::uint16_t port) {
    Plan plan{.config = &config,
              .rules = &rules,
              .offers = nullptr,
              .listeners = {},
              .targets = {},
              .sessions_max = 1,
              .mailbox = &mailbox,
              .event = event,
              .log = [](const log::Line&) {}};
    const int socket = kernel.open_listener(sim::address_of("192.0.2.1", port));
    plan.listeners.push_back({.config = config.listeners.data(), .sockets = {socket}, .tls = nullptr});
    return std::make_unique<Shard>(kernel, std::move(plan));
  };
  {
    const auto first = make(443);
    CHECK(first->error() == 0);
    CHECK(make(444)->error() == EEXIST);
  }
  kernel.close_socket(event);
  CHECK(kernel.descriptors_open() == 0);
}

}  // namespace
}  // namespace ringwall::shard
