#include "peers.h"

#include <ringwall/check.h>
#include <ringwall/http/upgrade.h>
#include <ringwall/websocket/frame.h>
#include <ringwall/websocket/mask.h>

#include <algorithm>
#include <charconv>
#include <utility>

namespace ringwall::bench {

namespace {

using websocket::Sender;

constexpr std::size_t id_digits = 8;
constexpr std::string_view before_id = R"({"jsonrpc":"2.0","id":)";
constexpr std::size_t lead_bytes = 40;  // of a payload, with its id
constexpr websocket::MaskKey mask{std::byte{0x5A}, std::byte{0xC3}, std::byte{0x17}, std::byte{0x88}};
constexpr std::string_view upgrade =
    "GET / HTTP/1.1\r\nHost: rpc.example.org\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
constexpr std::string_view key_field = "Sec-WebSocket-Key: ";
// A step through the clients that leaves none out, and is not the order in which they lie in memory.
constexpr std::size_t stride = 4099;

std::string padded(std::string text, std::size_t bytes, std::string_view end) {
  RINGWALL_CHECK(text.size() + end.size() <= bytes);
  text.append(bytes - text.size() - end.size(), 'a');
  return text.append(end);
}

std::string request_text(const Scenario& scenario) {
  const std::string start = std::string(before_id) + "10000000,";
  if (scenario.notification_bytes > 0) return start + R"("method":"chain_subscribeNewHeads","params":[]})";
  const bool is_small = scenario.request_bytes <= 1024;
  const std::string method = is_small ? "state_getStorage" : "author_submitExtrinsic";
  return padded(start + R"("method":")" + method + R"(","params":["0x)", scenario.request_bytes, "\"]}");
}

std::string answer_text(const Scenario& scenario) {
  const std::string start = std::string(before_id) + "10000000,";
  if (scenario.notification_bytes > 0) return start + R"("result":"Zx3vB7qLmR5tYw2k"})";
  return padded(start + R"("result":"0x)", scenario.answer_bytes, "\"}");
}

std::string notification_text(const Scenario& scenario) {
  return padded(R"({"jsonrpc":"2.0","method":"chain_newHead","params":{"subscription":"Zx3vB7qLmR5tYw2k","result":"0x)",
                std::max<std::size_t>(scenario.notification_bytes, 200), "\"}}");
}

std::span<const std::byte> bytes_of(std::string_view text) { return std::as_bytes(std::span(text)); }

void append_to(std::vector<std::byte>& out, std::span<const std::byte> bytes) {
  out.insert(out.end(), bytes.begin(), bytes.end());
}

}  // namespace

// Frames ----------------------------------------------------------------------------------------------------------

Message::Message(std::string_view text, bool is_masked)
    : frame_(websocket::frame_header_bytes_max), payload_bytes_(text.size()), is_masked_(is_masked) {
  const std::size_t header_bytes = websocket::write_frame_header(
      std::span(frame_).first<websocket::frame_header_bytes_max>(), true, websocket::Opcode::text, text.size(),
      is_masked ? std::optional(mask) : std::nullopt);
  frame_.resize(header_bytes);
  append_to(frame_, bytes_of(text));
  if (is_masked) websocket::apply_mask(std::span(frame_).subspan(header_bytes), mask, 0);
  id_at_ = header_bytes + before_id.size();
}

std::span<const std::byte> Message::frame(std::uint32_t id) {
  for (std::size_t digit = id_digits; digit-- > 0; id /= 10) {
    const std::byte plain{static_cast<unsigned char>('0' + id % 10)};
    frame_[id_at_ + digit] = is_masked_ ? plain ^ mask[(before_id.size() + digit) % mask.size()] : plain;
  }
  return frame_;
}

void Message::write_to(std::vector<std::byte>& out, std::uint32_t id) { append_to(out, frame(id)); }

