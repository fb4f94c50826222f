#include <ringwall/keyed_hash.h>
#include <ringwall/upstream/target.h>

#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>

#include <algorithm>
#include <chrono>
#include <cstring>
#include <expected>
#include <system_error>
#include <utility>

namespace ringwall::upstream {

namespace {

bool is_address_literal(const std::string& host) {
  in6_addr ignored{};
  return inet_pton(AF_INET, host.c_str(), &ignored) == 1 || inet_pton(AF_INET6, host.c_str(), &ignored) == 1;
}

// Blocks. The error is a code for gai_strerror.
std::expected<std::shared_ptr<const Addresses>, int> look_up(const std::string& host, std::uint16_t port,
                                                             bool literal) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_NUMERICSERV | (literal ? AI_NUMERICHOST : 0);
  addrinfo* found = nullptr;
  if (const int code = getaddrinfo(host.c_str(), std::to_string(port).c_str(), &hints, &found); code != 0) {
    return std::unexpected(code);
  }
  auto list = std::make_shared<Addresses>();
  for (const addrinfo* row = found; row != nullptr; row = row->ai_next) {
    if (row->ai_family != AF_INET && row->ai_family != AF_INET6) continue;
    ring::SocketAddress& address = list->emplace_back();
    std::memcpy(&address.storage, row->ai_addr, row->ai_addrlen);
    address.bytes = row->ai_addrlen;
  }
  freeaddrinfo(found);
  return list;
}

}  // namespace

Target::Target(std::string name, std::string host, std::uint16_t port, std::uint32_t connections_max)
    : name_(std::move(name)),
      host_(std::move(host)),
      port_(port),
      connections_max_(connections_max),
      identity_(keyed_hash(HashSeed{}, host_ + ":" + std::to_string(port))),
      literal_(is_address_literal(host_)),
      ejection_(identity_),
      addresses_(std::make_shared<const Addresses>()) {}

std::shared_ptr<const Addresses> Target::addresses() const {
  const std::lock_guard lock(mutex_);
  return addresses_;
}

void Target::publish(std::shared_ptr<const Addresses> addresses) {
  const std::lock_guard lock(mutex_);
  addresses_ = std::move(addresses);
}

int Target::resolve() {
  auto found = look_up(host_, port_, literal_);
  if (!found) return found.error();
  publish(std::move(*found));
  return 0;
}

bool Target::take_place() {
  const std::uint32_t taken = places_taken_.fetch_add(1, std::memory_order_relaxed);
  if (connections_max_ == 0 || taken < connections_max_) return true;
  give_back_place();
  return false;
}

Resolver::Resolver(const std::vector<Row>& rows, std::uint32_t first_answers_ms) {
  for (const Row& row : rows) {
    if (row.target->is_literal()) {
      (void)row.target->resolve();
      continue;
    }
    Thread& added = threads_.emplace_back();
    const std::lock_guard lock(work_->mutex);
    try {
      added.thread = std::thread(&Resolver::run, work_, row, added.looking_up);
    } catch (const std::system_error& refused) {
      error_ = refused.code().value();
      threads_.pop_back();
      return;
    }
    ++work_->first_answers_due;
  }
  std::unique_lock lock(work_->mutex);
  (void)work_->answered.wait_for(lock, std::chrono::milliseconds(first_answers_ms),
                                 [this] { return work_->first_answers_due == 0; });
}

Resolver::~Resolver() {
  std::unique_lock lock(work_->mutex);
  work_->stopping = true;
  work_->wake.notify_all();
  for (Thread& row : threads_) {
    if (*row.looking_up) {
      row.thread.detach();
      continue;
    }
    lock.unlock();
    row.thread.join();
    lock.lock();
  }
}

void Resolver::run(const std::shared_ptr<Work>& work, Row row, const std::shared_ptr<bool>& looking_up) {
  std::unique_lock lock(work->mutex);
  const std::string host = row.target->host_;
  const std::uint16_t port = row.target->port();
  for (bool is_first = true; !work->stopping; is_first = false) {
    *looking_up = true;
    lock.unlock();
    auto found = look_up(host, port, false);
    lock.lock();
    *looking_up = false;
    if (work->stopping) return;
    if (found) row.target->publish(*found);
    if (is_first && --work->first_answers_due == 0) work->answered.notify_one();
    // A name that is not there yet is asked for again soon: the node may be starting.
    const std::uint32_t wait_s = found ? row.interval_s : std::min(row.interval_s, 2U);
    work->wake.wait_for(lock, std::chrono::seconds(std::max(wait_s, 1U)), [&] { return work->stopping; });
  }
}

}  // namespace ringwall::upstream
