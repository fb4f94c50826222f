// session.h: one client, from accept to close: TLS, HTTP, then frames or bytes between it and a node.
//
// An explicit state machine (state.h). Everything happens on the shard's thread, in callbacks of the two connections
// and one timer; nothing here blocks. The client's connection is a member; the node's is borrowed from the pool or
// made, and given back to the pool to end there. The session ends with exactly one EndReason and is removed from the
// Service when the client's connection has closed.
//
// "What happens when a frame arrives?" is answered in src/session/relay.cc.
#pragma once

#include <ringwall/connection/connection.h>
#include <ringwall/ring/timer_wheel.h>
#include <ringwall/session/account.h>
#include <ringwall/session/client_address.h>
#include <ringwall/session/end_reason.h>
#include <ringwall/session/relay.h>
#include <ringwall/session/request.h>
#include <ringwall/session/service.h>
#include <ringwall/session/state.h>

#include <cstddef>
#include <list>
#include <memory>
#include <string>
#include <string_view>

namespace ringwall::session {

class Session final : public connection::Owner, public AssemblyBudget::Waiter, private websocket::MessageTap {
 public:
  // `place` is what it holds of the limits, as a connection of `peer`.
  Session(Service& service, const ListenerService& listener, quota::Connection&& place, std::size_t index);
  ~Session();

  void start(int socket, const AddressBytes& peer);
  // Ringwall is ending: goes from `at_ns` on, as soon as what it has asked for is answered.
  void drain(std::uint64_t at_ns);
  // Its time for that is over: in order as soon as what is under way allows, or `now`.
  void stop(bool now);

  // Its TLS handshake is one of Service::handshakes, until it is done or the session is the oldest of too many.
  void join_handshakes();
  void refuse_handshake();

  // For an operator.
  [[nodiscard]] bool is_of(const config::Cidr& range) const;
  [[nodiscard]] Figures figures() const;
  [[nodiscard]] Account account() const;  // for the log too, at its end
  void end_if_in(const AddressSet& banned);
  // Of the node's, which it may have noted (NodeService::silence).
  void look_at_silence();

  [[nodiscard]] State state() const { return state_; }
  [[nodiscard]] EndReason end_reason() const { return end_reason_; }

  std::size_t index;  // in Service::sessions

 private:
  // session.cc: life, callbacks, dispatch by state.
  void on_connected(connection::Connection& connection) override;
  void on_established(connection::Connection& connection) override;
  void on_received(connection::Connection& connection, ring::Slice bytes) override;
  void on_ended(connection::Connection& connection, connection::End how) override;
  void on_failed(connection::Connection& connection, connection::Failure failure) override;
  void on_lost(connection::Connection& connection) override;
  void on_congested(connection::Connection& connection) override;
  void on_drained(connection::Connection& connection) override;
  void on_spent(connection::Connection& connection, connection::Spent what) override;
  void on_closed(connection::Connection& connection) override;
  void on_memory() override;
  void on_timer();
  void on_tunnel_timer();
  void set_state(State next);
  void set_timer(std::uint64_t timeout_ms);
  [[nodiscard]] static std::uint64_t upload_due_ns(std::uint64_t since_ns, std::uint64_t timeout_ms,
                                                   std::size_t bytes_come);
  void update_client_receiving();
  void set_address(const AddressBytes& address);
  void read_proxy_header(std::string_view bytes);
  void refuse_proxy_header(std::string_view why);
  [[nodiscard]] bool take_named_place();
  // Whose connection it is has been settled (peer_, address_): its own stream begins, with `first_bytes` if they have
  // come already.
  void client_known(std::string_view first_bytes);
  void client_ended();
  void client_failed(connection::Failure failure);
  void note_end(EndReason reason);
  void finish(EndReason reason);  // what is queued is sent, then the client's connection closes
  void cut(EndReason reason);     // the same, but what was begun is left visibly incomplete
  void abort(EndReason reason);   // a reset, and what is queued is lost
  [[nodiscard]] bool leave(EndReason reason);
  void release_node();

