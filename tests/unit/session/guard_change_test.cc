#include <array>
#include <memory>
#include <string>

#include "unit/session/guard_bench.h"

using namespace ringwall;
using namespace ringwall::session;

TEST_CASE("who is banned is not let in, whatever allow says, until other bans are given") {
  quota::AddressBytes neighbour = client_address;
  neighbour[15] = 77;
  config::Cidr net{client_address, 120};
  net.address[15] = 0;
  Bench bench(with([&](config::Config& config) { config.limits.allow = {net}; }));
  const std::array banned{config::Cidr{client_address, 128}};
  bench.guard.set_bans(std::make_shared<const AddressSet>(banned));
  CHECK_FALSE(bench.guard.lets_in(client_address));
  CHECK(bench.guard.lets_in(neighbour));
  bench.guard.set_bans(std::make_shared<const AddressSet>());
  CHECK(bench.guard.lets_in(client_address));
}

TEST_CASE("after a reload other methods pass and other limits hold, and debts stay") {
  Bench bench(with([](config::Config& config) {
    config.limits.connection_units_per_s = 1;
    config.limits.connection_units_burst = 10;
  }));
  for (int i = 0; i < 10; ++i) CHECK(bench.judge(cheap).kind == Kind::forward);
  const quota::Terms before = bench.guard.admission.terms();
  bench.config.limits.connection_units_burst = 12;
  bench.config.methods.allow = {"author_rotateKeys"};
  bench.config.methods.costs = {"author_rotateKeys=1"};
  bench.guard.adopt(make_methods(bench.config.methods),
                    quota::next_terms(before, quota_limits(bench.config.limits), bench.now_ns));
  CHECK(bench.judge(cheap).kind == Kind::forward);
  CHECK(bench.judge(cheap).kind == Kind::forward);
  CHECK(bench.judge(cheap).over_rate);
  bench.now_ns += 10 * second_ns;
  CHECK(bench.judge(unsafe_call).kind == Kind::forward);
}

TEST_CASE("a call that waited is denied if a reload has taken its method away, and gives back what it held") {
  const auto subscribe = R"({"jsonrpc":"2.0","id":7,"method":"chain_subscribeNewHeads","params":[]})";
  for (const std::string& text : {std::string(subscribe), "[" + std::string(subscribe) + "," + subscribe + "]"}) {
    Bench bench(with([](config::Config& config) {
      config.limits.action = config::OverRate::delay;
      config.limits.connection_units_per_s = 10;
      config.limits.connection_units_burst = 100;
    }));
    Ruling ruling;
    int passed = 0;
    while ((ruling = bench.judge(text)).kind == Kind::forward) ++passed;
    REQUIRE(ruling.may_wait);
    const std::uint32_t in_flight = bench.connection.calls_in_flight();
    const std::uint32_t subscriptions = bench.connection.subscriptions();
    REQUIRE(subscriptions > 0);
    const quota::Request request = ruling.request;
    bench.now_ns += 20 * second_ns;
    const quota::Decision decision = bench.guard.admission.try_charge(bench.connection, request, bench.now_ns);
    REQUIRE(decision.given);
    bench.config.methods.deny = {"chain_subscribeNewHeads"};
    bench.guard.adopt(make_methods(bench.config.methods), bench.guard.admission.terms());
    const Ruling settled = bench.guard.settle(text, false, bench.connection, decision);
    CHECK(settled.kind == Kind::answer);
    CHECK(settled.reply.find("-32601") != std::string_view::npos);
    CHECK(settled.reply.find("7") != std::string_view::npos);
    CHECK(bench.connection.calls_in_flight() == in_flight);
    CHECK(bench.connection.subscriptions() == subscriptions);
    CHECK(bench.guard.counters.not_offered >= 1);
  }
}
