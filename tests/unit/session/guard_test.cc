#include <algorithm>
#include <string>
#include <string_view>

#include "unit/session/guard_bench.h"

using namespace ringwall;
using namespace ringwall::session;

TEST_CASE("a known safe method goes on, and is charged and in flight") {
  Bench bench;
  const Ruling ruling = bench.judge(cheap);
  CHECK(ruling.kind == Kind::forward);
  REQUIRE(ruling.calls.size() == 1);
  CHECK(ruling.calls.front().method == "system_name");
  CHECK(ruling.decisions.size() == 1);
  CHECK(bench.connection.calls_in_flight() == 1);
  CHECK(bench.guard.admission.counters().units_given == 1);
  CHECK(bench.guard.counters.calls == 1);
}

TEST_CASE("by POST nothing is in flight and nothing subscribes") {
  Bench bench;
  CHECK(bench.judge(R"({"jsonrpc":"2.0","id":1,"method":"chain_subscribeNewHeads","params":[]})", false).kind ==
        Kind::forward);
  CHECK(bench.connection.calls_in_flight() == 0);
  CHECK(bench.connection.subscriptions() == 0);
}

TEST_CASE("what is denied is answered with its id, counted, and costs a unit") {
  Bench bench;
  CHECK(bench.reply(unsafe_call).find("unsafe to be called externally") != std::string::npos);
  CHECK(bench.guard.counters.unsafe_calls == 1);
  CHECK(bench.reply(R"({"jsonrpc":"2.0","id":"x","method":"eth_call"})").find(R"("id":"x")") != std::string::npos);
  CHECK(bench.guard.counters.not_offered == 1);
  CHECK(bench.reply("{").find("-32700") != std::string::npos);
  CHECK(bench.guard.counters.unreadable == 1);
  CHECK(bench.reply(R"({"jsonrpc":"2.0","method":"eth_call"})").empty());
  CHECK(bench.guard.admission.counters().units_given == 4);
  CHECK(bench.connection.calls_in_flight() == 0);
  CHECK(bench.guard.counters.calls == 0);
}

TEST_CASE("a batch with a denied call is refused whole") {
  Bench bench;
  const std::string reply = bench.reply("[" + std::string(cheap) + "," + std::string(unsafe_call) + "]");
  CHECK(reply.find("batch refused") != std::string::npos);
  CHECK(reply.find("-32601") != std::string::npos);
  CHECK(bench.guard.counters.batches_refused == 1);
  CHECK(bench.connection.calls_in_flight() == 0);
}

TEST_CASE("a batch of more calls than are ever read counts as a refused batch, not as unreadable") {
  Bench bench;
  std::string text = "[1";
  for (std::size_t entries = 1; entries <= rpc::batch_calls_max; ++entries) text += ",1";
  CHECK(bench.reply(text + "]").find("-32600") != std::string::npos);
  CHECK(bench.guard.counters.batches_refused == 1);
  CHECK(bench.guard.counters.unreadable == 0);
  CHECK(bench.reply("[]").find("-32600") != std::string::npos);
  CHECK(bench.guard.counters.batches_refused == 1);
  CHECK(bench.guard.counters.unreadable == 1);
}

TEST_CASE("a name that is not offered is new until it was told, and counted; no more names are kept than may be") {
  Bench bench;
  (void)bench.judge(R"({"jsonrpc":"2.0","id":1,"method":"eth_call"})");
  CHECK(bench.guard.new_unknown_names() == R"("eth_call")");
  (void)bench.judge(R"([{"jsonrpc":"2.0","id":1,"method":"moon_b"},{"jsonrpc":"2.0","id":2,"method":"moon_a"}])");
  CHECK(bench.guard.new_unknown_names() == R"("eth_call", "moon_b", "moon_a")");
  bench.guard.forget_new_unknown_names();
  (void)bench.judge(R"({"jsonrpc":"2.0","id":1,"method":"eth_call"})");
  CHECK(bench.guard.unknown_names().at("eth_call") == 2);
  for (const char* odd : {R"(a\nb)", R"(ü)", "a b"}) {
    (void)bench.judge(R"({"jsonrpc":"2.0","id":1,"method":")" + std::string(odd) + "\"}");
  }
  CHECK(bench.guard.new_unknown_names().empty());
  for (int i = 0; i < 100; ++i) {
    (void)bench.judge(R"({"jsonrpc":"2.0","id":1,"method":"x_)" + std::to_string(i) + "\"}");
  }
  CHECK(bench.guard.unknown_names().size() == Guard::unknown_names_max);
}