  // account.cc: what is counted of it.
  void count_handshake_done();
  void count_handshake_failed();
  void count_handshake_left(EndReason reason);
  void count_forwarded(const Ruling& ruling);

  // head.cc: a request's head, and what is to be done about it.
  void take_input(std::string_view bytes);
  [[nodiscard]] std::size_t read_input(std::string_view bytes);
  [[nodiscard]] std::size_t read_head(std::string_view bytes);
  [[nodiscard]] bool charge_input();
  void enter_head();
  void serve(const http::RequestHead& head);
  [[nodiscard]] ClientOrigin client_of(const http::RequestHead& head) const;
  [[nodiscard]] bool is_allowed_origin(const http::RequestHead& head) const;
  void serve_redirect(const http::RequestHead& head);
  void serve_page(const http::RequestHead& head, config::Mode mode);
  void answer(http::SimpleResponse response, EndReason reason = EndReason::done);
  void refuse(http::Refusal refusal, EndReason reason);

  // exchange.cc: a request with its body to the node, the answer back.
  void begin_exchange(const http::RequestHead& head, NodeGroup& group);
  [[nodiscard]] std::size_t read_body(std::string_view bytes);
  void body_complete(std::string_view body);
  [[nodiscard]] bool take_kept_connection();
  void send_request();
  void send_again();
  void begin_answer(const http::ResponseHead& head, ring::Slice rest);
  void relay_answer(ring::Slice bytes);
  void end_answer();
  void cut_answer(EndReason reason);

  // node.cc: getting a connection to the node, its head, and what can go wrong with either.
  [[nodiscard]] http::Origin origin(const http::RequestHead& head, Request& request);
  void connect();
  void connect_failed(connection::Failure failure);
  void await_node();
  void read_node_head(ring::Slice bytes);
  void node_ended();
  void node_failed(connection::Failure failure);
  void node_at_its_limit();

  // failover.cc: the node that a request gets, and the next one where that does not take it.
  [[nodiscard]] bool choose_node();
  [[nodiscard]] bool choose_next_node();
  [[nodiscard]] bool send_to_next_node();

  // upgrade.cc: WebSocket's opening handshake on both sides.
  void begin_upgrade(const http::RequestHead& head, NodeGroup& group, config::Mode mode);
  void complete_upgrade(const http::ResponseHead& head, ring::Slice rest);

  // relay.cc: frames both ways.
  void begin_relay();
  void relay_client(const ring::Slice& bytes);
  void serve_pings(std::span<const std::byte>& in);
  void take_control(const websocket::ClientMessages::Event& event);
  void forward_assembled();
  [[nodiscard]] bool grow_assembly(std::size_t bytes, std::size_t bytes_here);
  [[nodiscard]] std::uint64_t message_due_ns() const;
  void hold(ring::Slice bytes);
  void hold_rest(const ring::Slice& bytes, std::span<const std::byte> rest);
  void relay_node(const ring::Slice& bytes);
  void relay_held();
  void send_due_frames();
  void send_to_node(const websocket::ControlFrame& frame);
  [[nodiscard]] websocket::MaskKey make_mask();
  void note_message_progress();
  void set_relay_timer();
  void on_relay_timer();
  void ping_node();

  // silence.cc: a node that hangs.
  void relay_silence(const upstream::Silence& silence);