std::optional<FrameCutter::Found> FrameCutter::next(std::span<const std::byte>& bytes, bool is_masked) {
  const auto gather = [&](std::size_t wanted) {
    if (start_bytes_ >= wanted) return true;
    const std::size_t count = std::min(wanted - start_bytes_, bytes.size());
    std::ranges::copy(bytes.first(count), start_.begin() + static_cast<std::ptrdiff_t>(start_bytes_));
    start_bytes_ += count;
    bytes = bytes.subspan(count);
    return start_bytes_ == wanted;
  };
  if (!is_started_) {
    if (!gather(2)) return std::nullopt;
    const auto length = static_cast<unsigned>(start_[1]) & 0x7F;
    header_bytes_ = 2U + (length == 126 ? 2 : length == 127 ? 8 : 0) + (is_masked ? mask.size() : 0);
    if (!gather(header_bytes_)) return std::nullopt;
    websocket::FrameHeader header;
    const auto parsed = websocket::parse_frame_header(std::span(start_).first(header_bytes_),
                                                      is_masked ? Sender::client : Sender::server, header);
    RINGWALL_CHECK(parsed && *parsed == header_bytes_);
    RINGWALL_CHECK(header.fin && header.opcode == websocket::Opcode::text);
    payload_bytes_ = header.payload_bytes;
    if (!gather(header_bytes_ + std::min(payload_bytes_, lead_bytes))) return std::nullopt;
    left_ = payload_bytes_ - std::min(payload_bytes_, lead_bytes);
    is_started_ = true;
  }
  const std::size_t count = std::min(left_, bytes.size());
  left_ -= count;
  bytes = bytes.subspan(count);
  if (left_ > 0) return std::nullopt;
  is_started_ = false;
  start_bytes_ = 0;
  std::array<char, before_id.size() + id_digits> lead;
  for (std::size_t at = 0; at < lead.size(); ++at) {
    const std::byte byte = start_[header_bytes_ + at];
    lead[at] = static_cast<char>(is_masked ? byte ^ mask[at % mask.size()] : byte);
  }
  Found found{.payload_bytes = payload_bytes_, .id = 0};
  if (std::string_view(lead.data(), before_id.size()) == before_id) {
    std::from_chars(lead.data() + before_id.size(), lead.data() + lead.size(), found.id);
  }
  return found;
}

// The node --------------------------------------------------------------------------------------------------------

void NodeSide::on_sent(std::span<const std::byte> bytes) {
  std::vector<std::byte>& out = peers_.backend_.inbound(socket_);
  if (!is_open_) {
    head_.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    if (!head_.ends_with("\r\n\r\n")) return;
    const std::size_t key = head_.find(key_field) + key_field.size();
    const http::WebSocketAccept accept = http::accept_key(std::string_view(head_).substr(key, 24));
    append_to(out, bytes_of("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
                            "Sec-WebSocket-Accept: "));
    append_to(out, bytes_of({accept.data(), accept.size()}));
    append_to(out, bytes_of("\r\n\r\n"));
    std::string().swap(head_);
    is_open_ = true;
    return peers_.backend_.say(socket_);
  }
  while (const auto found = frames_.next(bytes, true)) {
    RINGWALL_CHECK(found->payload_bytes == peers_.request_.payload_bytes() && found->id >= Message::first_id);
    peers_.answer_.write_to(out, found->id);
  }
  peers_.backend_.say(socket_);
}

void NodeSide::push() {
  append_to(peers_.backend_.inbound(socket_), peers_.notification_.frame());
  peers_.backend_.say(socket_);
}

// A client --------------------------------------------------------------------------------------------------------

void ClientSide::connect() {
  socket_ = peers_.backend_.open_client(*this);
  std::vector<std::byte>& out = peers_.backend_.inbound(socket_);
  if (peers_.scenario_.tls) {
    handshake_ = std::make_unique<TlsClient>();
    handshake_->step({}, out);
  } else {
    append_to(out, bytes_of(upgrade));
  }
  peers_.backend_.say(socket_);
}

