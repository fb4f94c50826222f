#include "stage.h"

#include <ringwall/check.h>
#include <ringwall/tls/context.h>
#include <ringwall/tls/self_signed.h>

#include <cstdlib>
#include <ctime>
#include <filesystem>
#include <string>
#include <utility>

namespace ringwall::bench {

namespace {

constexpr std::uint64_t wait_ns = 1'000'000;
constexpr std::uint32_t a_long_time_ms = 1'000'000'000;  // nobody is pinged

// The default rates with bursts that do not run out, so that all is counted and nothing is refused; no bound of
// connections that so many would reach.
config::Config config_for(const Scenario& scenario) {
  config::Config config;
  config::Limits& limits = config.limits;
  limits.address_units_burst = limits.network_units_burst = quota::burst_units_max;
  limits.connection_units_burst = limits.machine_units_burst = quota::burst_units_max;
  limits.handshakes_max = 0;
  config.timeouts.ping_interval_ms = config.timeouts.dead_after_ms = a_long_time_ms;
  config.timeouts.handshake_ms = config.timeouts.head_ms = config.timeouts.tunnel_idle_ms = a_long_time_ms;
  config::Listener listener;
  listener.kind = scenario.tls ? config::ListenerKind::tls : config::ListenerKind::plain;
  listener.mode = scenario.tunnel ? config::Mode::tunnel : config::Mode::rpc;
  config.listeners = {listener};
  config.upstreams = {config::Upstream{}};
  return config;
}

tls::Identity make_identity() {
  const auto made = tls::make_self_signed(
      {.names = {"rpc.example.org"}, .unix_now_s = static_cast<std::int64_t>(std::time(nullptr))});
  RINGWALL_CHECK(made.has_value());
  std::string folder = std::filesystem::temp_directory_path() / "ringwall-bench-XXXXXX";
  RINGWALL_CHECK(mkdtemp(folder.data()) != nullptr);
  const tls::Certificate files{folder + "/chain.pem", folder + "/key.pem", ""};
  RINGWALL_CHECK(tls::write_pair(files, *made).has_value());
  auto identity = tls::load_identity(files);
  RINGWALL_CHECK(identity.has_value());
  std::filesystem::remove_all(folder);
  return std::move(*identity);
}

// Its name is what callgrind counts: see README.md.
[[gnu::noinline]] bool measured_turn(shard::Shard& shard) { return shard.turn(wait_ns); }

}  // namespace

Stage::Stage(const Scenario& scenario)
    : scenario_(scenario),
      config_(config_for(scenario)),
      peers_(std::make_unique<Peers>(backend_, scenario_)),
      rules_(std::make_unique<session::Rules>(config_, quota::Seed{}, backend_.now_ns())) {
  RINGWALL_CHECK(target_.resolve() == 0);
  shard_ = std::make_unique<shard::Shard>(backend_, plan());
  RINGWALL_CHECK(shard_->error() == 0);
  shard_->start();
  peers_->connect_all();
  while (!peers_->are_open()) RINGWALL_CHECK(shard_->turn(wait_ns));
  peers_->begin();
  if (scenario_.notification_bytes > 0) {
    while (peers_->heard() < scenario_.connections) RINGWALL_CHECK(shard_->turn(wait_ns));
  }
}

shard::Plan Stage::plan() {
  shard::Plan plan;
  plan.config = &config_;
  plan.rules = rules_.get();
  plan.offers = nullptr;
  plan.listeners.push_back({&config_.listeners[0], {backend_.open_listener()}, nullptr});
  if (scenario_.tls) {
    auto keys = tls::TicketKeys::create({}, 0);
    RINGWALL_CHECK(keys.has_value());
    ticket_keys_ = std::move(*keys);
    tls::Settings settings;
    settings.identities.push_back(make_identity());
    auto context = tls::Context::load(settings, *ticket_keys_, backend_.unix_now_s());
    RINGWALL_CHECK(context.has_value());
    plan.listeners[0].tls = std::move(*context);
  }
  plan.targets = {&target_};
  plan.sessions_max = 65'536;
  plan.mailbox = &mailbox_;
  plan.event = backend_.open_event();
  plan.log = [](const log::Line& line) {
    if (line.level < log::Level::warning) return;
    std::fprintf(stderr, "the shard says: %s\n", std::string(line.sentence).c_str());
    std::abort();
  };
  return plan;
}

void Stage::run(std::uint64_t messages, Spent& spent) {
  const std::uint64_t until = peers_->heard() + messages;
  backend_.measure(true);
  while (peers_->heard() < until) {
    const std::uint64_t driver_before = backend_.driver_ticks();
    const std::uint64_t start = ticks();
    RINGWALL_CHECK(measured_turn(*shard_));
    spent.shard_ticks += ticks() - start - (backend_.driver_ticks() - driver_before);
    ++spent.turns;
  }
  backend_.measure(false);
}

Stage::~Stage() {
  shard_->stop();
  shard_->stop();  // at once
  while (shard_->turn(wait_ns)) {
  }
}

}  // namespace ringwall::bench