  // calls.cc: what becomes of a message, and what the node's answers say.
  enum class Fate : std::uint8_t { forward, drop, keep_back, close };
  [[nodiscard]] Fate judge_message(const websocket::ClientMessages::Event& event);
  [[nodiscard]] Fate follow(const Ruling& ruling, const websocket::ClientMessages::Event& event, std::uint64_t now_ns);
  [[nodiscard]] Fate carry_out(const Ruling& ruling, std::size_t message_bytes);
  void note_calls(const Ruling& ruling, std::size_t message_bytes);
  [[nodiscard]] bool keeps_back(const quota::Decision& decision, std::uint64_t now_ns);
  [[nodiscard]] bool keep_message(const websocket::ClientMessages::Event& event);
  void drop_assembled();
  void retry_kept();
  void close_refused();
  [[nodiscard]] bool is_holding() const;
  [[nodiscard]] bool is_behind() const;
  void resume_client();
  [[nodiscard]] bool reply(std::string_view text);
  void send_owed();
  void forget_owed();
  void on_payload(std::span<const std::byte> piece, bool ends_message) override;
  void owe_for(std::uint64_t answer_bytes);
  [[nodiscard]] bool charge_request();
  [[nodiscard]] bool pass_on_place();
  void refuse_for_limit(const quota::Decision& decision);
  [[nodiscard]] bool judge_body(std::string_view body);

  // tally.cc: what it has asked for.
  void note_node(const NodeService& node);
  void note_ruling(const Ruling& ruling);
  void note_limited(quota::Reason reason, std::uint32_t calls = 1, std::string_view method = {});

  // drain.cc: how it goes when Ringwall is ending.
  void on_leaving_timer();
  void end_stopping();
  [[nodiscard]] bool is_fresh() const;
  [[nodiscard]] bool is_leaving() const { return leaving_ && leaving_->is_due; }
  void leave_if_answered();

  // closing.cc: the end of a WebSocket, and of what is none.
  void end_in_order(EndReason reason, websocket::CloseCode code, std::string_view text);
  void close_both(EndReason reason, websocket::CloseCode to_client, std::string_view client_text,
                  websocket::CloseCode to_node, std::string_view node_text);
  void close_when_possible();
  void relay_lost_node(EndReason reason, websocket::CloseCode to_client, std::string_view text);
  void relay_lost_client(EndReason reason);

 public:
  // From drain() on.
  struct Leaving {
    explicit Leaving(Session& session) : timer(session) {}

    ring::TimerOf<Session, &Session::on_leaving_timer> timer;
    bool is_due = false;  // its moment has come
  };

 private:
  static constexpr std::uint16_t no_node = UINT16_MAX;

  Service& service_;
  const ListenerService& listener_;
  connection::Connection client_;
  std::unique_ptr<connection::Connection> node_;
  std::unique_ptr<Request> request_;
  std::unique_ptr<Relay> relay_;
  std::unique_ptr<Leaving> leaving_;
  NodeService* place_ = nullptr;   // of a WebSocket or a tunnel: holds a place among this node's connections
  std::string input_;              // of the client, not yet read
  std::size_t input_charged_ = 0;  // of its memory, to the backlog: what goes beyond a head
  std::string node_input_;         // of the node's head
  AddressBytes address_{};         // of the client; behind a trusted proxy, the one it names
  AddressBytes peer_{};            // who opened the connection, or whom its PROXY header names
  AddressBytes share_{};           // what its memory is counted by
  AddressBytes payer_{};           // whose connection quota_ is
  std::string address_text_;
  quota::Connection quota_;
  Tally tally_;
  std::uint64_t answer_bytes_ = 0;     // not charged yet
  std::uint64_t unpaid_bytes_ = 0;     // of requests: see Payer
  std::uint64_t tunnel_heard_ns_ = 0;  // when bytes last came, either way
  ring::TimerOf<Session, &Session::on_timer> timer_{*this};
  unsigned own_answers_left_ = 0;  // to the piece of input that is being read
  State state_;
  EndReason end_reason_ = EndReason::none;
  State end_state_ = State::ending;            // when it began to end
  std::list<Session*>::iterator handshake_{};  // in Service::handshakes
  std::uint16_t node_index_ = no_node;         // in Service::nodes, of the last one asked
  bool is_handshake_counted_ = false;
  bool waits_for_memory_ = false;
  bool peer_is_known_ = true;  // false: a PROXY header passes on a connection of it knows not whom
  bool served_one_ = false;    // a request on this connection has been answered
};

}  // namespace ringwall::session
