#include <ringwall/shard/shard.h>

#include <algorithm>
#include <utility>

namespace ringwall::shard {

namespace {

constexpr std::uint16_t receive_group = 1;
constexpr std::uint16_t large_receive_group = 2;
constexpr std::uint64_t ns_per_ms = 1'000'000;

}  // namespace

Shard::Shard(ring::Backend& backend, Plan plan)
    : config_(*plan.config),
      ring_(backend),
      buffers_(backend, receive_group, static_cast<std::uint16_t>(config_.server.buffers_per_shard),
               config_.server.buffer_bytes),
      large_buffers_(backend, large_receive_group, large_buffers_count, large_buffer_bytes),
      arena_(arena_bytes_max),
      backlog_(config_.server.backlog_bytes_max, backlog_bytes_per_address_max(config_.server)),
      resources_{.ring = ring_,
                 .buffers = buffers_,
                 .arena = arena_,
                 .backlog = backlog_,
                 .send_timeout_ns = config_.timeouts.send_ms * ns_per_ms,
                 .linger_ns = linger_ns,
                 .handshakes_per_turn = config_.server.handshakes_per_turn,
                 .offload = plan.offload,
                 .large_buffers = &large_buffers_},
      service_(resources_, config_, *plan.rules, plan.offers, std::move(plan.notice)),
      stop_event_(plan.stop_event) {
  RINGWALL_CHECK(plan.targets.size() == config_.upstreams.size());
  for (std::size_t index = 0; index < plan.targets.size(); ++index) {
    service_.nodes.push_back(
        std::make_unique<session::NodeService>(*plan.targets[index], config_.upstreams[index], resources_));
  }
  for (ListenerPlan& row : plan.listeners) {
    listeners_.push_back(
        std::make_unique<session::ListenerService>(session::ListenerService{*row.config, std::move(row.tls)}));
    acceptors_.push_back(std::make_unique<Acceptor>(service_, *listeners_.back(), row.socket, plan.sessions_max));
  }
}

Shard::~Shard() = default;

void Shard::wait_for_stop() {
  io_uring_prep_read(&ring_.prepare(stop_read_), stop_event_, &stop_count_, sizeof stop_count_, 0);
}

void Shard::on_stop_event(const ring::Completion& completion) {
  if (completion.result != sizeof stop_count_) {
    if (!has_stopped()) wait_for_stop();
    return;
  }
  if (service_.stopping || stop_count_ > 1) {
    begin_stop();
    return service_.stop(true);
  }
  begin_stop();
  wait_for_stop();
}

void Shard::begin_stop() {
  if (service_.stopping) return;
  for (const std::unique_ptr<Acceptor>& acceptor : acceptors_) acceptor->stop();
  service_.stop(false);
  ring_.timers().start(stop_timer_, ring_.now_ns() + config_.timeouts.stop_ms * ns_per_ms);
}

void Shard::on_stop_deadline() { service_.stop(true); }

bool Shard::has_stopped() const {
  return service_.stopping && service_.sessions.empty() &&
         std::ranges::all_of(service_.nodes, [](const auto& node) { return node->pool.is_empty(); }) &&
         std::ranges::all_of(acceptors_, [](const auto& acceptor) { return acceptor->is_stopped(); });
}

bool Shard::turn(std::uint64_t wait_ns_max) {
  service_.assembly.wake();
  for (const std::unique_ptr<Acceptor>& acceptor : acceptors_) acceptor->resume();
  const bool busy = resources_.end_turn();
  if (has_stopped()) {
    stop_timer_.stop();
    if (stop_read_.in_flight() && !stop_cancel_.in_flight()) ring_.cancel(stop_read_, stop_cancel_);
    if (ring_.operations_in_flight() == 0) return false;
  }
  ring_.turn(busy || service_.assembly.is_due() ? 0 : wait_ns_max);
  return true;
}

void Shard::start() { wait_for_stop(); }

void Shard::run() {
  constexpr std::uint64_t as_long_as_it_takes = 3'600'000'000'000;
  start();
  while (turn(as_long_as_it_takes)) {
  }
}

}  // namespace ringwall::shard
