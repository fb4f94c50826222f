#include <ringwall/shard/acceptor.h>

#include <cerrno>
#include <cstring>
#include <string>
#include <utility>

namespace ringwall::shard {

namespace {

constexpr std::uint64_t pause_ns = 100'000'000;
// A multishot accept takes all that wait in the kernel's queue the moment it gets there, as many as server/listen.cc
// lets wait: where there is less room than that, clients are taken one a turn, so that those who find none stay in the
// queue.
constexpr std::size_t multishot_room_min = 4096;

// The client's own doing, or ours: the next one may come at once.
bool is_passing(int result) {
  return result == -ECANCELED || result == -ECONNABORTED || result == -EAGAIN || result == -EINTR;
}

bool is_for_want_of_descriptors(int result) {
  return result == -EMFILE || result == -ENFILE || result == -ENOBUFS || result == -ENOMEM;
}

}  // namespace

Acceptor::Acceptor(session::Service& service, const session::ListenerService& listener, int socket,
                   std::size_t sessions_max)
    : service_(service), listener_(listener), sessions_max_(sessions_max), socket_(socket) {}

Acceptor::~Acceptor() {
  if (!stopping_) stop();  // it never began
  RINGWALL_CHECK(is_stopped());
}

std::size_t Acceptor::room() const {
  return service_.sessions.size() < sessions_max_ ? sessions_max_ - service_.sessions.size() : 0;
}

void Acceptor::start(bool many) {
  accepts_many_ = many;
  io_uring_sqe& entry = service_.resources.ring.prepare(accept_);
  if (many) {
    io_uring_prep_multishot_accept(&entry, socket_, nullptr, nullptr, SOCK_CLOEXEC);
  } else {
    io_uring_prep_accept(&entry, socket_, nullptr, nullptr, SOCK_CLOEXEC);
  }
}

void Acceptor::resume() {
  if (stopping_ || is_pausing_) return;
  const bool many = room() >= multishot_room_min;
  const bool was_full = std::exchange(full_, room() == 0);
  if (full_ && !was_full) {
    ++times_full_;
    service_.notify(session::Notice::shard_full,
                    "a shard has all the clients that it may have (" + std::to_string(sessions_max_) +
                        "): its next ones wait, though others may have room (server.connections_max, "
                        "the open-file limit)");
  }
  if (!accept_.in_flight()) {
    if (!full_) start(many);
  } else if ((full_ || (accepts_many_ && !many)) && !cancel_.in_flight()) {
    service_.resources.ring.cancel(accept_, cancel_);
  }
}

// A new accept tries at once.
void Acceptor::look_again() {
  if (!stopping_ && accept_.in_flight() && !cancel_.in_flight()) service_.resources.ring.cancel(accept_, cancel_);
}

void Acceptor::refuse(int socket) {
  ring::Backend& backend = service_.resources.ring.backend();
  backend.reset_on_close(socket);
  backend.close_socket(socket);
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
  if (result >= 0 && room() > 0 && !service_.has_cut) {
    service_.open(result, listener_);
  } else if (result >= 0) {
    ++clients_refused_;
    refuse(result);
  } else if (!is_passing(result)) {
    if (is_for_want_of_descriptors(result)) {
      service_.notify(session::Notice::out_of_files, "no descriptor for a new client: raise the open-file limit");
    } else {
      service_.notify(session::Notice::accept_failed, std::string("accept: ") + std::strerror(-result));
    }
    is_pausing_ = true;
    service_.resources.ring.timers().start(timer_, service_.resources.ring.now_ns() + pause_ns);
  }
  if (stopping_) return close_if_joined();
  resume();
}

void Acceptor::on_cancel(const ring::Completion&) {
  if (stopping_) close_if_joined();
}

void Acceptor::on_timer() {
  is_pausing_ = false;
  resume();
}

}  // namespace ringwall::shard
