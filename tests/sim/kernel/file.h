// file.h: what a simulated descriptor stands for, and the requests that are in flight on it.
//
// As in Linux, a request keeps its file alive: closing a descriptor under a receive neither ends the receive nor the
// connection. The last one to let go closes the connection.
#pragma once

#include <liburing.h>
#include <ringwall/ring/backend.h>

#include "sim/kernel/tcp.h"
#include "sim/kernel/tls_layer.h"
#include "sim/kernel/world.h"

#include <sys/uio.h>

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <span>
#include <vector>

namespace ringwall::sim {

struct Request;

struct File final : Listener, std::enable_shared_from_this<File> {
  enum class Kind : std::uint8_t { socket, listener, mailbox };

  File(World& world_in, Kind kind_in, std::function<void(File&)> wake_in)
      : world(world_in), kind(kind_in), wake(std::move(wake_in)) {}
  File(const File&) = delete;
  File& operator=(const File&) = delete;
  ~File() {
    if (kind == Kind::listener) world.stop_listening(*this);
    for (const auto& waiting : backlog) waiting->reset();
    if (!endpoint) return;
    endpoint->changed = nullptr;
    if (tls) tls->close();
    if (reset_on_close) {
      endpoint->reset();
    } else {
      endpoint->close();
    }
  }

  Answer answer(const std::shared_ptr<Endpoint>& server_end) override {
    if (backlog.size() >= backlog_max) return Answer::ignore;
    backlog.push_back(server_end);
    wake(*this);
    return Answer::accept;
  }

  // Of a connected socket: through the TLS that is attached to it, or straight.
  [[nodiscard]] long read(std::span<std::byte> into, RecordNote* note) {
    return tls && tls->receives() ? tls->read(into, note) : endpoint->read(into);
  }
  [[nodiscard]] long write(std::span<const std::byte> from, std::uint8_t record_type, bool more_follows) {
    return tls && tls->sends() ? tls->write(from, record_type, more_follows) : endpoint->write(from);
  }
  [[nodiscard]] bool is_readable() const {
    return tls && tls->receives() ? tls->is_readable() : endpoint->is_readable();
  }

  World& world;
  Kind kind;
  std::function<void(File&)> wake;                // tries again what waits here, now or later
  std::shared_ptr<Endpoint> endpoint;             // of a socket, once it is connected or connecting
  ring::SocketAddress source;                     // of a socket that was bound to one
  std::shared_ptr<TlsLayer> tls;                  // of a socket that it was attached to
  std::deque<std::shared_ptr<Endpoint>> backlog;  // of a listener
  std::size_t backlog_max = 0;
  std::uint64_t signals = 0;        // of a mailbox
  std::vector<Request*> in_flight;  // in the order in which they were submitted
  Request* reader = nullptr;        // the one of them that waits for bytes or connections
  Request* writer = nullptr;        // the one that waits for room, or to be connected
  Request* watcher = nullptr;       // the one that polls for the end
  bool wake_is_due = false;
  bool reset_on_close = false;
};

struct Request {
  std::unique_ptr<const io_uring_sqe> entry;
  std::uint64_t number = 0;  // in the order in which they were submitted
  std::shared_ptr<File> file;
  std::vector<iovec> parts;              // of a send, or of a recvmsg, which has one
  std::span<const std::byte> control{};  // of a sendmsg: read again whenever it is tried again
  std::uint8_t record_type = TlsLayer::application_data;
  std::size_t control_room = 0;  // of a recvmsg
  std::size_t bytes_done = 0;    // of one that waits for all (MSG_WAITALL)
  int polled = 0;                // events that a poll has told
  std::uint64_t guard = 0;       // a sum of the bytes of a send that waits: they may not change
  bool is_guarded = false;
  bool is_ending = false;  // its last completion is on the way
};

}  // namespace ringwall::sim
