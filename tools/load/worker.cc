#include "load/worker.h"

#include <algorithm>
#include <span>
#include <utility>

#include "load/call_client.h"
#include "load/handshake_client.h"
#include "load/holding_client.h"
#include "load/mix.h"
#include "load/process_watch.h"

namespace ringwall::load {

namespace {

constexpr std::uint64_t ms_ns = 1'000'000;
constexpr std::uint64_t second_ns = 1'000 * ms_ns;
constexpr std::uint16_t receive_group = 1;
constexpr std::uint16_t buffers_count = 256;
constexpr std::uint32_t buffer_bytes = 16 * 1024;
constexpr std::size_t arena_bytes = 16 << 20;
constexpr std::size_t backlog_bytes_max = 256 << 20;
constexpr std::uint64_t linger_ns = 500 * ms_ns;
constexpr unsigned handshakes_per_turn = 16;
constexpr unsigned connecting_max = 128;          // of all workers
constexpr std::uint64_t look_up_ns = 10 * ms_ns;  // how late a worker sees what the run decided
constexpr std::size_t hostile_per_turn = 16;      // begin at most
constexpr std::size_t leaving_per_turn = 512;

std::uint64_t seed_of(ring::Backend& backend) {
  std::uint64_t seed = 0;
  backend.fill_random(std::as_writable_bytes(std::span(&seed, 1)));
  return seed;
}

}  // namespace

Worker::Worker(ring::Backend& backend, const Plan& plan, const RequestTexts& texts, Course& course, ItemTable& items,
               const tls::ClientContext* tls, Told& told, unsigned index)
    : plan_(plan),
      course_(course),
      told_(told),
      ring_(backend),
      buffers_(backend, receive_group, buffers_count, buffer_bytes),
      arena_(arena_bytes),
      backlog_(backlog_bytes_max, backlog_bytes_max),
      resources_{.ring = ring_,
                 .buffers = buffers_,
                 .arena = arena_,
                 .backlog = backlog_,
                 .send_timeout_ns = plan.timeout_ns,
                 .linger_ns = linger_ns,
                 .handshakes_per_turn = handshakes_per_turn},
      lane_{plan, course, texts, items, resources_, Random(seed_of(backend)), tls},
      began_ns_(backend.now_ns()) {
  if (plan.mix) {
    for (const MixCall& call : plan.mix->calls()) lane_.clients.tally.calls.push_back({.name = call.name});
  }
  if (plan.rate && index < plan.threads) queue_.emplace(lane_, index);
  if (index < plan.threads) {
    make_clients(index);
  } else {
    make_hostile();
  }
}

Worker::~Worker() = default;

void Worker::make_clients(unsigned index) {
  for (std::uint64_t number = index; number < plan_.connections; number += plan_.threads) {
    switch (plan_.mode) {
      case Mode::calls:
      case Mode::hostile:
        call_clients_.push_back(new CallClient(lane_, number, queue_ ? &*queue_ : nullptr));
        clients_.emplace_back(call_clients_.back());
        break;
      case Mode::handshake:
        clients_.push_back(std::make_unique<HandshakeClient>(lane_, number));
        break;
      case Mode::idle:
        clients_.push_back(std::make_unique<IdleClient>(lane_, number));
        break;
      case Mode::subscribe:
        clients_.push_back(std::make_unique<SubscribeClient>(lane_, number));
        break;
    }
  }
}

void Worker::make_hostile() {
  for (std::uint64_t number = 0; number < plan_.hostile_connections; ++number) {
    hostile_.push_back(HostileClient::create(lane_, number));
  }
}

bool Worker::run() {
  while (lane_.stretch != Stretch::after) turn(look_up_ns);
  wait_for_calls();
  const bool is_over = part();
  tell_second(ring_.now_ns());
  told_.tally = std::move(lane_.clients.tally);
  told_.hostile = std::move(lane_.hostile.tally);
  return is_over;
}

Stretch Worker::stretch_at(std::uint64_t now_ns) const {
  if (now_ns >= course_.end_ns.load(std::memory_order_relaxed)) return Stretch::after;
  if (now_ns >= course_.measure_ns.load(std::memory_order_relaxed)) return Stretch::measured;
  if (now_ns >= course_.warmup_ns.load(std::memory_order_relaxed)) return Stretch::warmup;
  return Stretch::before;
}

void Worker::enter(Stretch stretch) {
  const Stretch before = std::exchange(lane_.stretch, stretch);
  if (stretch == before) return;
  if (stretch == Stretch::measured) cpu_before_us_ = thread_cpu_us();
  if (before == Stretch::measured) told_.cpu_us = thread_cpu_us() - cpu_before_us_;
}

void Worker::turn(std::uint64_t wait_ns_max) {
  const std::uint64_t now_ns = ring_.backend().now_ns();
  enter(stretch_at(now_ns));
  tell(now_ns);
  start_clients(now_ns);
  feed(now_ns);
  const bool is_busy = resources_.end_turn();
  const std::uint64_t due_ns = next_due_ns(now_ns);
  const std::uint64_t wait_ns = due_ns > now_ns ? std::min(due_ns - now_ns, wait_ns_max) : 0;
  ring_.turn(is_busy ? 0 : wait_ns);
}

void Worker::start_clients(std::uint64_t now_ns) {
  for (Client* client : std::exchange(lane_.closed, {})) {
    const std::uint64_t at_ns = client->again_at_ns();
    if (at_ns != never_ns) again_.emplace(at_ns, client);
  }
  if (lane_.stretch == Stretch::after) return;
  // Each once before any comes again: of an endpoint that has no room, those who come again would keep all the places.
  while (not_started_ < clients_.size() && first_start_ns(*clients_[not_started_]) <= now_ns) {
    if (!start(*clients_[not_started_])) return;
    ++not_started_;
  }
  while (!again_.empty() && again_.begin()->first <= now_ns) {
    if (!start(*again_.begin()->second)) return;
    again_.erase(again_.begin());
  }
  if (lane_.stretch != Stretch::before) start_hostile();
}

void Worker::start_hostile() {
  const std::size_t until = std::min(hostile_not_started_ + hostile_per_turn, hostile_.size());
  for (; hostile_not_started_ < until; ++hostile_not_started_) hostile_[hostile_not_started_]->start();
}

// False: too many are connecting, or the one is that gets the session for the others.
bool Worker::start(Client& client) const {
  const bool may_all_connect = plan_.mode == Mode::handshake;
  const unsigned most = std::max(connecting_max / plan_.threads, 1U);
  if (client.is_hostile()) {
    if (client.may_start()) client.start();
    return true;
  }
  if (lane_.tls != nullptr && plan_.tls.resume && !lane_.tls_session.is_ready() && lane_.clients.connecting > 0)
    return false;
  if (!may_all_connect && lane_.clients.connecting >= most) return false;
  if (client.may_start()) client.start();
  return true;
}

std::uint64_t Worker::first_start_ns(const Client& client) const {
  if (plan_.connect_rate <= 0) return 0;
  return began_ns_ +
         static_cast<std::uint64_t>(static_cast<double>(client.number()) / plan_.connect_rate * double{second_ns});
}

void Worker::feed(std::uint64_t now_ns) {
  if (queue_) queue_->send_due(now_ns);
  if (lane_.stretch != Stretch::warmup && lane_.stretch != Stretch::measured) return;
  for (CallClient* client : lane_.hungry) {
    client->is_hungry = false;
    client->feed(now_ns);
  }
  lane_.hungry.clear();
  for (HostileClient* client : std::exchange(lane_.restless, {})) {
    client->is_restless = false;
    client->act();
  }
}

std::uint64_t Worker::next_due_ns(std::uint64_t now_ns) const {
  std::uint64_t due_ns = queue_ ? queue_->next_due_ns() : never_ns;
  for (const auto* border : {&course_.warmup_ns, &course_.measure_ns, &course_.end_ns}) {
    const std::uint64_t at_ns = border->load(std::memory_order_relaxed);
    if (at_ns > now_ns) due_ns = std::min(due_ns, at_ns);
  }
  if (lane_.stretch == Stretch::after) return due_ns;
  const auto at_least = [&](std::uint64_t at_ns) { due_ns = std::min(due_ns, std::max(at_ns, now_ns + ms_ns)); };
  if (!again_.empty()) at_least(again_.begin()->first);
  if (not_started_ < clients_.size()) at_least(first_start_ns(*clients_[not_started_]));
  if (hostile_not_started_ < hostile_.size()) at_least(now_ns);
  if (!lane_.closed.empty() || !lane_.restless.empty()) due_ns = now_ns;
  return due_ns;
}

// To others ---------------------------------------------------------------------------------------------------------

void Worker::tell(std::uint64_t now_ns) {
  told_.settled.store(lane_.clients.settled, std::memory_order_relaxed);
  told_.opened.store(lane_.clients.tally.flow.connections_opened, std::memory_order_relaxed);
  if (!is_end_told_) {
    told_.open.store(lane_.clients.open, std::memory_order_relaxed);
    told_.hostile_open.store(lane_.hostile.open, std::memory_order_relaxed);
    told_.hostile_held.store(lane_.hostile.held, std::memory_order_relaxed);
    told_.hostile_stopped.store(lane_.hostile.stopped, std::memory_order_relaxed);
    is_end_told_ = lane_.stretch == Stretch::after;
  }
  told_.in_flight.store(lane_.calls_in_flight, std::memory_order_relaxed);
  told_.finished_ns.store(lane_.last_finished_ns, std::memory_order_relaxed);
  told_.finished.store(lane_.calls_finished, std::memory_order_release);
  const std::uint64_t measure_ns = course_.measure_ns.load(std::memory_order_relaxed);
  if (now_ns < measure_ns || measure_ns == never_ns) return;
  const std::uint64_t end_ns = std::min(now_ns, course_.end_ns.load(std::memory_order_relaxed));
  if (end_ns > measure_ns && (end_ns - 1 - measure_ns) / second_ns > second_) tell_second(end_ns);
}

// What is told after the end is the last second's (Second).
void Worker::tell_second(std::uint64_t now_ns) {
  const std::uint64_t measure_ns = course_.measure_ns.load(std::memory_order_relaxed);
  if (measure_ns == never_ns || now_ns <= measure_ns) return;
  {
    const std::lock_guard lock(told_.mutex);
    Tick& told = told_.seconds[second_];
    told.answers += lane_.tick.answers;
    told.errors += lane_.tick.errors;
    told.latency.add(lane_.tick.latency);
  }
  lane_.tick.answers = lane_.tick.errors = 0;
  lane_.tick.latency.clear();
  const std::uint64_t end_ns = std::min(now_ns, course_.end_ns.load(std::memory_order_relaxed));
  second_ = end_ns > measure_ns ? (end_ns - 1 - measure_ns) / second_ns : 0;
}

// The end -----------------------------------------------------------------------------------------------------------

void Worker::wait_for_calls() {
  const std::uint64_t until_ns = ring_.now_ns() + calls_waited_ns(plan_);
  const auto is_waiting = [&] { return lane_.calls_in_flight > 0 || (queue_ && queue_->is_behind()); };
  while (is_waiting() && ring_.now_ns() < until_ns && !course_.at_once.load(std::memory_order_relaxed)) {
    turn(look_up_ns);
  }
  for (CallClient* client : call_clients_) client->forget_calls();
}

bool Worker::part() {
  std::size_t leaving = 0;
  for (const std::unique_ptr<HostileClient>& client : hostile_) client->abort();
  const std::uint64_t until_ns = ring_.now_ns() + part_ns;
  while (lane_.clients_alive > 0 && ring_.now_ns() < until_ns) {
    for (std::size_t most = leaving + leaving_per_turn; leaving < clients_.size() && leaving < most; ++leaving) {
      clients_[leaving]->leave();
    }
    turn(leaving < clients_.size() ? 0 : look_up_ns);
  }
  for (const std::unique_ptr<Client>& client : clients_) client->abort();
  const auto is_over = [&] { return lane_.clients_alive == 0 && ring_.operations_in_flight() == 0; };
  const std::uint64_t aborted_ns = ring_.now_ns() + abort_ns;
  while (!is_over() && ring_.now_ns() < aborted_ns) turn(look_up_ns);
  return is_over();
}

}  // namespace ringwall::load
