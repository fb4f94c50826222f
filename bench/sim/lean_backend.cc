#include "lean_backend.h"

#include <ringwall/check.h>

#include <netinet/in.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <ctime>
#include <utility>

namespace ringwall::bench {

namespace {

constexpr unsigned submission_entries = 2048;            // as shard::ring_entries
constexpr unsigned completion_entries = 65'536;          // never full here
constexpr std::uint32_t client_addresses = 0xC612'0000;  // 198.18.0.0/15 (RFC 2544)

unsigned load_acquire(unsigned& word) { return std::atomic_ref(word).load(std::memory_order_acquire); }
void store_release(unsigned& word, unsigned value) { std::atomic_ref(word).store(value, std::memory_order_release); }

}  // namespace

std::uint64_t ticks() {
#ifdef __x86_64__
  return __builtin_ia32_rdtsc();
#else
  return static_cast<std::uint64_t>(std::chrono::steady_clock::now().time_since_epoch().count());
#endif
}

LeanBackend::LeanBackend() : submissions_(submission_entries), completions_(completion_entries) {
  io_uring_sq& sq = queues_.sq;
  sq.khead = &submission_words_.head;
  sq.ktail = &submission_words_.tail;
  sq.kflags = &submission_words_.flags;
  sq.kdropped = &submission_words_.dropped;
  sq.sqes = submissions_.data();
  sq.ring_entries = submission_entries;
  sq.ring_mask = submission_entries - 1;
  io_uring_cq& cq = queues_.cq;
  cq.khead = &completion_words_.head;
  cq.ktail = &completion_words_.tail;
  cq.kflags = &completion_words_.flags;
  cq.koverflow = &completion_words_.dropped;
  cq.cqes = completions_.data();
  cq.ring_entries = completion_entries;
  cq.ring_mask = completion_entries - 1;
  queues_.ring_fd = -1;
}

int LeanBackend::enter(unsigned submit, unsigned wait_for, std::uint64_t timeout_ns) {
  if (!measuring_) return work(submit, wait_for, timeout_ns);
  const std::uint64_t start = ticks();
  const int result = drive(submit, wait_for, timeout_ns);
  driver_ticks_ += ticks() - start;
  return result;
}

// A name of its own for what is not the program's: callgrind stops counting here.
int LeanBackend::drive(unsigned submit, unsigned wait_for, std::uint64_t timeout_ns) {
  return work(submit, wait_for, timeout_ns);
}

int LeanBackend::work(unsigned submit, unsigned wait_for, std::uint64_t timeout_ns) {
  now_ns_ += enter_ns;
  for (unsigned left = submit; left > 0; --left) {
    take(submissions_[submission_words_.head & (submission_entries - 1)]);
    store_release(submission_words_.head, submission_words_.head + 1);
  }
  serve_ready();
  if (wait_for > 0 && load_acquire(completion_words_.head) == completion_words_.tail) now_ns_ += timeout_ns;
  return static_cast<int>(submit);
}

int LeanBackend::register_buffer_ring(io_uring_buf_reg& registration) {
  if (buffer_rings_.size() <= registration.bgid) buffer_rings_.resize(registration.bgid + std::size_t{1});
  buffer_rings_[registration.bgid] = {
      .entries = reinterpret_cast<io_uring_buf_ring*>(static_cast<std::uintptr_t>(registration.ring_addr)),
      .mask = registration.ring_entries - 1};
  return 0;
}

std::int64_t LeanBackend::unix_now_s() { return std::time(nullptr); }

void LeanBackend::fill_random(std::span<std::byte> bytes) {
  for (std::byte& byte : bytes) {
    random_ = random_ * 6'364'136'223'846'793'005 + 1'442'695'040'888'963'407;
    byte = static_cast<std::byte>(random_ >> 56);
  }
}

// Sockets ---------------------------------------------------------------------------------------------------------

int LeanBackend::add(Peer* peer) {
  files_.emplace_back().peer = peer;
  return first_descriptor + static_cast<int>(files_.size()) - 1;
}

int LeanBackend::open_tcp_socket(int) { return add(nullptr); }
int LeanBackend::open_event() { return add(nullptr); }
int LeanBackend::open_listener() { return listener_ = add(nullptr); }

ring::SocketAddress LeanBackend::peer_address(int socket) {
  ring::SocketAddress address;
  auto& ipv4 = reinterpret_cast<sockaddr_in&>(address.storage);
  ipv4.sin_family = AF_INET;
  ipv4.sin_port = htons(40'000);
  ipv4.sin_addr.s_addr = htonl(client_addresses + static_cast<std::uint32_t>(socket));
  address.bytes = sizeof ipv4;
  return address;
}

int LeanBackend::open_client(Peer& peer) {
  const int socket = add(&peer);
  waiting_.push_back(socket);
  accept_waiting();
  return socket;
}

void LeanBackend::accept_waiting() {
  File& listener = file(listener_);
  while (listener.receiver != 0 && !waiting_.empty()) {
    const std::uint64_t user_data = listener.receiver;
    if (!listener.is_multishot) listener.receiver = 0;
    post(user_data, waiting_.back(), listener.is_multishot ? IORING_CQE_F_MORE : 0);
    waiting_.pop_back();
  }
}

void LeanBackend::say(int socket) {
  File& row = file(socket);
  if (row.receiver == 0 || row.inbound.empty() || std::exchange(row.is_ready, true)) return;
  ready_.push_back(socket);
}

// In the order in which they came to be ready; who had his bytes and has more to say goes to the end.
void LeanBackend::serve_ready() {
  const std::size_t count = std::min<std::size_t>(ready_.size(), receives_per_enter_max);
  for (std::size_t index = 0; index < count; ++index) {
    const int socket = ready_[index];
    file(socket).is_ready = false;
    serve(file(socket));
    say(socket);
  }
  ready_.erase(ready_.begin(), ready_.begin() + static_cast<std::ptrdiff_t>(count));
}

void LeanBackend::serve(File& row) {
  std::size_t left = std::min(row.inbound.size() - row.taken, receive_bytes_per_enter_max);
  while (left > 0 && row.receiver != 0) {
    const std::uint64_t user_data = row.receiver;
    if (!row.is_multishot) row.receiver = 0;
    BufferRing& buffers = buffer_rings_[row.group];
    if (buffers.head == std::atomic_ref(buffers.entries->tail).load(std::memory_order_acquire)) {
      row.receiver = 0;
      return post(user_data, -ENOBUFS);
    }
    const io_uring_buf& buffer = buffers.entries->bufs[buffers.head++ & buffers.mask];
    std::size_t bytes = std::min<std::size_t>(left, buffer.len);
    if (row.bytes_max != 0) bytes = std::min<std::size_t>(bytes, row.bytes_max);
    std::memcpy(reinterpret_cast<void*>(static_cast<std::uintptr_t>(buffer.addr)), row.inbound.data() + row.taken,
                bytes);
    row.taken += bytes;
    left -= bytes;
    const std::uint32_t named = IORING_CQE_F_BUFFER | std::uint32_t{buffer.bid} << IORING_CQE_BUFFER_SHIFT;
    post(user_data, static_cast<int>(bytes), named | (row.is_multishot ? IORING_CQE_F_MORE : 0));
  }
  if (row.taken == row.inbound.size()) {
    row.inbound.clear();
    row.taken = 0;
  }
}

// Entries ---------------------------------------------------------------------------------------------------------

void LeanBackend::post(std::uint64_t user_data, int result, std::uint32_t flags) {
  RINGWALL_CHECK(completion_words_.tail - load_acquire(completion_words_.head) < completion_entries);
  io_uring_cqe& entry = completions_[completion_words_.tail & (completion_entries - 1)];
  entry.user_data = user_data;
  entry.res = result;
  entry.flags = flags;
  store_release(completion_words_.tail, completion_words_.tail + 1);
}

void LeanBackend::take(const io_uring_sqe& entry) {
  switch (entry.opcode) {
    case IORING_OP_SEND:
    case IORING_OP_SENDMSG:
      return post(entry.user_data, send(entry));
    case IORING_OP_RECV:
    case IORING_OP_ACCEPT:
    case IORING_OP_READ:
      return receive(entry);
    case IORING_OP_POLL_ADD:
      file(entry.fd).watcher = entry.user_data;
      return;
    case IORING_OP_CONNECT:
      file(entry.fd).peer = &on_connect(entry.fd);
      return post(entry.user_data, 0);
    case IORING_OP_ASYNC_CANCEL:
      return cancel(entry);
    case IORING_OP_CLOSE:
    case IORING_OP_NOP:
      return post(entry.user_data, 0);
    default:
      RINGWALL_CHECK(!"an operation that the program is not known to use");
  }
}

int LeanBackend::send(const io_uring_sqe& entry) {
  Peer& peer = *file(entry.fd).peer;
  const auto at = [](std::uint64_t address) {
    return reinterpret_cast<const void*>(static_cast<std::uintptr_t>(address));
  };
  if (entry.opcode == IORING_OP_SEND) {
    peer.on_sent({static_cast<const std::byte*>(at(entry.addr)), entry.len});
    return static_cast<int>(entry.len);
  }
  const auto& header = *static_cast<const msghdr*>(at(entry.addr));
  std::size_t bytes = 0;
  for (const iovec& part : std::span(header.msg_iov, header.msg_iovlen)) {
    peer.on_sent({static_cast<const std::byte*>(part.iov_base), part.iov_len});
    bytes += part.iov_len;
  }
  return static_cast<int>(bytes);
}

void LeanBackend::receive(const io_uring_sqe& entry) {
  File& row = file(entry.fd);
  row.receiver = entry.user_data;
  row.bytes_max = entry.len;
  row.group = entry.buf_group;
  const std::uint16_t multishot = entry.opcode == IORING_OP_ACCEPT ? IORING_ACCEPT_MULTISHOT : IORING_RECV_MULTISHOT;
  row.is_multishot = (entry.ioprio & multishot) != 0;
  if (entry.opcode == IORING_OP_ACCEPT) return accept_waiting();
  if (entry.opcode == IORING_OP_RECV) say(entry.fd);
}

void LeanBackend::cancel(const io_uring_sqe& entry) {
  int result = -ENOENT;
  for (File& row : files_) {
    for (std::uint64_t* target : {&row.receiver, &row.watcher}) {
      if (*target != entry.addr) continue;
      post(std::exchange(*target, 0), -ECANCELED);
      result = 0;
    }
  }
  post(entry.user_data, result);
}

}  // namespace ringwall::bench
