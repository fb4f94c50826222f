// connection.h: one TCP connection on a shard's ring: receive, transport, send queue, backlog, orderly end.
//
// What arrives is handed to the owner as slices that live for the turn. What is sent is queued, joined at the end of
// the turn, sealed, and offered to the socket once without waiting. What the socket does not take then moves to the
// backlog, charged to the shard's budget, and the owner is told that the reader is behind (`on_congested`), so that it
// pauses whoever feeds it; `on_drained` says that all has left. A connection that is paused still hears of a reset.
//
// Life: constructed; adopt() or connect(); then finish() or abort(), by either side or on failure; then on_closed(),
// from which the owner may destroy it. Nothing is freed before that: operations are cancelled and joined first.
// finish() sends what is queued, says close_notify, shuts down, and waits a bounded time for the peer's own end, so
// that what was sent is not lost to a reset. abort() resets: what was cut short must not look complete.
//
// Callbacks come from the ring's handlers or from Resources::end_turn(), never from inside a call of the owner.
// Owner: one session or pool, on the shard's thread.
// Source: RFC 9112 section 9.6 (lingering close), io_uring_prep_recv_multishot(3).
#pragma once

#include <ringwall/connection/arena.h>
#include <ringwall/connection/budget.h>
#include <ringwall/connection/tls_transport.h>
#include <ringwall/ring/buffer_ring.h>
#include <ringwall/ring/ring.h>
#include <ringwall/tls/key_schedules.h>
#include <ringwall/tls/offload.h>

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace ringwall::connection {

class Connection;

enum class End : std::uint8_t { fin, close_notify };  // how a peer ended its direction

enum class Failure : std::uint8_t {
  none,
  reset,         // the peer reset it, or it timed out in TCP
  refused,       // connect: nobody listens there, or no way leads there
  connect_time,  // connect: no answer within the time given
  send_time,     // the reader took no byte for the time given
  backlog_full,  // the shard's budget for slow readers is nearly spent, and it holds most; or its share is spent
  transport,     // TlsTransport::failure() says why
  system,        // an errno that none of the above explains
};
[[nodiscard]] std::string_view name(Failure failure);

enum class Spent : std::uint8_t {
  receiving,  // the peer has changed its key and the kernel takes no other: nothing more will be received
  sending,    // our key is nearly used up, and can't be changed
};

class Owner {
 public:
  virtual void on_connected(Connection&) {}    // connect() only
  virtual void on_established(Connection&) {}  // the transport's handshake is over
  virtual void on_received(Connection&, ring::Slice bytes) = 0;
  virtual void on_ended(Connection&, End how) = 0;           // no more on_received(); sending still works
  virtual void on_failed(Connection&, Failure failure) = 0;  // it is ending by itself
  virtual void on_lost(Connection&) {
  }  // while paused: the peer has reset it; what it sent before can still be received
  virtual void on_congested(Connection&) {}
  virtual void on_drained(Connection&) {}
  // Its TLS keys can't carry it on: it is to be ended in order. Told again while more is sent.
  virtual void on_spent(Connection&, Spent) {}
  virtual void on_closed(Connection&) = 0;

 protected:
  ~Owner() = default;
};

// Over TCP, TLS included.
struct ByteCounters {
  std::uint64_t received = 0;
  std::uint64_t sent = 0;
};

struct ConnectionCounters {
  ByteCounters accepted{};              // of connections that came to us
  ByteCounters connected{};             // of those that we have made
  std::uint64_t buffers_ran_out = 0;    // receives ended by -ENOBUFS
  std::uint64_t share_exceeded = 0;     // receives paused for taking more than a share of a turn
  std::uint64_t sends_short = 0;        // a socket that did not take all of a turn's bytes
  std::uint64_t backlog_copies = 0;     // bytes copied because they had to wait
  std::uint64_t handshakes_waited = 0;  // turns that ended with handshakes left to do
  std::uint64_t hoarders_dropped = 0;   // connections failed since the backlog was nearly spent
};

// What the connections of a shard share. Owner: the shard.
struct Resources {
  ring::Ring& ring;
  ring::BufferRing& buffers;
  Arena& arena;
  SharedBudget& backlog;
  std::uint64_t send_timeout_ns;
  std::uint64_t linger_ns;
  unsigned handshakes_per_turn;
  tls::OffloadSettings offload{};
  tls::KeySchedules key_schedules{};
  ring::BufferRing* large_buffers = nullptr;  // for what comes in bulk; null: there are none

  std::vector<Connection*> to_flush{};       // have output queued
  std::vector<Connection*> to_flush_next{};  // the same, for the turn after this one
  std::vector<Connection*> to_handshake{};   // have input for their handshake
  std::vector<Connection*> to_receive{};     // took more than their share: they receive again after everyone else
  std::vector<Connection*> behind{};         // their readers have not taken all
  std::size_t bytes_dropping = 0;            // of the backlog, by connections that are ending for want of it
  ConnectionCounters counters{};

  // Ends a turn: handshakes within their budget, then every queued output becomes a send. True: handshakes or
  // output are left, so the next turn must not sleep.
  [[nodiscard]] bool end_turn();

  void drop_hoarders();
};

class Connection {
 public:
  // Places of its list of plaintext, and of its list of ciphertext, that are kept from turn to turn.
  static constexpr std::size_t pieces_kept_max = 32;

  Connection(Resources& resources, Owner& owner);
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;
  ~Connection();

  // Takes over a connected socket and begins to receive. `transport` may be null: plain; a client's speaks first.
  void adopt(int socket, std::unique_ptr<TlsTransport> transport);
  // Of one that was adopted as plain and has sent nothing: what comes from here on is the transport's, and before that
  // `first_bytes`, the end of what was received last. May be called from on_received(); the handshake goes on with the
  // turn's others.
  void begin_transport(std::unique_ptr<TlsTransport> transport, std::span<const std::byte> first_bytes);
  // Opens a socket and connects it; on_connected or on_failed follows, and receiving begins by itself. Then a client's
  // `transport` says its ClientHello, in its turn among the handshakes, and on_established follows: how long that may
  // take is the owner's to watch. `source` (null: the system's choice): where it comes from, on a port of the system's
  // choice; last_errno() is EADDRNOTAVAIL when that is no address of this machine, or has no port left for `address`.
  void connect(const ring::SocketAddress& address, std::uint64_t timeout_ns,
               std::unique_ptr<TlsTransport> transport = nullptr, const ring::SocketAddress* source = nullptr);

  void send(ring::Slice bytes);
  void send_copy(std::span<const std::byte> bytes);
  void send_copy(std::string_view text);

  // No more on_received() after what the kernel has already completed, until resume.
  void pause_receiving();
  // So much more belongs to what has begun to come, and is of no use before its end: while it fills a large buffer, it
  // is taken up in pieces of half of one or more. It may be told again at any time.
  void expect(std::uint64_t bytes);
  void resume_receiving();

  void finish();
  // As finish(), but with no close_notify: over TLS, and in any framing that tells its length, the peer sees that what
  // it got was cut short.
  void cut();
  void abort();
  // In on_failed() of the transport only: the last words, in plain, to a peer that spoke HTTP where TLS was due.
  void finish_without_transport(std::string_view text);

  void set_owner(Owner& owner) { owner_ = &owner; }
  // Whose share of the backlog its bytes are charged to from here on.
  void set_share(const ShareKey& share) { share_ = share; }

  [[nodiscard]] bool is_open() const { return state_ == State::open; }
  [[nodiscard]] bool is_congested() const { return congested_; }
  [[nodiscard]] bool is_paused() const { return paused_; }
  [[nodiscard]] bool has_ended() const { return peer_ended_; }
  [[nodiscard]] bool is_closed() const { return state_ == State::idle || state_ == State::closed; }
  [[nodiscard]] const TlsTransport* transport() const { return transport_.get(); }
  [[nodiscard]] int socket() const { return socket_; }
  [[nodiscard]] std::uint64_t bytes_received() const { return bytes_received_; }
  [[nodiscard]] std::uint64_t bytes_sent() const { return bytes_sent_; }
  [[nodiscard]] int last_errno() const { return last_errno_; }
  // Places for pieces to be sent, used or not.
  [[nodiscard]] std::size_t pieces_kept() const { return queue_.capacity() + wire_.capacity(); }

 private:
  friend struct Resources;

  enum class State : std::uint8_t { idle, connecting, open, finishing, lingering, joining, closing, closed };

  [[nodiscard]] ByteCounters& byte_counters() {
    return accepted_ ? resources_.counters.accepted : resources_.counters.connected;
  }
  void on_receive(const ring::Completion& completion);
  void on_send(const ring::Completion& completion);
  void on_connect(const ring::Completion& completion);
  void on_close(const ring::Completion& completion);
  void on_cancel(const ring::Completion& completion);
  void on_hang_up(const ring::Completion& completion);
  void on_timer();

  [[nodiscard]] bool wants_input() const;
  void start_receive();
  void receive_again();
  void cancel_receive();
  void count_share();
  void wire_received(ring::Slice wire);
  void begin_receiving();
  void queue_handshake(std::span<const std::byte> wire);
  void open_wire(ring::Slice wire);
  void take_record(std::uint8_t type, ring::Slice content);
  void start_control_receive();
  void on_control_received(const ring::Completion& completion);
  void transport_told(TlsTransport::Progress progress);
  void receive_failed(int number);
  void bad_record(int number);
  void ended(End how);
  void run_handshake();
  [[nodiscard]] bool charge_handshake();

  [[nodiscard]] std::size_t backlog_bytes() const;
  void set_congested(bool congested);
  void mark_for_flush();
  void flush();
  void seal_queue();
  [[nodiscard]] bool submit_control();
  [[nodiscard]] bool wait_for_room();
  void on_control_sent(const ring::Completion& completion);
  void send_failed(int number);
  void submit_send(bool wait);
  void wire_taken(std::size_t bytes);
  void wait_for_reader(bool progressed);
  void tell_if_spent();
  void fall_behind();
  void start_send_timer();
  void check_reader();
  [[nodiscard]] bool move_to_backlog(std::vector<ring::Slice>& pieces);

  void fail(Failure failure, int number);
  void shut_down_sending();
  void join();
  // What may be in flight when it ends.
  [[nodiscard]] std::array<ring::Operation*, 4> operations();
  void close_if_joined();

  Resources& resources_;
  Owner* owner_;
  std::unique_ptr<TlsTransport> transport_;
  std::vector<ring::Slice> queue_;  // plaintext, to be sealed
  std::vector<ring::Slice> wire_;   // what the socket is to take
  std::vector<std::byte> handshake_input_;
  std::size_t handshake_charged_ = 0;  // of its memory, to the backlog
  ring::Slice gather_;                 // the msghdr and iovecs of a send in flight
  // While a record is sent, or received, beside the data that the kernel seals and opens.
  struct ControlSend;
  struct ControlReceive;
  std::unique_ptr<ControlSend> control_send_;
  std::unique_ptr<ControlReceive> control_receive_;
  std::uint64_t bytes_received_ = 0;
  std::uint64_t bytes_sent_ = 0;
  std::uint64_t share_turn_ = 0;                  // the turn that share_taken_ counts buffers of
  std::unique_ptr<ring::SocketAddress> address_;  // while connecting
  ring::OperationOf<Connection, &Connection::on_receive> receive_{*this};
  ring::OperationOf<Connection, &Connection::on_send> send_{*this};
  ring::OperationOf<Connection, &Connection::on_connect> connect_{*this};
  ring::OperationOf<Connection, &Connection::on_close> close_{*this};
  ring::OperationOf<Connection, &Connection::on_cancel> cancel_{*this};
  ring::OperationOf<Connection, &Connection::on_hang_up> hang_up_{*this};
  ring::TimerOf<Connection, &Connection::on_timer> timer_{*this};
  ShareKey share_{};
  int socket_ = -1;
  int last_errno_ = 0;
  std::size_t unacknowledged_ = 0;  // when the send timer was started
  std::uint64_t room_due_ns_ = 0;   // while the last words wait: until when the peer has to take something
  std::size_t behind_index_ = 0;    // in Resources::behind, while congested
  std::size_t bytes_dropped_ = 0;   // what it held when it was failed for that
  std::uint16_t share_taken_ = 0;
  std::uint8_t gentle_receives_ = 0;  // one buffer each, before a multishot receive
  State state_ = State::idle;
  bool paused_ = false;
  bool wire_ended_ = false;  // FIN
  bool peer_ended_ = false;  // FIN or close_notify, and the owner knows
  bool congested_ = false;   // wire_ waits in the kernel for room, or queue_ for a turn to be sealed in
  bool flush_marked_ = false;
  bool handshake_marked_ = false;
  bool receive_marked_ = false;
  bool expects_bulk_ = false;
  bool bulk_receive_ = false;    // the receive in flight, or that has just ended, is for a large buffer
  bool share_exceeded_ = false;  // since the receive was started
  bool send_waits_ = false;      // of the send in flight: all that it names is owned
  bool close_noticed_ = false;
  bool lost_ = false;           // a reset, by the poll
  bool control_waits_ = false;  // what the kernel has next is a record that is not application data
  bool waits_for_room_ = false;
  bool deaf_ = false;      // nothing more can be received
  bool accepted_ = false;  // it came to us
};

}  // namespace ringwall::connection
