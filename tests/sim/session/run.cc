#include "sim/session/run.h"

#include "sim/kernel/sim_kernel.h"
#include "sim/session/client.h"
#include "sim/session/node.h"

#include <ringwall/shard/shard.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <vector>

namespace ringwall::sim {

namespace {

// Everything Ringwall is told to take its time for ends well within this.
constexpr std::uint64_t run_ns = 900 * second;
constexpr std::uint64_t stop_margin_ns = 5 * second;

// Limits that are reached; where nothing else goes wrong, none that ends a connection.
void draw_limits(Random& random, bool calm, config::Limits& limits) {
  limits.delay_ms_max = static_cast<std::uint32_t>(random.skewed(10, 5'000));
  limits.action = random.below(2) == 0 ? config::OverRate::reject : config::OverRate::delay;
  limits.connection_units_per_s = random.skewed(1, 500);
  limits.connection_units_burst = random.skewed(20, 5'000);
  limits.address_units_per_s = random.skewed(1, 1'000);
  limits.address_units_burst = random.skewed(20, 5'000);
  limits.connection_calls_in_flight_max = static_cast<std::uint32_t>(random.skewed(1, 512));
  limits.connection_subscriptions_max = static_cast<std::uint32_t>(random.skewed(1, 64));
  limits.answer_bytes_per_unit = static_cast<std::uint32_t>(random.skewed(1'024, 1 << 20));
  limits.close_after = 0;
  if (calm) return;
  limits.close_after = static_cast<std::uint32_t>(random.skewed(1, 20));
  limits.address_connections_max = static_cast<std::uint32_t>(random.skewed(1, 12));
  limits.address_new_connections_per_s = random.skewed(1, 20);
  limits.address_new_connections_burst = random.skewed(1, 20);
}

config::Config draw_config(Random& random, bool calm, bool behind_balancer) {
  config::Config config;
  config.server.buffers_per_shard = 1U << random.between(3, 6);
  config.server.buffer_bytes = static_cast<std::uint32_t>(random.skewed(256, 16 * 1024));
  config.server.backlog_bytes_max = random.skewed(256 * 1024, 64 << 20);
  config.limits.message_bytes_max = random.skewed(1024, 256 * 1024);
  config.limits.body_bytes_max = config.limits.message_bytes_max;
  config.server.assembly_bytes_per_address_max = random.skewed(config.limits.message_bytes_max + 8192, 32 << 20);
  config.server.assembly_bytes_max = random.skewed(config.server.assembly_bytes_per_address_max, 128 << 20);
  config.server.handshakes_per_turn = 4;
  config.timeouts.connect_ms = 5'000;
  config.timeouts.response_ms = 20'000;
  config.timeouts.send_ms = 20'000;
  config.timeouts.message_ms = 60'000;
  config::Listener rpc;
  rpc.kind = config::ListenerKind::plain;
  if (behind_balancer) rpc.proxy_protocol = config::ProxyProtocol::required;
  config::Listener tunnel = rpc;
  tunnel.mode = config::Mode::tunnel;
  config.listeners = {rpc, tunnel};
  config.upstreams = {config::Upstream{}};
  config.upstreams[0].address = {"10.0.0.1", 9944};
  config.upstreams[0].pool_idle_max = static_cast<std::uint32_t>(random.below(4));
  if (random.below(2) == 0) draw_limits(random, calm, config.limits);
  return config;
}

// What was refused for a limit is left out.
bool is_subsequence(const std::vector<Message>& part, const std::vector<Message>& whole) {
  auto at = whole.begin();
  for (const Message& message : part) {
    at = std::find(at, whole.end(), message);
    if (at == whole.end()) return false;
    ++at;
  }
  return true;
}

bool is_prefix(const std::vector<Message>& part, const std::vector<Message>& whole) {
  return part.size() <= whole.size() && std::equal(part.begin(), part.end(), whole.begin());
}

// Answers are the bodies that were posted, in order; where Ringwall answered itself, one is left out.
bool are_in_order(const std::vector<std::string>& answers, const std::vector<std::string>& posted) {
  auto at = posted.begin();
  for (const std::string& answer : answers) {
    at = std::find(at, posted.end(), answer);
    if (at == posted.end()) return false;
    ++at;
  }
  return true;
}

void check_account(World& world, const Account& account) {
  if (!is_subsequence(account.node_heard, account.client_said))
    world.fail("the node heard what the client did not say");
  if (!is_prefix(account.client_heard, account.node_said)) world.fail("the client heard what the node did not say");
  if (!account.tunnel_said.starts_with(account.tunnel_at_node)) world.fail("a tunnel changed the client's bytes");
  if (!account.node_tunnel_said.starts_with(account.tunnel_heard)) world.fail("a tunnel changed the node's bytes");
  if (!are_in_order(account.answers, account.posted)) world.fail("an answer to no request, or out of order");
  for (const auto& [body, times] : account.executed) {
    if (std::ranges::find(account.posted, body) == account.posted.end()) world.fail("the node got a body of nobody");
    if (times > 1 && body.find("author_submit") != std::string::npos) world.fail("a submission was sent twice");
    if (times > 2) world.fail("a request was sent more than twice");
  }
}

// With no fault in the world, and both ends well behaved, all that was said was heard.
void check_complete(World& world, const Client& client, const Account& account) {
  // A submission on a connection that the node ended meanwhile is not sent again: the client is told 502, and goes.
  const bool was_refused = client.kind() == Client::Kind::post && account.other_answers > 0;
  if (!account.done && !was_refused)
    world.fail("a client that behaved did not get what it came for, though nothing went wrong");
  if (client.kind() == Client::Kind::websocket && account.other_answers == 0) {
    if (account.node_close == 0 && account.close_at_node != account.client_close) {
      world.fail("the client's close code did not reach the node");
    }
    // A greeting of the node's may have passed for an answer: then the client left before the last refusals.
    if (account.node_heard.size() + account.refusals + 1 < account.client_said.size() + account.denied_said) {
      world.fail("a message of the client was lost");
    }
  }
}

class Run {
 public:
  explicit Run(std::uint64_t seed)
      : set_up_(seed * 2 + 1), behind_balancer_(seed % 8 == 5), settings_(draw_settings(seed)), world_(settings_) {}

  Outcome execute();

 private:
  Settings draw_settings(std::uint64_t seed) {
    Settings settings;
    settings.seed = seed;
    calm_ = set_up_.below(4) == 0;
    if (!calm_) settings.faults = Faults::drawn(set_up_);
    habits_rate_ = calm_ ? 0.0 : static_cast<double>(set_up_.below(60)) / 100;
    return settings;
  }
  void add_clients(std::size_t message_bytes_max);
  [[nodiscard]] bool all_over() const {
    return std::ranges::all_of(clients_, [](const auto& client) { return client->is_over(); });
  }

  Random set_up_;  // for the set-up; the world has its own
  const bool behind_balancer_;
  bool calm_ = false;
  double habits_rate_ = 0;
  Settings settings_;
  World world_;
  Ledger ledger_;
  std::vector<std::unique_ptr<Client>> clients_;
};

void Run::add_clients(std::size_t message_bytes_max) {
  const ring::SocketAddress rpc = address_of("192.0.2.1", 443);
  const ring::SocketAddress tunnel = address_of("192.0.2.1", 444);
  for (std::uint64_t number = set_up_.between(1, 12); number > 0; --number) {
    clients_.push_back(std::make_unique<Client>(world_, number, ledger_[number], habits_rate_, message_bytes_max));
    world_.events().after(world_.random().skewed(0, 20 * second), [this, client = clients_.back().get(), rpc, tunnel] {
      client->begin(rpc, tunnel, behind_balancer_);
    });
  }
}

Outcome Run::execute() {
  const config::Config config = draw_config(set_up_, calm_, behind_balancer_);
  KernelSettings kernel_settings;
  kernel_settings.submission_entries = 1U << set_up_.between(1, 8);
  kernel_settings.completion_entries = kernel_settings.submission_entries << set_up_.between(1, 3);
  if (!calm_) kernel_settings.descriptors_max = static_cast<unsigned>(set_up_.between(6, 64));
  SimKernel kernel(world_, kernel_settings);
  Node node(world_, address_of("10.0.0.1", 9944), ledger_, habits_rate_);
  add_clients(config.limits.message_bytes_max / 2);

  upstream::Target target("node", "10.0.0.1", 9944, 0);
  RINGWALL_CHECK(target.resolve() == 0);
  shard::Mailbox mailbox;
  const int event = kernel.open_mailbox();
  Outcome outcome{};
  {
    session::Rules rules(config, {}, kernel.now_ns());
    shard::Plan plan;
    plan.config = &config;
    plan.rules = &rules;
    plan.offers = nullptr;
    plan.listeners.push_back({&config.listeners[0], {kernel.open_listener(address_of("0.0.0.0", 443))}, nullptr});
    plan.listeners.push_back({&config.listeners[1], {kernel.open_listener(address_of("0.0.0.0", 444))}, nullptr});
    plan.targets = {&target};
    plan.sessions_max = calm_ ? 1000 : set_up_.between(1, 20);
    plan.mailbox = &mailbox;
    plan.event = event;
    plan.log = [](const log::Line&) {};
    shard::Shard shard(kernel, std::move(plan));
    shard.start();
    const std::uint64_t end_ns = kernel.now_ns() + (calm_ ? run_ns : set_up_.skewed(second, run_ns));
    while (!all_over() && kernel.now_ns() < end_ns) RINGWALL_CHECK(shard.turn(second));
    if (calm_ && !all_over()) world_.fail("somebody starved: nothing went wrong, and yet a client waits");

    shard::Drain drain{.fresh_ns = set_up_.skewed(0, 5 * second)};
    if (set_up_.below(2) == 0) drain.spread_ns = set_up_.skewed(1, 20 * second);
    mailbox.post([drain](shard::Shard& told) { told.stop(drain); });
    kernel.signal_mailbox(event);
    const std::uint64_t stop_by_ns =
        kernel.now_ns() + drain.spread_ns + config.timeouts.stop_ms * millisecond + stop_margin_ns;
    while (shard.turn(second)) {
      if (kernel.now_ns() > stop_by_ns) world_.fail("the shard does not stop");
    }
    const session::Service& service = shard.service();
    std::uint64_t ended = 0;
    for (const std::uint64_t count : service.ended) ended += count;
    if (ended != service.sessions_opened || service.ended[0] != 0) world_.fail("not one end reason a session");
    if (service.assembly.used() != 0) world_.fail("memory of a message is still charged");
    if (shard.backlog().used() != 0) world_.fail("memory of the backlog is still charged");
    if (shard.resources().buffers.available() != config.server.buffers_per_shard) world_.fail("a buffer is held");
    if (kernel.buffers_held() != 0) world_.fail("the kernel misses a buffer");
    outcome.sessions = service.sessions_opened;
    outcome.completions = shard.resources().ring.counters().completions;
  }
  if (kernel.operations_in_flight() != 0) world_.fail("an operation is in flight");
  kernel.close_socket(event);
  if (kernel.descriptors_open() != 0) world_.fail("a descriptor is open");
  world_.events().run_until(world_.events().now_ns() + 60 * second);  // what was sent arrives

  for (const auto& [number, account] : ledger_) {
    if (number == 0) continue;  // what noise made Ringwall ask of the node
    check_account(world_, account);
    outcome.messages_through += account.client_heard.size();
  }
  if (calm_) {
    for (std::size_t index = 0; index < clients_.size(); ++index) {
      const Account& account = ledger_[clients_.size() - index];
      if (clients_[index]->kind() != Client::Kind::noise && account.node_close == 0) {
        check_complete(world_, *clients_[index], account);
      }
    }
  }
  outcome.end_ns = world_.events().now_ns();
  if (std::getenv("RINGWALL_SIM_STORY") != nullptr) world_.print_story(stdout);
  outcome.drawn = world_.random().next();
  return outcome;
}

}  // namespace

Outcome run_session_seed(std::uint64_t seed) { return Run(seed).execute(); }

}  // namespace ringwall::sim
