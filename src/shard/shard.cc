#include <ringwall/shard/shard.h>

#include <algorithm>
#include <span>
#include <utility>

namespace ringwall::shard {

namespace {

constexpr std::uint16_t receive_group = 1;
constexpr std::uint16_t large_receive_group = 2;
constexpr std::uint64_t ns_per_ms = 1'000'000;
constexpr std::uint64_t closing_ns_max =
    1'000'000'000;  // of a stop, for Closes to arrive at those who were not answered

}  // namespace

Shard::Shard(ring::Backend& backend, Plan plan)
    : ring_(backend),
      buffers_(backend, receive_group, static_cast<std::uint16_t>(plan.config->server.buffers_per_shard),
               plan.config->server.buffer_bytes),
      large_buffers_(backend, large_receive_group, large_buffers_count, large_buffer_bytes),
      arena_(arena_bytes_max),
      backlog_(plan.config->server.backlog_bytes_max, backlog_bytes_per_address_max(plan.config->server)),
      resources_{.ring = ring_,
                 .buffers = buffers_,
                 .arena = arena_,
                 .backlog = backlog_,
                 .send_timeout_ns = plan.config->timeouts.send_ms * ns_per_ms,
                 .linger_ns = linger_ns,
                 .handshakes_per_turn = plan.config->server.handshakes_per_turn,
                 .offload = plan.offload,
                 .large_buffers = &large_buffers_},
      service_(resources_, *plan.config, *plan.rules, plan.offers, std::move(plan.log)),
      mailbox_(*plan.mailbox),
      event_(plan.event) {
  if (plan.watch != nullptr) service_.set_watch(*plan.watch);
  std::span<upstream::Target* const> targets = plan.targets;
  for (const config::Upstream& upstream : plan.config->upstreams) {
    const std::size_t count = config::nodes_of(upstream).size();
    RINGWALL_CHECK(count <= targets.size());
    service_.add_group(targets.first(count), upstream);
    targets = targets.subspan(count);
  }
  RINGWALL_CHECK(targets.empty());
  for (ListenerPlan& row : plan.listeners) {
    listeners_.push_back(std::make_unique<session::ListenerService>(*row.config, std::move(row.tls)));
    for (const int socket : row.sockets) {
      acceptors_.push_back(std::make_unique<Acceptor>(service_, *listeners_.back(), socket, plan.sessions_max));
    }
  }
}

Shard::~Shard() = default;

void Shard::adopt(const Update& update) {
  RINGWALL_CHECK(update.tls.size() == listeners_.size());
  for (std::size_t index = 0; index < listeners_.size(); ++index) {
    if (update.tls[index]) listeners_[index]->tls = update.tls[index];
  }
  if (!update.settings) return;
  const config::Config& config = update.settings->config;
  RINGWALL_CHECK(config.listeners.size() == listeners_.size());
  for (std::size_t index = 0; index < listeners_.size(); ++index) listeners_[index]->config = config.listeners[index];
  service_.adopt(config, update.settings->methods, update.settings->terms);
  resources_.send_timeout_ns = config.timeouts.send_ms * ns_per_ms;
  resources_.handshakes_per_turn = config.server.handshakes_per_turn;
}

void Shard::wait_for_letters() {
  io_uring_prep_read(&ring_.prepare(event_read_), event_, &event_count_, sizeof event_count_, 0);
}

void Shard::on_event(const ring::Completion& completion) {
  if (completion.result == sizeof event_count_) {
    for (const Letter& letter : mailbox_.take()) letter(*this);
  }
  if (!has_stopped()) wait_for_letters();
}

void Shard::stop(const Drain& drain) {
  if (service_.stopping) return service_.stop(true);
  for (const std::unique_ptr<Acceptor>& acceptor : acceptors_) acceptor->stop();
  service_.drain(drain.spread_ns, drain.fresh_ns);
  const std::uint64_t stop_ns = service_.config.timeouts.stop_ms * ns_per_ms;
  const std::uint64_t end_ns = ring_.now_ns() + drain.spread_ns + stop_ns;
  ring_.timers().start(answers_timer_, end_ns - std::min(closing_ns_max, stop_ns / 4));
  ring_.timers().start(stop_timer_, end_ns);
}

void Shard::look_again() {
  for (const std::unique_ptr<Acceptor>& acceptor : acceptors_) acceptor->look_again();
}

bool Shard::has_let_go() const {
  return std::ranges::all_of(acceptors_, [](const auto& acceptor) { return acceptor->is_stopped(); });
}

// Who waits for an answer still is told by a Close before it is cut.
void Shard::on_answers_deadline() { service_.stop(false); }

void Shard::on_stop_deadline() { service_.stop(true); }

bool Shard::has_stopped() const {
  return service_.stopping && service_.sessions.empty() &&
         std::ranges::all_of(service_.nodes, [](const auto& node) { return node->pool.is_empty(); }) && has_let_go();
}

bool Shard::turn(std::uint64_t wait_ns_max) {
  service_.assembly.wake();
  for (const std::unique_ptr<Acceptor>& acceptor : acceptors_) acceptor->resume();
  const bool busy = resources_.end_turn();
  if (has_stopped()) {
    stop_timer_.stop();
    answers_timer_.stop();
    if (event_read_.in_flight() && !event_cancel_.in_flight()) ring_.cancel(event_read_, event_cancel_);
    if (ring_.operations_in_flight() == 0) return false;
  }
  ring_.turn(busy || service_.assembly.is_due() ? 0 : wait_ns_max);
  return true;
}

void Shard::start() { wait_for_letters(); }

void Shard::run() {
  constexpr std::uint64_t as_long_as_it_takes = 3'600'000'000'000;
  for (const Letter& letter : mailbox_.take()) letter(*this);  // before anybody is let in
  start();
  while (turn(as_long_as_it_takes)) {
  }
}

}  // namespace ringwall::shard
