#include <ringwall/shard/acceptor.h>

#include <cerrno>

namespace ringwall::shard {

namespace {

constexpr std::uint64_t descriptor_pause_ns = 100'000'000;

bool is_for_want_of_descriptors(int result) {
  return result == -EMFILE || result == -ENFILE || result == -ENOBUFS || result == -ENOMEM;
}

}  // namespace

Acceptor::Acceptor(session::Service& service, const session::ListenerService& listener, int socket,
                   std::size_t sessions_max)
    : service_(service), listener_(listener), sessions_max_(sessions_max), socket_(socket) {}

Acceptor::~Acceptor() { RINGWALL_CHECK(is_stopped()); }

void Acceptor::start() {
  io_uring_sqe& entry = service_.resources.ring.prepare(accept_);
  io_uring_prep_multishot_accept(&entry, socket_, nullptr, nullptr, SOCK_CLOEXEC);
}

void Acceptor::resume() {
  if (stopping_ || accept_.in_flight() || out_of_descriptors_ || service_.sessions.size() >= sessions_max_) return;
  start();
}

void Acceptor::stop() {
  stopping_ = true;
  timer_.stop();
  close_if_joined();
}

void Acceptor::close_if_joined() {
  if (is_stopped() || cancel_.in_flight()) return;
  if (accept_.in_flight()) return service_.resources.ring.cancel(accept_, cancel_);
  service_.resources.ring.backend().close_socket(socket_);
  socket_ = -1;
}

void Acceptor::on_accept(const ring::Completion& completion) {
  const int result = completion.result;
  if (result >= 0) {
    if (stopping_) {
      service_.resources.ring.backend().close_socket(result);
    } else {
      service_.open(result, listener_);
    }
  } else if (is_for_want_of_descriptors(result)) {
    service_.notify(session::Notice::out_of_files, "no descriptor for a new client: raise the open-file limit");
    out_of_descriptors_ = true;
    service_.resources.ring.timers().start(timer_, service_.resources.ring.now_ns() + descriptor_pause_ns);
  }
  if (stopping_) return close_if_joined();
  if (service_.sessions.size() >= sessions_max_) {
    if (accept_.in_flight() && !cancel_.in_flight()) {
      ++times_full_;
      service_.resources.ring.cancel(accept_, cancel_);
    }
  } else if (completion.is_last()) {
    resume();
  }
}

void Acceptor::on_cancel(const ring::Completion&) {
  if (stopping_) close_if_joined();
}

void Acceptor::on_timer() {
  out_of_descriptors_ = false;
  resume();
}

}  // namespace ringwall::shard
