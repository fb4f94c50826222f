#include "sim/session/node.h"

#include "sim/session/calls.h"
#include "sim/session/frames.h"

#include <ringwall/http/upgrade.h>

#include <algorithm>
#include <charconv>

namespace ringwall::sim {

namespace {

std::string field(const std::string& head, std::string_view name) {
  std::string lower(head);
  std::ranges::transform(lower, lower.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  const std::size_t at = lower.find("\r\n" + std::string(name) + ":");
  if (at == std::string::npos) return {};
  std::size_t from = at + 2 + name.size() + 1;
  while (head[from] == ' ') ++from;
  return head.substr(from, head.find("\r\n", from) - from);
}

std::uint64_t client_of(const std::string& head) {
  std::uint64_t number = 0;
  const std::size_t at = head.find("/c/");
  if (at != std::string::npos) std::from_chars(head.data() + at + 3, head.data() + head.size(), number);
  return number;
}

// The body of a request whose head is whole; nothing while it is not. Content-Length, or chunks.
bool take_body(const std::string& input, const std::string& head, std::string& body, std::size_t& used) {
  const std::string length = field(head, "content-length");
  if (!length.empty()) {
    const std::size_t bytes = std::stoul(length);
    if (input.size() < head.size() + bytes) return false;
    body = input.substr(head.size(), bytes);
    used = head.size() + bytes;
    return true;
  }
  std::size_t at = head.size();
  if (field(head, "transfer-encoding").empty()) {
    used = at;
    return true;
  }
  for (;;) {
    const std::size_t end = input.find("\r\n", at);
    if (end == std::string::npos) return false;
    const std::size_t size = std::stoul(input.substr(at, end - at), nullptr, 16);
    if (input.size() < end + 2 + size + 2) return false;
    body += input.substr(end + 2, size);
    at = end + 2 + size + 2;
    if (size == 0) break;
  }
  used = at;
  return true;
}

}  // namespace

Node::Node(World& world, const ring::SocketAddress& address, Ledger& ledger, double habits_rate)
    : world_(world), ledger_(ledger), habits_rate_(habits_rate), server_(world, address) {
  server_.on_peer = [this](Peer& peer) { greet(peer); };
}

void Node::greet(Peer& peer) {
  Random& random = world_.random();
  Line& line = lines_[&peer];
  if (random.chance(habits_rate_))
    line.habit = static_cast<Habit>(random.between(1, static_cast<int>(Habit::last) - 1));
  line.frames_until_death = random.skewed(0, 20);
  if (line.habit == Habit::never_reads) peer.stop_reading();
  if (random.below(4) == 0) peer.read_slowly(random.skewed(512, 64 * 1024), random.skewed(0, 50 * millisecond));
  if (line.habit == Habit::resets) {
    world_.events().after(random.skewed(0, 5 * second), [&peer] { peer.reset(); });
  }
  if (line.habit == Habit::closes_at_once) peer.close();
  peer.on_event = [this](Peer& which) { read(which); };
}

void Node::read(Peer& peer) {
  Line& line = lines_[&peer];
  line.input += peer.take_received();
  if (line.habit == Habit::never_answers || line.habit == Habit::closes_at_once) return;
  if (line.tunnel) {
    Account& account = ledger_[line.client];
    account.tunnel_at_node += line.input;
    account.node_tunnel_said += line.input;
    peer.send(line.input);
    line.input.clear();
  } else if (line.upgraded) {
    read_frames(peer, line);
  } else {
    while (read_request(peer, line)) {
    }
  }
  if (peer.has_ended()) peer.half_close();
}

bool Node::read_request(Peer& peer, Line& line) {
  const std::size_t end = line.input.find("\r\n\r\n");
  if (end == std::string::npos || line.upgraded) return false;
  const std::string head = line.input.substr(0, end + 4);
  std::string body;
  std::size_t used = 0;
  if (!take_body(line.input, head, body, used)) return false;
  line.input.erase(0, used);
  line.client = client_of(head);
  Account& account = ledger_[line.client];
  if (line.habit != Habit::none) account.node_misbehaved = true;
  switch (line.habit) {
    case Habit::answers_garbage:
      peer.send("SSH-2.0-OpenSSH_9.2\r\n\r\n\r\n");
      return false;
    case Habit::at_its_limit:
      peer.send("HTTP/1.1 429 Too Many Requests\r\nContent-Length: 0\r\n\r\n");
      return false;
    default:
      break;
  }
  if (!field(head, "upgrade").empty()) {
    upgrade(peer, line, head);
    return false;
  }
  answer_post(peer, line, body);
  return true;
}

void Node::upgrade(Peer& peer, Line& line, const std::string& head) {
  if (line.habit == Habit::refuses_upgrade) return peer.send("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nnope");
  const http::WebSocketAccept accept = http::accept_key(
      line.habit == Habit::wrong_accept ? "AAAAAAAAAAAAAAAAAAAAAA==" : field(head, "sec-websocket-key"));
  peer.send("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: " +
            std::string(accept.data(), accept.size()) + "\r\n\r\n");
  line.upgraded = true;
  line.tunnel = head.find("/tunnel") != std::string::npos;
  if (!line.tunnel && world_.random().below(3) == 0) {
    say(peer, line, {1, "welcome"});  // may share a segment with the 101
  }
}

void Node::answer_post(Peer& peer, Line& line, const std::string& body) {
  if (is_denied(body)) world_.fail("a denied call was posted to the node");
  ++ledger_[line.client].executed[body];
  Random& random = world_.random();
  std::string answer;
  if (random.below(2) == 0) {
    answer = "HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
  } else {
    answer = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
    for (std::string_view left = body; !left.empty();) {
      const std::string_view chunk = left.substr(0, random.skewed(1, 8192));
      std::array<char, 17> size{};
      *std::to_chars(size.data(), size.data() + 16, chunk.size(), 16).ptr = '\0';
      answer.append(size.data()).append("\r\n").append(chunk).append("\r\n");
      left.remove_prefix(chunk.size());
    }
    answer += "0\r\n\r\n";
  }
  if (line.habit == Habit::dies_in_the_middle) {
    peer.send(std::string_view(answer).substr(0, random.below(answer.size())));
    peer.half_close();
    return;
  }
  peer.send(answer);
  // Now and then a node ends a connection that it has kept.
  if (random.below(8) == 0) {
    world_.events().after(random.skewed(0, second), [&peer] { peer.half_close(); });
  }
}

void Node::read_frames(Peer& peer, Line& line) {
  Account& account = ledger_[line.client];
  bool broken = false;
  while (const std::optional<Frame> frame = take_frame(line.input, true, broken)) {
    if (line.closing) continue;
    if (frame->opcode == 9) {
      peer.send(frame_text(10, frame->payload, 0));
    } else if (frame->opcode == 8) {
      account.close_at_node = close_code(frame->payload);
      peer.send(frame_text(8, frame->payload, 0));
      peer.half_close();
      line.closing = true;
    } else if (frame->opcode != 10) {
      if (!frame->fin || frame->opcode == 0) world_.fail("the node got a fragment");
      if (is_denied(frame->payload)) world_.fail("a denied call reached the node");
      account.node_heard.push_back({frame->opcode, frame->payload});
      say(peer, line, {1, answer_text(frame->payload)});
    }
  }
  if (broken) world_.fail("the node got a frame that breaks RFC 6455");
}

// In one frame or in several with pings between them.
void Node::say(Peer& peer, Line& line, const Message& message) {
  Random& random = world_.random();
  Account& account = ledger_[line.client];
  if (line.habit == Habit::dies_in_the_middle && line.frames_until_death-- == 0) {
    const std::string text = frame_text(message.opcode, message.payload, 0);
    peer.send(std::string_view(text).substr(0, random.below(text.size())));
    peer.half_close();
    line.closing = true;
    return;
  }
  if (line.habit == Habit::breaks_frames && line.frames_until_death-- == 0) {
    peer.send(frame_text(message.opcode, message.payload, 0x01020304));
    line.closing = true;
    return;
  }
  account.node_said.push_back(message);
  if (random.below(4) == 0) peer.send(frame_text(9, "are you there", 0));
  std::string_view left = message.payload;
  unsigned opcode = message.opcode;
  for (std::uint64_t parts = random.below(4); parts > 0 && !left.empty(); --parts) {
    const std::string_view part = left.substr(0, random.skewed(0, left.size()));
    peer.send(frame_text(opcode, part, 0, false));
    if (random.below(2) == 0) peer.send(frame_text(9, {}, 0));
    left.remove_prefix(part.size());
    opcode = 0;
  }
  peer.send(frame_text(opcode, left, 0));
  if (random.below(40) == 0) {
    account.node_close = 4000;
    peer.send(frame_text(8, close_payload(4000, "that was all"), 0));
    line.closing = true;
    // Its process goes on reading until the other side ends.
  }
}

}  // namespace ringwall::sim
