#include "load/client.h"

#include <ringwall/check.h>
#include <ringwall/tls/client_handshake.h>
#include <ringwall/websocket/control_frame.h>
#include <ringwall/websocket/mask.h>

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

namespace ringwall::load {

namespace {

constexpr std::uint64_t ms_ns = 1'000'000;
constexpr std::uint64_t pause_ns = 100 * ms_ns;  // before it starts again, times the failures in a row
constexpr unsigned pauses_max = 10;
// For the endpoint to close its side first, as RFC 6455 section 7.1.1 wants it: then the port is free at once.
constexpr std::uint64_t leave_ns = 1'000 * ms_ns;

Trouble trouble_of_connect(int number) {
  switch (number) {
    case EADDRNOTAVAIL:
    case EADDRINUSE:
    case EAGAIN:
    case EMFILE:
    case ENFILE:
    case ENOBUFS:
    case ENOMEM:
      return Trouble::connect_no_source;
    case ETIMEDOUT:
      return Trouble::connect_timeout;
    case ECONNRESET:
      return Trouble::connect_closed;
    default:
      return Trouble::connect_refused;
  }
}

bool is_the_endpoints_end(Trouble trouble) {
  return trouble == Trouble::connect_closed || trouble == Trouble::upgrade || trouble == Trouble::connection_reset ||
         trouble == Trouble::connection_closed;
}

}  // namespace

Client::Client(Lane& lane, Group& group, std::uint64_t number)
    : lane_(lane), group_(group), tally_(group.tally), number_(number) {}

void Client::start() {
  RINGWALL_CHECK(state_ == State::idle);
  const auto& addresses = lane_.plan.target.addresses;
  state_ = State::connecting;
  ++group_.connecting;
  ++tally_.flow.connections_tried;
  ++lane_.clients_alive;
  started_ns_ = lane_.resources.ring.backend().now_ns();
  held_.clear();
  frames_ = {};
  message_ = {};
  message_bytes_ = 0;
  utf8_ = {};
  in_body_ = false;
  keeps_alive_ = true;
  connection_.emplace(lane_.resources, *this);
  wake_at(started_ns_ + lane_.plan.timeout_ns);
  connection_->connect(addresses[number_ % addresses.size()], lane_.plan.timeout_ns, make_transport(), source());
}

// The hostile have the upper half to themselves: what the lower one meets is what the innocent meet. Null: the system's
// choice.
const ring::SocketAddress* Client::source() const {
  const auto& sources = lane_.plan.sources;
  if (sources.empty()) return nullptr;
  const std::size_t lower = lane_.plan.mode == Mode::hostile && sources.size() > 1 ? sources.size() / 2 : 0;
  if (is_hostile()) return &sources[lower + number_ % (sources.size() - lower)];
  return &sources[number_ % (lower > 0 ? lower : sources.size())];
}

std::uint64_t Client::again_at_ns() const { return lane_.now_ns() + pause_ns * std::clamp(failures_, 1U, pauses_max); }

std::unique_ptr<connection::TlsTransport> Client::make_transport() {
  if (lane_.tls == nullptr) return nullptr;
  tls::ClientSession* const session = lane_.plan.tls.resume ? &lane_.tls_session : nullptr;
  return std::make_unique<connection::TlsTransport>(
      std::make_unique<tls::ClientHandshake>(*lane_.tls, server_name(), session), lane_.resources);
}

const std::string& Client::server_name() const {
  const Plan& plan = lane_.plan;
  return plan.tls.server_name.empty() ? plan.target.host : plan.tls.server_name;
}

void Client::on_connected(connection::Connection&) {
  if (state_ != State::connecting) return;
  is_held_ = true;
  ++group_.held;
  if (connection_->transport() == nullptr) return on_way();
  state_ = State::securing;
}

void Client::on_established(connection::Connection& connection) {
  if (state_ != State::securing) return;
  ++tally_.flow.handshakes;
  if (connection.transport()->resumed()) ++tally_.flow.handshakes_resumed;
  on_way();
}

void Client::on_way() {
  if (lane_.plan.target.post) return open();
  expect_upgrade();
  lane_.out.clear();
  write_upgrade(lane_.out);
  connection_->send_copy(std::string_view(lane_.out));
}

void Client::write_upgrade(std::string& out) {
  std::array<std::byte, 16> random;
  for (std::size_t at = 0; at < random.size(); at += sizeof(std::uint64_t)) {
    const std::uint64_t bits = lane_.random.next();
    std::memcpy(&random[at], &bits, sizeof bits);
  }
  key_ = http::make_key(random);
  lane_.texts.write_upgrade({key_.data(), key_.size()}, out);
}

void Client::open() {
  timer_.stop();
  state_ = State::open;
  failures_ = 0;
  --group_.connecting;
  if (!std::exchange(is_settled_, true)) ++group_.settled;
  ++group_.open;
  ++tally_.flow.connections_opened;
  tally_.connect.record(since_start_ns());
  on_open();
}

// The end -----------------------------------------------------------------------------------------------------------

void Client::said_close(websocket::CloseCode code, std::string_view reason) {
  if (state_ == State::leaving) return;
  const std::string text = code == websocket::CloseCode::no_status
                               ? "Close"
                               : fmt::format("Close {} {}", static_cast<unsigned>(code), reason);
  if (state_ == State::open) {
    connection_->send_copy(websocket::ControlFrame::close(code, {}, lane_.random.mask_key()).bytes());
  }
  lane_.trouble(group_, Trouble::connection_closed, text);
  ++tally_.flow.connections_cut;
  end_use();
  state_ = State::leaving;
  wake_at(lane_.now_ns() + leave_ns);
}

void Client::on_ended(connection::Connection& connection, connection::End how) {
  if (state_ == State::leaving) return connection.finish();
  if (state_ == State::ended) return;
  // A body may be all that comes before the end.
  if (state_ == State::open && in_body_ && body_.whole_at_close()) {
    in_body_ = false;
    take_piece({}, true);
    if (state_ != State::open) return;
  }
  lose(trouble_of_end(Trouble::connection_closed), how == connection::End::fin ? "FIN" : "close_notify");
}

void Client::on_failed(connection::Connection& connection, connection::Failure failure) {
  if (state_ == State::leaving || state_ == State::ended) return;
  const int number = connection.last_errno();
  if (state_ == State::connecting) {
    const Trouble trouble =
        failure == connection::Failure::connect_time ? Trouble::connect_timeout : trouble_of_connect(number);
    return lose(trouble, std::strerror(number));
  }
  // An alert may be on its way: the connection ends by itself.
  if (failure == connection::Failure::transport) return note_end(Trouble::tls, connection.transport()->failure_text());
  lose(trouble_of_end(Trouble::connection_reset), number == 0 ? connection::name(failure) : std::strerror(number));
}

// Closed at accept is one thing, however far the client had come by then. By POST a connection is open at once.
Trouble Client::trouble_of_end(Trouble in_use) const {
  return state_ == State::open && connection_->bytes_received() > 0 ? in_use : Trouble::connect_closed;
}

void Client::lose(Trouble trouble, std::string_view text) {
  if (state_ == State::idle || state_ == State::leaving || state_ == State::ended) return;
  note_end(trouble, text);
  connection_->abort();
}

void Client::note_end(Trouble trouble, std::string_view text) {
  lane_.trouble(group_, trouble, text);
  if (is_the_endpoints_end(trouble)) ++tally_.flow.connections_cut;
  ++failures_;
  end_use();
  state_ = State::ended;
}

void Client::leave() {
  if (state_ == State::idle || state_ == State::leaving || state_ == State::ended) return;
  const bool was_open = state_ == State::open;
  end_use();
  if (!was_open) {
    state_ = State::ended;
    return connection_->abort();
  }
  state_ = State::leaving;
  if (lane_.plan.target.post) return connection_->finish();
  const auto frame = websocket::ControlFrame::close(websocket::CloseCode::normal, {}, lane_.random.mask_key());
  connection_->send_copy(frame.bytes());
  wake_at(lane_.now_ns() + leave_ns);
}

void Client::abort() {
  if (state_ == State::idle) return;
  if (state_ != State::leaving && state_ != State::ended) end_use();
  state_ = State::ended;
  connection_->abort();
}

// Whatever it was, it is that no longer.
void Client::end_use() {
  timer_.stop();
  bad_status_.clear();
  if (std::exchange(is_held_, false)) --group_.held;
  if (state_ == State::open) {
    --group_.open;
  } else {
    --group_.connecting;
    if (!std::exchange(is_settled_, true)) ++group_.settled;
  }
  on_end();
}

void Client::on_closed(connection::Connection&) {
  RINGWALL_CHECK(state_ == State::leaving || state_ == State::ended);
  timer_.stop();
  state_ = State::idle;
  --lane_.clients_alive;
  lane_.closed.push_back(this);
}

// Sending, and time -------------------------------------------------------------------------------------------------

void Client::say(std::string_view json) {
  RINGWALL_CHECK(state_ == State::open);
  if (lane_.stretch == Stretch::measured) tally_.flow.bytes_sent += json.size();
  if (lane_.plan.target.post) {
    lane_.out.clear();
    lane_.texts.write_post(json, lane_.out);
    return connection_->send_copy(std::string_view(lane_.out));
  }
  std::array<std::byte, websocket::frame_header_bytes_max> header;
  const websocket::MaskKey key = lane_.random.mask_key();
  const std::size_t header_bytes =
      websocket::write_frame_header(header, true, websocket::Opcode::text, json.size(), key);
  lane_.out.resize(header_bytes + json.size());
  std::memcpy(lane_.out.data(), header.data(), header_bytes);
  websocket::apply_mask(std::as_writable_bytes(std::span(lane_.out)).subspan(header_bytes),
                        std::as_bytes(std::span(json)), key, 0);
  connection_->send_copy(std::string_view(lane_.out));
}

void Client::on_drained(connection::Connection&) {
  if (state_ == State::open) on_room();
}

void Client::wake_at(std::uint64_t at_ns) { lane_.resources.ring.timers().start(timer_, at_ns); }

void Client::on_due() {
  if (state_ == State::open) return on_timer();
  if (state_ == State::leaving) return connection_->finish();
  if (state_ != State::ended) on_way_timer();
}

void Client::on_way_timer() {
  lose(Trouble::connect_timeout, state_ == State::connecting ? "no answer to the SYN"
                                 : state_ == State::securing ? "the TLS handshake does not end"
                                                             : "no answer to the upgrade");
}

}  // namespace ringwall::load
