#include "load/request_texts.h"

#include <ringwall/http/writer.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>

namespace ringwall::load {

namespace {

constexpr std::string_view end_of_head = "\r\n\r\n";

std::string host_of(const Target& target) {
  std::string host = target.host.find(':') == std::string::npos ? target.host : "[" + target.host + "]";
  const unsigned usual_port = target.tls ? 443 : 80;
  if (target.port != usual_port) host += ":" + std::to_string(target.port);
  return host;
}

bool is_given(const Plan& plan, std::string_view name) {
  return std::ranges::any_of(plan.headers,
                             [&](const auto& header) { return http::equals_ignoring_case(header.first, name); });
}

void begin(http::HeadWriter& writer, std::string_view method, const Plan& plan) {
  const std::string_view whole = plan.target.path;
  const std::size_t question = whole.find('?');
  const bool has_query = question != std::string_view::npos;
  writer.request_line(method, whole.substr(0, question),
                      has_query ? std::optional(whole.substr(question + 1)) : std::nullopt);
  if (!is_given(plan, "host")) writer.field("Host", host_of(plan.target));
}

void add_given(http::HeadWriter& writer, const Plan& plan) {
  for (const auto& [name, value] : plan.headers) writer.field(name, value);
}

// Where the value of `name`, written as `value`, stands.
struct Cut {
  std::string before, after;
};
Cut cut_at(std::string_view head, std::string_view value) {
  const std::size_t at = head.rfind(value);
  return {std::string(head.substr(0, at)), std::string(head.substr(at + value.size()))};
}

}  // namespace

Result<RequestTexts> RequestTexts::create(const Plan& plan) {
  RequestTexts texts;
  std::array<char, http::head_bytes_max> memory;
  http::HeadWriter writer(memory);
  begin(writer, plan.target.post ? "POST" : "GET", plan);
  if (plan.target.post) {
    if (!is_given(plan, "content-type")) writer.field("Content-Type", "application/json");
    // It would have to be the last of another request.
    if (plan.mode == Mode::handshake && !is_given(plan, "connection")) writer.field("Connection", "close");
  } else {
    writer.field("Connection", "Upgrade").field("Upgrade", "websocket");
    if (!plan.subprotocol.empty()) writer.field("Sec-WebSocket-Protocol", plan.subprotocol);
    writer.field("Sec-WebSocket-Version", "13");
  }
  add_given(writer, plan);
  constexpr std::string_view placeholder = "################";
  writer.field(plan.target.post ? "Content-Length" : "Sec-WebSocket-Key", placeholder);
  const auto bytes = writer.end();
  if (!bytes) {
    return fail(bytes.error() == http::WriteFault::too_long
                    ? "the headers given are longer than " + std::to_string(http::head_bytes_max) + " bytes together"
                    : "the path, a header or the subprotocol given has characters that cannot stand in a request");
  }
  Cut cut = cut_at(std::string_view(memory.data(), *bytes), placeholder);
  (plan.target.post ? texts.before_length_ : texts.before_key_) = std::move(cut.before);
  texts.after_key_ = std::move(cut.after);
  return texts;
}

void RequestTexts::write_upgrade(std::string_view key, std::string& out) const {
  out.append(before_key_).append(key).append(after_key_);
}

void RequestTexts::write_post(std::string_view body, std::string& out) const {
  std::array<char, 20> digits;
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), body.size()).ptr;
  out.append(before_length_).append(digits.data(), end).append(end_of_head).append(body);
}

}  // namespace ringwall::load