TEST_CASE("what the operator has ruled out himself is not advised to him") {
  Bench bench(with([](config::Config& config) {
    config.methods.deny = {"system_name", "moon_*"};
    config.methods.runtime_apis = {"Core_version"};
  }));
  for (const char* method : {"system_name", "moon_call", "state_call"}) {
    (void)bench.judge(R"({"jsonrpc":"2.0","id":1,"method":")" + std::string(method) + "\"}");
  }
  CHECK(bench.guard.counters.not_offered == 3);
  CHECK(bench.guard.new_unknown_names().empty());
}

TEST_CASE("a refused batch pays for its entries, and where it may not it is answered as a whole") {
  Bench bench(with([](config::Config& config) {
    config.limits.connection_units_per_s = 1;
    config.limits.connection_units_burst = 30;
    config.limits.batch_calls_max = 20;
  }));
  const auto batch_of = [](std::size_t entries) {
    std::string text = "[1";
    for (std::size_t i = 1; i < entries; ++i) text += ",1";
    return text + "]";
  };
  CHECK(bench.reply(batch_of(20)).size() > 20 * 40);
  const std::string over_rate = bench.reply(batch_of(20));
  CHECK(over_rate.find("-32999") != std::string::npos);
  CHECK(over_rate.size() < 300);
  const std::string over_length = bench.reply(batch_of(21));
  CHECK(over_length.find("-32600") != std::string::npos);
  CHECK(over_length.size() < 300);
}

TEST_CASE("with delay a call over the rate may wait, and is refused once, when it is given up") {
  Bench bench(with([](config::Config& config) {
    config.limits.action = config::OverRate::delay;
    config.limits.connection_units_per_s = 10;
    config.limits.connection_units_burst = 10;
  }));
  for (int i = 0; i < 10; ++i) CHECK(bench.judge(cheap).kind == Kind::forward);
  const Ruling ruling = bench.judge(cheap);
  CHECK(ruling.may_wait);
  CHECK(ruling.request.units == 1);
  CHECK(bench.connection.refusals() == 0);
  quota::Admission& admission = bench.guard.admission;
  CHECK_FALSE(admission.try_charge(bench.connection, ruling.request, bench.now_ns).given);
  const Ruling given_up = bench.guard.settle(cheap, false, bench.connection, ruling.decision);
  CHECK(given_up.reply.find("-32999") != std::string_view::npos);
  CHECK(bench.connection.refusals() == 1);
  CHECK(bench.guard.counters.messages == 11);
  bench.now_ns += 200'000'000;
  const quota::Decision decision = admission.try_charge(bench.connection, ruling.request, bench.now_ns);
  REQUIRE(decision.given);
  CHECK(bench.guard.settle(cheap, false, bench.connection, decision).kind == Kind::forward);
  CHECK(bench.guard.counters.calls == 11);
}

TEST_CASE("over the rate it is told when to come back, and then passes") {
  Bench bench(with([](config::Config& config) {
    config.limits.connection_units_per_s = 10;
    config.limits.connection_units_burst = 10;
  }));
  for (int i = 0; i < 10; ++i) CHECK(bench.judge(cheap).kind == Kind::forward);
  const Ruling refused = bench.judge(cheap);
  CHECK(refused.kind == Kind::answer);
  CHECK(refused.over_rate);
  CHECK(refused.retry_after_ms > 0);
  CHECK(refused.retry_after_ms <= 101);
  CHECK(refused.reply.find("-32999") != std::string_view::npos);
  bench.now_ns += refused.retry_after_ms * std::uint64_t{1'000'000};
  CHECK(bench.judge(cheap).kind == Kind::forward);
  // Neither what is denied nor what cannot be read is free.
  CHECK(bench.judge(unsafe_call).over_rate);
  CHECK(bench.judge("{").over_rate);
}

