#include <ringwall/upstream/target.h>

#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>

#include <algorithm>
#include <chrono>
#include <cstring>
#include <utility>

namespace ringwall::upstream {

namespace {

bool is_address_literal(const std::string& host) {
  in6_addr ignored{};
  return inet_pton(AF_INET, host.c_str(), &ignored) == 1 || inet_pton(AF_INET6, host.c_str(), &ignored) == 1;
}

}  // namespace

Target::Target(std::string name, std::string host, std::uint16_t port, std::uint32_t connections_max)
    : name_(std::move(name)),
      host_(std::move(host)),
      port_(port),
      connections_max_(connections_max),
      literal_(is_address_literal(host_)),
      addresses_(std::make_shared<const Addresses>()) {}

std::shared_ptr<const Addresses> Target::addresses() const {
  const std::lock_guard lock(mutex_);
  return addresses_;
}

int Target::resolve() {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_NUMERICSERV | (literal_ ? AI_NUMERICHOST : 0);
  addrinfo* found = nullptr;
  if (const int code = getaddrinfo(host_.c_str(), std::to_string(port_).c_str(), &hints, &found); code != 0) {
    return code;
  }
  auto list = std::make_shared<Addresses>();
  for (const addrinfo* row = found; row != nullptr; row = row->ai_next) {
    if (row->ai_family != AF_INET && row->ai_family != AF_INET6) continue;
    ring::SocketAddress& address = list->emplace_back();
    std::memcpy(&address.storage, row->ai_addr, row->ai_addrlen);
    address.bytes = row->ai_addrlen;
  }
  freeaddrinfo(found);
  const std::lock_guard lock(mutex_);
  addresses_ = std::move(list);
  return 0;
}

bool Target::take_place() {
  const std::uint32_t taken = places_taken_.fetch_add(1, std::memory_order_relaxed);
  if (connections_max_ == 0 || taken < connections_max_) return true;
  give_back_place();
  return false;
}

Resolver::Resolver(std::vector<Row> rows) : rows_(std::move(rows)) {
  for (const Row& row : rows_) (void)row.target->resolve();
  std::erase_if(rows_, [](const Row& row) { return row.target->is_literal(); });
  if (!rows_.empty()) thread_ = std::thread(&Resolver::run, this);
}

Resolver::~Resolver() {
  if (!thread_.joinable()) return;
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_one();
  thread_.join();
}

void Resolver::run() {
  using Clock = std::chrono::steady_clock;
  std::vector<Clock::time_point> due(rows_.size());
  const auto due_again = [&](std::size_t index, bool found) {
    // A name that is not there yet is asked for again soon: the node may be starting.
    const std::uint32_t wait_s = found ? rows_[index].interval_s : std::min(rows_[index].interval_s, 2U);
    due[index] = Clock::now() + std::chrono::seconds(std::max(wait_s, 1U));
  };
  for (std::size_t index = 0; index < rows_.size(); ++index) {
    due_again(index, !rows_[index].target->addresses()->empty());
  }
  std::unique_lock lock(mutex_);
  while (!wake_.wait_until(lock, *std::ranges::min_element(due), [&] { return stopping_; })) {
    lock.unlock();
    for (std::size_t index = 0; index < rows_.size(); ++index) {
      if (due[index] <= Clock::now()) due_again(index, rows_[index].target->resolve() == 0);
    }
    lock.lock();
  }
}

}  // namespace ringwall::upstream
