// The table of descriptors, the direct system calls, and the waking of what waits on a file.
#include "sim/kernel/sim_kernel.h"

#include <ringwall/check.h>

#include <netinet/in.h>
#include <poll.h>

#include <algorithm>
#include <cerrno>
#include <utility>

namespace ringwall::sim {

namespace {

// Not near those of the process, so that a system call on a simulated descriptor finds nothing.
constexpr int first_descriptor = 100'000;
constexpr std::uint64_t late_ns_max = 20 * millisecond;

bool is_same_host(const ring::SocketAddress& one, const ring::SocketAddress& other) {
  if (one.storage.ss_family != other.storage.ss_family) return false;
  if (one.storage.ss_family == AF_INET) {
    return reinterpret_cast<const sockaddr_in&>(one.storage).sin_addr.s_addr ==
           reinterpret_cast<const sockaddr_in&>(other.storage).sin_addr.s_addr;
  }
  return std::ranges::equal(reinterpret_cast<const sockaddr_in6&>(one.storage).sin6_addr.s6_addr,
                            reinterpret_cast<const sockaddr_in6&>(other.storage).sin6_addr.s6_addr);
}

bool is_loopback(const ring::SocketAddress& address) {
  return address.storage.ss_family == AF_INET &&
         ntohl(reinterpret_cast<const sockaddr_in&>(address.storage).sin_addr.s_addr) >> 24 == 127;
}

}  // namespace

std::shared_ptr<File> SimKernel::make_file(File::Kind kind) {
  return std::make_shared<File>(world_, kind, [this](File& file) { wake(file); });
}

// The lowest that is free, as Linux does, so that a descriptor used after its close is soon another's.
int SimKernel::install(std::shared_ptr<File> file) {
  const auto free = std::ranges::find(files_, nullptr);
  const int descriptor = first_descriptor + static_cast<int>(free - files_.begin());
  if (free == files_.end()) {
    files_.push_back(std::move(file));
  } else {
    *free = std::move(file);
  }
  ++open_;
  return descriptor;
}

std::shared_ptr<File> SimKernel::file_at(int descriptor) const {
  const auto index = static_cast<std::size_t>(descriptor - first_descriptor);
  return descriptor >= first_descriptor && index < files_.size() ? files_[index] : nullptr;
}

bool SimKernel::descriptors_ran_out() {
  return open_ >= settings_.descriptors_max || world_.random().chance(world_.faults().descriptor_refused);
}

int SimKernel::open_tcp_socket(int family) {
  if (family != AF_INET && family != AF_INET6) return -EAFNOSUPPORT;
  if (descriptors_ran_out()) {
    world_.trace("socket: no more descriptors, %ld are open", open_);
    return -EMFILE;
  }
  const int descriptor = install(make_file(File::Kind::socket));
  world_.trace("socket: descriptor %ld", descriptor);
  return descriptor;
}

int SimKernel::bind_source(int socket, const ring::SocketAddress& source) {
  const std::shared_ptr<File> file = file_at(socket);
  if (!file) return -EBADF;
  if (file->endpoint) return -EINVAL;  // a source without a port may be bound to another until then
  if (!is_loopback(source) && !is_same_host(source, address_)) return -EADDRNOTAVAIL;
  file->source = source;
  return 0;
}

// Of the ports that `source` may connect to `to` from, whether one is left.
bool SimKernel::has_port(const ring::SocketAddress& source, const ring::SocketAddress& to) const {
  if (open_ <= settings_.ports_max) return true;
  const auto in_use = std::ranges::count_if(files_, [&](const std::shared_ptr<File>& file) {
    if (!file || !file->endpoint || file->source.bytes == 0 || !is_same_host(file->source, source)) return false;
    const ring::SocketAddress& peer = file->endpoint->peer_address();
    return is_same_host(peer, to) && reinterpret_cast<const sockaddr_in&>(peer.storage).sin_port ==
                                         reinterpret_cast<const sockaddr_in&>(to.storage).sin_port;
  });
  return in_use < static_cast<long>(settings_.ports_max);
}

ring::SocketAddress SimKernel::peer_address(int socket) {
  const std::shared_ptr<File> file = file_at(socket);
  if (!file || !file->endpoint || !file->endpoint->is_established()) return {};
  return file->endpoint->peer_address();
}

std::size_t SimKernel::unacknowledged_bytes(int socket) {
  const std::shared_ptr<File> file = file_at(socket);
  return file && file->endpoint ? file->endpoint->unacknowledged() : 0;
}

// Of TLS only: TCP's own are told by what is in flight.
int SimKernel::take_error(int socket) {
  const std::shared_ptr<File> file = file_at(socket);
  return file && file->tls ? file->tls->take_error() : 0;
}

int SimKernel::attach_tls(int socket) {
  const std::shared_ptr<File> file = file_at(socket);
  if (!file) return -EBADF;
  if (!settings_.has_tls) return -ENOENT;
  if (file->tls) return -EEXIST;
  // Not of a connection whose peer has said its last, either.
  if (!file->endpoint || !file->endpoint->is_established() || (file->endpoint->end_events() & POLLRDHUP) != 0) {
    return -ENOTCONN;
  }
  file->tls = std::make_shared<TlsLayer>(world_, *file->endpoint, settings_.tls_allows_second_key);
  world_.trace("TLS is attached to descriptor %ld", socket);
  return 0;
}

int SimKernel::set_tls_key(int socket, ring::TlsDirection direction, std::span<const std::byte> crypto_info) {
  const std::shared_ptr<File> file = file_at(socket);
  if (!file) return -EBADF;
  if (!file->tls) return -ENOPROTOOPT;
  const bool is_send = direction == ring::TlsDirection::send;
  if (is_send && !file->tls->sends() && file->writer != nullptr) {
    world_.fail("TLS got its key to send while a plain send waits, the rest of which would become a record");
  }
  const int result = file->tls->set_key(direction, crypto_info);
  world_.trace("a TLS key for descriptor %ld, to send: %ld, gives %ld", socket, is_send ? 1 : 0, result);
  if (result == 0) wake(*file);
  return result;
}

int SimKernel::shut_down_sending(int socket) {
  const std::shared_ptr<File> file = file_at(socket);
  if (!file) world_.fail("shut_down_sending on a descriptor that is not open");
  const int result = file->endpoint ? file->endpoint->shut_down(SHUT_WR) : -ENOTCONN;
  world_.trace("shutdown of descriptor %ld gives %ld", socket, result);
  return result;
}

void SimKernel::reset_on_close(int socket) {
  const std::shared_ptr<File> file = file_at(socket);
  if (!file) world_.fail("reset_on_close on a descriptor that is not open");
  file->reset_on_close = true;
}

void SimKernel::close_socket(int socket) {
  const std::shared_ptr<File> file = file_at(socket);
  if (!file) world_.fail("close_socket on a descriptor that is not open");
  if (!file->in_flight.empty()) world_.fail("close_socket on a descriptor with requests in flight");
  world_.trace("close descriptor %ld", socket);
  release(socket);
}

void SimKernel::release(int descriptor) {
  files_[static_cast<std::size_t>(descriptor - first_descriptor)].reset();
  --open_;
  world_.note_progress();
}

int SimKernel::open_listener(const ring::SocketAddress& address, std::size_t backlog_max) {
  const std::shared_ptr<File> file = make_file(File::Kind::listener);
  file->backlog_max = backlog_max;
  world_.listen(address, *file);
  return install(file);
}

int SimKernel::open_mailbox() { return install(make_file(File::Kind::mailbox)); }

void SimKernel::signal_mailbox(int mailbox) {
  const std::shared_ptr<File> file = file_at(mailbox);
  RINGWALL_CHECK(file && file->kind == File::Kind::mailbox);
  ++file->signals;
  wake(*file);
}

void SimKernel::attach(File& file, std::shared_ptr<Endpoint> endpoint) {
  file.endpoint = std::move(endpoint);
  file.endpoint->changed = [this, &file] {
    if (file.tls) file.tls->changed();
    wake(file);
  };
}

// Sockets may be served late and so overtake each other; what waits on one socket never does.
void SimKernel::wake(File& file) {
  const bool is_awaited = file.reader != nullptr || file.writer != nullptr || file.watcher != nullptr;
  if (!is_awaited || std::exchange(file.wake_is_due, true)) return;
  const bool is_late = world_.random().chance(world_.faults().late_completion);
  run_later(is_late ? world_.random().skewed(0, late_ns_max) : 0, [this, weak = file.weak_from_this()] {
    if (const std::shared_ptr<File> woken = weak.lock()) serve(*woken);
  });
}

void SimKernel::serve(File& file) {
  file.wake_is_due = false;
  const bool reader_first = world_.random().below(2) == 0;
  for (Request* File::* slot :
       {reader_first ? &File::reader : &File::writer, reader_first ? &File::writer : &File::reader, &File::watcher}) {
    Request* request = file.*slot;
    if (request != nullptr && !request->is_ending && is_ready(*request)) (void)attempt(*request);
  }
}

}  // namespace ringwall::sim