void ClientSide::on_sent(std::span<const std::byte> bytes) {
  if (handshake_) return take_handshake(bytes);
  if (!records_) return hear(bytes);
  peers_.scratch_.assign(bytes.begin(), bytes.end());
  std::span<std::byte> wire = peers_.scratch_;
  tls::Records::Opened opened;
  for (;;) {
    const tls::Records::Progress progress = records_->open(wire, opened, *this);
    if (progress == tls::Records::Progress::need_input) return;
    RINGWALL_CHECK(progress == tls::Records::Progress::plaintext);
    hear(opened.plaintext);
  }
}

void ClientSide::take_handshake(std::span<const std::byte> bytes) {
  const bool was_done = handshake_->is_done();
  std::vector<std::byte>& out = peers_.backend_.inbound(socket_);
  handshake_->step(bytes, out);
  if (!handshake_->is_done()) return peers_.backend_.say(socket_);
  if (!was_done) handshake_->write(upgrade, out);
  if (const std::string text = handshake_->read(); !text.empty()) {
    records_.emplace(handshake_->keys(1, 1), peers_.key_schedules_);
    handshake_.reset();
    hear_head(text);
  }
  peers_.backend_.say(socket_);
}

void ClientSide::append(std::span<const std::byte>) { RINGWALL_CHECK(!"the program said something beside data"); }

void ClientSide::hear_head(std::string_view text) {
  RINGWALL_CHECK(text.starts_with("HTTP/1.1 101") && text.ends_with("\r\n\r\n"));
  is_open_ = true;
  ++peers_.open_;
}

void ClientSide::hear(std::span<const std::byte> bytes) {
  if (!is_open_) return hear_head({reinterpret_cast<const char*>(bytes.data()), bytes.size()});
  while (const auto found = frames_.next(bytes, false)) {
    ++peers_.heard_;
    if (found->id == 0) {
      RINGWALL_CHECK(found->payload_bytes == peers_.notification_.payload_bytes());
      continue;
    }
    RINGWALL_CHECK(found->payload_bytes == peers_.answer_.payload_bytes() && found->id == answered_id_++);
    if (peers_.scenario_.notification_bytes == 0) peers_.call_next(index_);
  }
}

void ClientSide::call() {
  std::vector<std::byte>& out = peers_.backend_.inbound(socket_);
  std::span<const std::byte> frame = peers_.request_.frame(next_id_++);
  if (!records_) append_to(out, frame);
  while (records_ && !frame.empty()) {
    const std::span<const std::byte> part = frame.first(std::min(frame.size(), tls::record_plaintext_bytes_max));
    const std::size_t before = out.size();
    out.resize(before + part.size() + tls::record_overhead_bytes_max);
    out.resize(before + records_->seal({&part, 1}, std::span(out).subspan(before)));
    frame = frame.subspan(part.size());
  }
  peers_.backend_.say(socket_);
}

// All of them -----------------------------------------------------------------------------------------------------

Peers::Peers(LeanBackend& backend, const Scenario& scenario)
    : backend_(backend),
      scenario_(scenario),
      request_(request_text(scenario), true),
      answer_(answer_text(scenario), false),
      notification_(notification_text(scenario), false) {
  backend.on_connect = [this](int socket) -> Peer& {
    return *nodes_.emplace_back(std::make_unique<NodeSide>(*this, socket));
  };
}

void Peers::connect_all() {
  for (std::size_t index = 0; index < scenario_.connections; ++index) {
    clients_.push_back(std::make_unique<ClientSide>(*this, index));
    clients_.back()->connect();
  }
}

void Peers::begin() {
  for (std::size_t index = 0; index < scenario_.active; ++index) {
    for (std::size_t call = 0; call < scenario_.depth; ++call) call_next(index);
  }
}

void Peers::call_next(std::size_t index) {
  if (scenario_.active < clients_.size()) index = turn_of_++ * stride % clients_.size();
  clients_[index]->call();
}

void Peers::push_all() {
  for (const std::unique_ptr<NodeSide>& node : nodes_) node->push();
}

}  // namespace ringwall::bench
