#include "load/result.h"

#include <ringwall/check.h>

#include <numeric>

#include "load/json_text.h"

namespace ringwall::load {

namespace {

constexpr std::array<std::string_view, trouble_count> names = {
    "connect_refused",
    "connect_timeout",
    "connect_closed",
    "connect_no_source",
    "tls",
    "upgrade",
    "http_status",
    "connection_reset",
    "connection_closed",
    "protocol",
    "answer_timeout",
    "answer_lost",
    "answer_unasked",
    "answer_length",
    "rpc_error",
    "subscription_ended",
    "notification_lost",
    "send_late",
};
static_assert(!names.back().empty());

constexpr std::array<std::string_view, trouble_count> meanings = {
    "nobody listens, or no way leads there",
    "no connection within --timeout",
    "ended by the endpoint before it was of use",
    "this machine had no port or address left",
    "the TLS handshake failed",
    "the upgrade got another status than 101",
    "a POST got another status than 200",
    "reset by the endpoint while in use",
    "closed by the endpoint while in use",
    "what came is not WebSocket, HTTP or JSON-RPC",
    "no answer within --timeout",
    "the connection ended before the answer came",
    "an answer whose id was not in flight",
    "an answer of another length than it must have",
    "answered with a JSON-RPC error",
    "the endpoint ended a subscription",
    "a subscriber heard nothing that others heard",
    "never sent: no connection had room in time",
};
static_assert(!meanings.back().empty());

constexpr std::size_t text_bytes_max = 200;

}  // namespace

std::string_view name(Trouble trouble) { return names[static_cast<std::size_t>(trouble)]; }
std::string_view meaning(Trouble trouble) { return meanings[static_cast<std::size_t>(trouble)]; }

void Troubles::note(Trouble trouble, std::string_view text) {
  ++counts[static_cast<std::size_t>(trouble)];
  if (text.empty()) return;
  std::string key = std::string(name(trouble)) + ": " + excerpt(text, text_bytes_max);
  if (const auto found = texts.find(key); found != texts.end()) {
    ++found->second;
  } else if (texts.size() < texts_max) {
    texts.emplace(std::move(key), 1);
  }
}

void Troubles::add(const Troubles& other) {
  for (std::size_t index = 0; index < trouble_count; ++index) counts[index] += other.counts[index];
  for (const auto& [text, count] : other.texts) {
    if (const auto found = texts.find(text); found != texts.end()) {
      found->second += count;
    } else if (texts.size() < texts_max) {
      texts.emplace(text, count);
    }
  }
}

std::uint64_t Troubles::total() const { return std::accumulate(counts.begin(), counts.end(), std::uint64_t{0}); }

void Flow::add(const Flow& other) {
  calls_sent += other.calls_sent;
  answers += other.answers;
  answers_in_time += other.answers_in_time;
  notifications += other.notifications;
  calls_unanswered += other.calls_unanswered;
  connections_tried += other.connections_tried;
  connections_opened += other.connections_opened;
  connections_cut += other.connections_cut;
  handshakes += other.handshakes;
  handshakes_resumed += other.handshakes_resumed;
  bytes_sent += other.bytes_sent;
  bytes_received += other.bytes_received;
}

void Tally::add(const Tally& other) {
  flow.add(other.flow);
  troubles.add(other.troubles);
  latency.add(other.latency);
  connect.add(other.connect);
  spread.add(other.spread);
  if (calls.empty()) {
    calls = other.calls;
    return;
  }
  RINGWALL_CHECK(other.calls.empty() || other.calls.size() == calls.size());
  for (std::size_t index = 0; index < other.calls.size(); ++index) {
    calls[index].sent += other.calls[index].sent;
    calls[index].answers_in_time += other.calls[index].answers_in_time;
    calls[index].errors += other.calls[index].errors;
    calls[index].latency.add(other.calls[index].latency);
  }
}

}  // namespace ringwall::load
