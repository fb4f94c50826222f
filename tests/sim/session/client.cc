#include "sim/session/client.h"

#include "sim/session/calls.h"

#include <algorithm>
#include <charconv>

namespace ringwall::sim {

Client::Client(World& world, std::uint64_t number, Account& account, double habits_rate, std::size_t message_bytes_max)
    : world_(world), number_(number), account_(account), message_bytes_max_(message_bytes_max), peer_(world) {
  Random& random = world.random();
  static constexpr Kind kinds[] = {Kind::websocket, Kind::websocket, Kind::websocket, Kind::post,
                                   Kind::post,      Kind::tunnel,    Kind::noise};
  kind_ = kinds[random.below(std::size(kinds))];
  messages_left_ = random.skewed(0, 30);
  if (random.chance(habits_rate)) {
    habit_ = static_cast<Habit>(random.between(1, static_cast<int>(Habit::last) - 1));
  }
  peer_.on_event = [this](Peer&) { on_event(); };
}

void Client::begin(const ring::SocketAddress& rpc, const ring::SocketAddress& tunnel, bool behind_balancer) {
  Random& random = world_.random();
  begun_ = true;
  peer_.connect(kind_ == Kind::tunnel ? tunnel : rpc, address_of(random.below(2) == 0 ? "203.0.113.1" : "2001:db8::1",
                                                                 static_cast<std::uint16_t>(1024 + number_)));
  if (habit_ == Habit::reads_slowly) peer_.read_slowly(random.skewed(256, 16 * 1024), 20 * millisecond);
  if (habit_ == Habit::never_reads) {
    peer_.stop_reading();
    world_.events().after(300 * second, [this] {
      given_up_ = true;
      peer_.close();
    });
  }
  if (habit_ == Habit::resets) world_.events().after(random.skewed(0, 5 * second), [this] { peer_.reset(); });
  if (habit_ == Habit::vanishes)
    world_.events().after(random.skewed(0, 5 * second), [this] {
      given_up_ = true;
      peer_.vanish();
    });
  if (habit_ == Habit::half_closes) world_.events().after(random.skewed(0, 5 * second), [this] { peer_.half_close(); });
  // Noise comes with and without one.
  if (behind_balancer && (kind_ != Kind::noise || number_ % 4 < 2)) peer_.send(proxy_header());
  switch (kind_) {
    case Kind::websocket:
      return ask_upgrade("/c/" + std::to_string(number_));
    case Kind::tunnel:
      return ask_upgrade("/tunnel/c/" + std::to_string(number_));
    case Kind::post:
      return post_next();
    case Kind::noise:
      return make_noise();
  }
}

// Of each version; of the second, with a TLV of some length.
std::string Client::proxy_header() const {
  const std::uint64_t kind = number_ % 3;
  if (kind == 0) return "PROXY TCP4 198.51.100.7 192.0.2.1 56581 443\r\n";
  if (kind == 1) return "PROXY UNKNOWN\r\n";
  const std::size_t padding = number_ * 100;
  const std::size_t block = 12 + 3 + padding;
  std::string header("\r\n\r\n\0\r\nQUIT\n\x21\x11", 14);
  header.append({static_cast<char>(block >> 8), static_cast<char>(block & 255)});
  header.append("\xc6\x33\x64\x07\xc0\x00\x02\x01\xdd\x05\x01\xbb\x04", 13);
  header.append({static_cast<char>(padding >> 8), static_cast<char>(padding & 255)});
  return header.append(padding, 'x');
}

std::uint32_t Client::key() { return static_cast<std::uint32_t>(world_.random().between(1, UINT32_MAX)); }

std::string Client::text(std::size_t bytes) {
  std::string text(bytes, ' ');
  for (char& c : text) c = static_cast<char>('a' + world_.random().below(26));
  return text;
}

std::string Client::next_call(bool denied) {
  Random& random = world_.random();
  const std::uint64_t id = ++calls_;
  const std::string payload = text(random.skewed(0, message_bytes_max_ - call_bytes_max));
  static constexpr std::string_view allowed[] = {"system_name", "state_call", "chain_subscribeNewHeads"};
  if (!denied) {
    const std::string call = call_text(id, allowed[random.below(std::size(allowed))], payload);
    return random.below(6) == 0 ? "[" + call + "]" : call;
  }
  switch (random.below(4)) {
    case 0:
      return call_text(id, "author_rotateKeys", payload);
    case 1:
      return call_text(id, "unheard_of", payload);
    case 2:
      return "no json " + payload;
    default:
      return "[" + call_text(id, "system_name", payload) + "," + call_text(id, "author_rotateKeys", {}) + "]";
  }
}

void Client::ask_upgrade(const std::string& path) {
  peer_.send("GET " + path +
             " HTTP/1.1\r\nHost: rpc.example\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
             "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n");
  // A hasty client does not wait for the 101.
  if (kind_ == Kind::websocket && world_.random().below(4) == 0) say_next_message();
}

void Client::on_event() {
  input_ += peer_.take_received();
  switch (kind_) {
    case Kind::websocket:
    case Kind::tunnel:
      if (!upgraded_) {
        const std::size_t end = input_.find("\r\n\r\n");
        if (end == std::string::npos) return;
        if (!input_.starts_with("HTTP/1.1 101 ")) {
          ++account_.other_answers;
          account_.done = account_.done || input_.starts_with("HTTP/1.1 429 ");  // a limit: it is to come again later
          return;
        }
        if (input_.find("s3pPLMBiTxaQ9kYGzzhZRbK+xOo=") > end) world_.fail("a 101 without the right accept key");
        input_.erase(0, end + 4);
        upgraded_ = true;
        if (kind_ == Kind::tunnel) {
          say_into_tunnel();
        } else {
          say_next_message();
        }
      }
      return kind_ == Kind::tunnel ? hear_tunnel() : hear_frames();
    case Kind::post:
      return hear_answers();
    case Kind::noise:
      return;
  }
}

// WebSocket --------------------------------------------------------------------------------------------------------

void Client::say_next_message() {
  Random& random = world_.random();
  if (said_close_ || closed_ || peer_.is_over()) return;
  if (messages_left_ == 0) return;
  --messages_left_;
  if (habit_ == Habit::breaks_frames && random.below(4) == 0) {
    said_close_ = true;
    return peer_.send(frame_text(3, "there is no such opcode", key()));
  }
  const bool denied = random.below(4) == 0;
  Message message{random.below(2) == 0 ? 1U : 2U, next_call(denied)};
  std::string_view left = message.payload;
  unsigned opcode = message.opcode;
  for (std::uint64_t parts = random.below(4); parts > 0; --parts) {
    const std::string_view part = left.substr(0, random.skewed(0, left.size()));
    peer_.send(frame_text(opcode, part, key(), false));
    if (random.below(4) == 0) peer_.send(frame_text(9, "ping", key()));
    left.remove_prefix(part.size());
    opcode = 0;
  }
  peer_.send(frame_text(opcode, left, key()));
  if (random.below(4) == 0) peer_.send(frame_text(9, "ping", key()));
  if (denied) {
    ++account_.denied_said;
  } else {
    account_.client_said.push_back(std::move(message));
  }
  // Some say several things in a breath, so that they share buffers.
  if (random.below(2) == 0) return say_next_message();
  world_.events().after(random.skewed(0, 2 * second), [this] { say_next_message(); });
}

void Client::hear_frames() {
  bool broken = false;
  while (std::optional<Frame> frame = take_frame(input_, false, broken)) {
    if (closed_) world_.fail("a frame came after the Close");
    if (frame->opcode == 8) {
      closed_ = true;
      account_.close_at_client = close_code(frame->payload);
      if (!assembled_.empty() || assembled_opcode_ != 0) assembled_opcode_ = 0;
      if (!said_close_) peer_.send(frame_text(8, frame->payload, key()));
    } else if (frame->opcode == 9) {
      peer_.send(frame_text(10, frame->payload, key()));
    } else if (frame->opcode != 10) {
      hear_message(std::move(*frame));
    }
  }
  if (broken) world_.fail("the client got a frame that breaks RFC 6455");
  if (closed_ && !input_.empty()) world_.fail("bytes came after the Close");
  if (closed_ && peer_.has_ended()) return peer_.close();
  const bool all_heard = messages_left_ == 0 && account_.client_heard.size() + account_.refusals >=
                                                    account_.client_said.size() + account_.denied_said;
  if (all_heard && upgraded_ && !said_close_ && !closed_) {
    said_close_ = true;
    account_.client_close = 1000;
    account_.done = true;
    peer_.send(frame_text(8, close_payload(1000, "thank you"), key()));
  }
}

void Client::hear_message(Frame&& frame) {
  if ((frame.opcode == 0) != (assembled_opcode_ != 0)) world_.fail("fragments out of order");
  if (frame.opcode != 0) assembled_opcode_ = frame.opcode;
  assembled_ += frame.payload;
  if (!frame.fin) return;
  if (is_refusal(assembled_)) {
    ++account_.refusals;
    assembled_.clear();
  } else {
    account_.client_heard.push_back({assembled_opcode_, std::exchange(assembled_, {})});
  }
  assembled_opcode_ = 0;
}

// Tunnel -----------------------------------------------------------------------------------------------------------

void Client::say_into_tunnel() {
  if (peer_.is_over()) return;
  if (messages_left_ == 0) return;
  --messages_left_;
  const std::string bytes = text(world_.random().skewed(1, message_bytes_max_));
  account_.tunnel_said += bytes;
  peer_.send(bytes);
  world_.events().after(world_.random().skewed(0, second), [this] { say_into_tunnel(); });
}

void Client::hear_tunnel() {
  account_.tunnel_heard += std::exchange(input_, {});
  if (messages_left_ == 0 && account_.tunnel_heard.size() == account_.tunnel_said.size()) {
    account_.done = true;
    peer_.half_close();
  }
}

// POST -------------------------------------------------------------------------------------------------------------

void Client::post_next() {
  Random& random = world_.random();
  if (messages_left_ == 0) {
    account_.done = true;
    return peer_.half_close();
  }
  // One or several at a time: pipelining.
  for (std::uint64_t burst = random.between(1, std::min<std::uint64_t>(3, messages_left_)); burst > 0; --burst) {
    --messages_left_;
    const bool submission = random.below(4) == 0;
    const bool denied = random.below(6) == 0;
    const std::string body = denied ? next_call(true)
                                    : call_text(++calls_, submission ? "author_submitExtrinsic" : "system_name",
                                                text(random.skewed(0, message_bytes_max_ - call_bytes_max)));
    if (denied) {
      ++account_.denied_said;
    } else {
      account_.posted.push_back(body);
    }
    std::string request = "POST /c/" + std::to_string(number_) +
                          " HTTP/1.1\r\nHost: rpc.example\r\n"
                          "Content-Type: application/json\r\n";
    if (random.below(2) == 0) {
      request += "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
    } else {
      std::array<char, 17> size{};
      *std::to_chars(size.data(), size.data() + 16, body.size(), 16).ptr = '\0';
      request.append("Transfer-Encoding: chunked\r\n\r\n").append(size.data()).append("\r\n").append(body);
      request += "\r\n0\r\n\r\n";
    }
    peer_.send(request);
  }
}

void Client::hear_answers() {
  std::string body;
  unsigned status = 0;
  while (take_answer(body, status)) {
    if (is_refusal(body)) {
      ++account_.refusals;
    } else if (status == 200) {
      account_.answers.push_back(std::exchange(body, {}));
    } else {
      ++account_.other_answers;
    }
    if (account_.answers.size() + account_.other_answers + account_.refusals ==
        account_.posted.size() + account_.denied_said) {
      world_.events().after(world_.random().skewed(0, second), [this] { post_next(); });
    }
  }
}

// A whole answer, Content-Length or chunks.
bool Client::take_answer(std::string& body, unsigned& status) {
  const std::size_t end = input_.find("\r\n\r\n");
  if (end == std::string::npos) return false;
  const std::string head = input_.substr(0, end + 4);
  if (!head.starts_with("HTTP/1.1 ")) world_.fail("an answer that is not HTTP/1.1");
  status = static_cast<unsigned>(std::stoul(head.substr(9, 3)));
  std::size_t at = end + 4;
  body.clear();
  if (const std::size_t length_at = head.find("Content-Length: "); length_at != std::string::npos) {
    const std::size_t length = std::stoul(head.substr(length_at + 16));
    if (input_.size() - at < length) return false;
    body = input_.substr(at, length);
    input_.erase(0, at + length);
    return true;
  }
  if (head.find("chunked") == std::string::npos) world_.fail("an answer whose length is not told");
  for (;;) {
    const std::size_t line = input_.find("\r\n", at);
    if (line == std::string::npos) return false;
    const std::size_t size = std::stoul(input_.substr(at, line - at), nullptr, 16);
    if (input_.size() < line + 2 + size + 2) return false;
    body += input_.substr(line + 2, size);
    at = line + 2 + size + 2;
    if (size == 0) break;
  }
  input_.erase(0, at);
  return true;
}

// Noise ------------------------------------------------------------------------------------------------------------

void Client::make_noise() {
  Random& random = world_.random();
  static constexpr std::string_view starts[] = {"GET / HTTP/1.1\r\nHost: a\r\nAccept: text/html\r\n\r\n",
                                                "GET / HTTP/1.1\r\nHost: a\r\n",
                                                "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\nhalf",
                                                "\x16\x03\x01\x02\x00\x01",
                                                "DELETE / HTTP/1.1\r\nHost: a\r\n\r\n",
                                                "GET /health HTTP/1.1\r\nHost: a\r\n\r\n",
                                                ""};
  peer_.send(starts[random.below(std::size(starts))]);
  std::string noise(random.skewed(0, 2000), ' ');
  for (char& c : noise) c = static_cast<char>(random.next());
  if (random.below(2) == 0) peer_.send(noise);
  world_.events().after(60 * second, [this] {
    given_up_ = true;
    peer_.close();
  });
}

}  // namespace ringwall::sim