TEST_CASE("bytes are paid for, and of much nothing is read that cannot be") {
  Bench bench(with([](config::Config& config) {
    config.limits.request_bytes_per_unit = 1'000;
    config.limits.connection_units_per_s = 1;
    config.limits.connection_units_burst = 10;
  }));
  std::uint64_t unpaid = 0;
  const Payer payer{.connection = bench.connection, .unpaid_bytes = &unpaid};
  const auto judge = [&](std::size_t bytes) {
    return bench.guard.judge(std::string(cheap).append(bytes - cheap.size(), ' '), payer, true, bench.now_ns);
  };
  CHECK(judge(990).kind == Kind::forward);    // a unit
  CHECK(judge(1'010).kind == Kind::forward);  // a small one: and two for the bytes of both
  CHECK(unpaid == 0);
  const Ruling large = judge(9'000);  // six are left
  CHECK(large.over_rate);
  CHECK(large.reply.find(R"("id":null)") != std::string_view::npos);
  CHECK(judge(5'000).kind == Kind::forward);  // five, and one
  const Ruling small = judge(1'000);
  CHECK(small.over_rate);
  CHECK(small.reply.find(R"("id":null)") == std::string_view::npos);
  CHECK(bench.guard.counters.calls == 3);
}

TEST_CASE("with delay much that cannot be paid for waits unread") {
  Bench bench(with([](config::Config& config) {
    config.limits.action = config::OverRate::delay;
    config.limits.request_bytes_per_unit = 1'000;
    config.limits.connection_units_per_s = 1'000;
    config.limits.connection_units_burst = 8;
  }));
  std::uint64_t unpaid = 0;
  const Payer payer{.connection = bench.connection, .unpaid_bytes = &unpaid};
  const std::string text = std::string(cheap).append(6'000 - cheap.size(), ' ');
  CHECK(bench.guard.judge(text, payer, true, bench.now_ns).kind == Kind::forward);
  const Ruling ruling = bench.guard.judge(text, payer, true, bench.now_ns);
  CHECK(ruling.may_wait);
  CHECK(ruling.is_unread);
  CHECK(ruling.request.units == 6);
  bench.now_ns += 100'000'000;
  CHECK(bench.guard.admission.try_charge(bench.connection, ruling.request, bench.now_ns).given);
  CHECK(bench.guard.judge_paid(text, payer, true, 0, bench.now_ns).kind == Kind::forward);
  const Ruling given_up = bench.guard.settle(text, true, bench.connection, ruling.decision);
  CHECK(given_up.reply.find(R"("id":null)") != std::string_view::npos);
}

TEST_CASE("what costs more than a burst is not to be tried again") {
  Bench bench(with([](config::Config& config) { config.methods.costs = {"system_name=6000"}; }));
  const Ruling ruling = bench.judge(cheap);
  CHECK_FALSE(ruling.over_rate);
  CHECK(ruling.reply.find("-32600") != std::string_view::npos);
}

TEST_CASE("a limit that time does not lift names no time") {
  Bench bench(with([](config::Config& config) { config.limits.connection_calls_in_flight_max = 1; }));
  CHECK(bench.judge(cheap).kind == Kind::forward);
  const Ruling ruling = bench.judge(cheap);
  CHECK_FALSE(ruling.over_rate);
  CHECK(ruling.reply.find("-32999") != std::string_view::npos);
  CHECK(ruling.reply.find("retry_after_ms") == std::string_view::npos);
  bench.guard.admission.answered(bench.connection, 1);
  CHECK(bench.judge(cheap).kind == Kind::forward);
}

TEST_CASE("with limits off nothing is refused for one, and all is counted") {
  Bench bench(with([](config::Config& config) {
    config.limits.enabled = config::Switch::off;
    config.limits.connection_units_per_s = config.limits.connection_units_burst = 1;
  }));
  for (int i = 0; i < 1000; ++i) CHECK(bench.judge(cheap).kind == Kind::forward);
  CHECK(bench.guard.admission.counters().units_given == 1000);
  CHECK(bench.judge(unsafe_call).kind == Kind::answer);
}

TEST_CASE("rpc_methods is answered here, by call and not by batch") {
  Bench bench;
  constexpr std::string_view ask = R"({"jsonrpc":"2.0","id":7,"method":"rpc_methods"})";
  const Ruling ruling = bench.judge(ask);
  REQUIRE(ruling.kind == Kind::tell_methods);
  CHECK(bench.guard.tell(ruling, R"({"methods":["a"]})") == R"({"jsonrpc":"2.0","id":7,"result":{"methods":["a"]}})");
  CHECK(bench.connection.calls_in_flight() == 0);
  CHECK(bench.judge("[" + std::string(ask) + "]").kind == Kind::forward);
}

TEST_CASE("another client's request over a connection is charged to that client") {
  Bench bench(with([](config::Config& config) {
    config.limits.address_units_per_s = 1;
    config.limits.address_units_burst = 2;
  }));
  quota::AddressBytes other_address = client_address;
  other_address[15] = 9;
  quota::Client other = bench.guard.admission.client(other_address, bench.now_ns);
  const Payer payer{bench.connection, &other};
  CHECK(bench.guard.judge(cheap, payer, false, bench.now_ns).kind == Kind::forward);
  CHECK(bench.guard.judge(cheap, payer, false, bench.now_ns).kind == Kind::forward);
  CHECK(bench.guard.judge(cheap, payer, false, bench.now_ns).over_rate);
  CHECK(bench.judge(cheap).kind == Kind::forward);
}

TEST_CASE("allow and deny decide who may come") {
  config::Cidr net{client_address, 120};
  net.address[15] = 0;
  const config::Cidr one{client_address, 128};
  quota::AddressBytes neighbour = client_address, stranger = client_address;
  neighbour[15] = 77;
  stranger[12] = 10;
  const Bench bench(with([&](config::Config& config) {
    config.limits.allow = {net};
    config.limits.deny = {one};
  }));
  CHECK_FALSE(bench.guard.lets_in(client_address));
  CHECK(bench.guard.lets_in(neighbour));
  CHECK_FALSE(bench.guard.lets_in(stranger));
  CHECK(Bench().guard.lets_in(stranger));
}

TEST_CASE("each call is counted once, by its method and what became of it") {
  Bench bench(with([](config::Config& config) {
    config.limits.connection_units_per_s = 1;
    config.limits.connection_units_burst = 4;
  }));
  const auto method_named = [](std::string_view name) {
    const auto known = rpc::known_methods();
    const auto at = std::ranges::find(known, name, &rpc::Method::name);
    REQUIRE(at != known.end());
    return static_cast<std::size_t>(at - known.begin());
  };
  const auto count = [&](Verdict verdict, std::string_view name) {
    return bench.guard.call_counters.count_of(verdict, method_named(name));
  };
  const std::size_t other = rpc::known_methods().size();
  (void)bench.judge(cheap);
  (void)bench.judge(unsafe_call);
  (void)bench.judge(R"({"jsonrpc":"2.0","id":1,"method":"rpc_methods"})");
  CHECK(count(Verdict::forwarded, "system_name") == 1);
  CHECK(count(Verdict::unsafe_, "author_rotateKeys") == 1);
  CHECK(count(Verdict::answered, "rpc_methods") == 1);
  (void)bench.judge(cheap);
  (void)bench.judge(cheap);
  CHECK(count(Verdict::forwarded, "system_name") == 2);
  CHECK(count(Verdict::over_limit, "system_name") == 1);
  bench.now_ns += 100 * second_ns;
  (void)bench.judge(
      R"([{"jsonrpc":"2.0","id":1,"method":"system_name"},{"jsonrpc":"2.0","id":2,"method":"nobody_knows"},7])");
  CHECK(count(Verdict::batch_refused, "system_name") == 1);
  CHECK(bench.guard.call_counters.count_of(Verdict::not_offered, other) == 1);
  CHECK(bench.guard.call_counters.count_of(Verdict::invalid, other) == 1);
}
