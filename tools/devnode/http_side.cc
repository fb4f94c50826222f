#include "devnode/http_side.h"

#include <ringwall/check.h>
#include <ringwall/http/upgrade.h>
#include <ringwall/http/writer.h>

#include <array>
#include <utility>

#include "devnode/access.h"
#include "devnode/answer.h"
#include "devnode/client.h"
#include "devnode/methods.h"

namespace ringwall::devnode {

namespace {

constexpr std::string_view json_type = "application/json; charset=utf-8";
constexpr std::string_view text_type = "text/plain";
constexpr std::string_view continue_line = "HTTP/1.1 100 Continue\r\n\r\n";

// Room for the status, the framing, CORS with an origin, which is at most a head's size, and a refusal's sentence.
constexpr std::size_t head_memory_bytes = http::head_bytes_max + 1024;

std::span<const std::byte> bytes_of(std::span<const char> text) { return std::as_bytes(text); }

// application/json and application/json-rpc, whatever their parameters.
bool is_json_type(const http::RequestHead& head) {
  const std::string_view value = head.find("content-type").value_or("");
  const std::string_view type = http::trim(value.substr(0, value.find(';')));
  return http::equals_ignoring_case(type, "application/json") ||
         http::equals_ignoring_case(type, "application/json-rpc");
}

// As soketto's is_upgrade_request: both fields ask for it.
bool asks_for_websocket(const http::RequestHead& head) {
  return head.wants_websocket && head.fields.lists("connection", "upgrade");
}

}  // namespace

void HttpSide::consume(std::span<const std::byte>& in) {
  std::string_view text(reinterpret_cast<const char*>(in.data()), in.size());
  if (in_body_) {
    read_body(text);
  } else {
    read_head(text);
  }
  in = in.last(text.size());
}

void HttpSide::read_head(std::string_view& in) {
  http::RequestHead head;
  const bool in_pieces = !head_.empty();
  if (in_pieces) head_ += in;
  const std::string_view bytes = in_pieces ? std::string_view(head_) : in;
  const auto consumed = http::parse_request_head(bytes, head);
  if (!consumed) return refuse(consumed.error());
  if (*consumed == 0) {
    if (!in_pieces) head_ = in;
    in = {};
    return;
  }
  in = in.substr(in.size() - (bytes.size() - *consumed));
  begin_request(head);
  head_.clear();
}

void HttpSide::begin_request(const http::RequestHead& head) {
  origin_ = head.find("origin").value_or("");
  keep_alive_ = head.keep_alive;
  is_http_1_0_ = head.minor == 0;
  is_head_request_ = head.method == http::Method::head;
  kind_ = judge(head);
  if (kind_ == Kind::rpc && asks_for_websocket(head)) return upgrade(head);
  body_reader_ = http::BodyReader(head.framing, head.content_length, node_.options.request_bytes_max);
  if (head.expect_continue) client_.send(bytes_of(continue_line), {});
  if (body_reader_.done()) return answer();
  in_body_ = true;
  permit_.emplace(node_);
}

// In the order of a node's layers: hosts, health, CORS, the limit, and then the request itself.
HttpSide::Kind HttpSide::judge(const http::RequestHead& head) const {
  if (!node_.options.allow_any_host && !is_local_host(head.host, port_)) return Kind::wrong_host;
  const bool is_health =
      head.method == http::Method::get && (head.path == "/health" || head.path == "/health/readiness");
  if (head.method == http::Method::options) return Kind::preflight;
  if (node_.in_use >= node_.options.connections_max) return Kind::busy;
  if (is_health) return head.path == "/health" ? Kind::health : Kind::readiness;
  if (asks_for_websocket(head)) return Kind::rpc;
  if (head.method != http::Method::post) return Kind::wrong_method;
  return is_json_type(head) ? Kind::rpc : Kind::wrong_type;
}

void HttpSide::upgrade(const http::RequestHead& head) {
  const auto request = http::check_upgrade(head);
  if (!request) {
    kind_ = Kind::wrong_upgrade;
    wrong_upgrade_ = request.error().why;
    keep_alive_ = false;
    return answer();
  }
  std::array<char, 512> memory;
  const auto bytes = http::write_101(memory, request->key, {});
  RINGWALL_CHECK(bytes.has_value());
  client_.send(bytes_of(memory).first(*bytes), {});
  client_.become_websocket();
}

void HttpSide::read_body(std::string_view& in) {
  const auto piece = body_reader_.next(in);
  if (!piece && piece.error().status != 413) return refuse(piece.error());
  if (!piece) {
    keep_alive_ = false;
    Reply reply;
    append_error(reply, node_.options, "null", request_too_big(node_.options.request_bytes_max));
    return answer_with(413, json_type, std::move(reply));
  }
  body_ += piece->payload;
  if (!piece->done) return;
  in_body_ = false;
  permit_.reset();
  answer();
  body_ = {};
}

void HttpSide::refuse(const http::Refusal& refusal) {
  std::array<char, head_memory_bytes> memory;
  const auto bytes = http::refusal_response(memory, refusal);
  RINGWALL_CHECK(bytes.has_value());
  client_.send(bytes_of(memory).first(*bytes), {});
  client_.finish();
}

void HttpSide::answer() {
  const auto text = [](std::string_view line) {
    Reply reply;
    reply.append(line);
    return reply;
  };
  switch (kind_) {
    case Kind::rpc:
      return answer_rpc();
    case Kind::health:
      return answer_with(200, json_type, text(find_method("system_health")->always));
    case Kind::readiness:
      return answer_with(200, json_type, {});
    case Kind::preflight:
      return answer_with(200, {}, {});
    case Kind::wrong_method:
      return answer_with(405, text_type, text("Used HTTP Method is not allowed. POST is required\n"));
    case Kind::wrong_type:
      return answer_with(415, text_type,
                         text("Supplied content type is not allowed. Content-Type: application/json is required\n"));
    case Kind::wrong_host:
      return answer_with(403, text_type, text("Provided Host header is not whitelisted.\n"));
    case Kind::wrong_upgrade:
      return answer_with(200, {}, std::move(text("Could not upgrade connection: ").append(wrong_upgrade_)));
    case Kind::busy:
      return answer_with(429, text_type, text("Too many connections. Please try again later."));
  }
}

void HttpSide::answer_rpc() {
  Reply reply;
  if (!looks_like_message(body_)) {
    append_error(reply, node_.options, "null", parse_error());
    return answer_with(400, json_type, std::move(reply));
  }
  answer_message(node_, nullptr, body_, reply);
  answer_with(200, json_type, std::move(reply));
}

void HttpSide::answer_with(int status, std::string_view content_type, Reply body) {
  std::array<char, head_memory_bytes> memory;
  http::HeadWriter writer(memory);
  writer.status_line(status);
  if (!content_type.empty()) writer.field("content-type", content_type);
  const bool is_inside_cors = kind_ != Kind::wrong_host && kind_ != Kind::health && kind_ != Kind::readiness;
  if (is_inside_cors) write_cors(writer, origin_, node_.options.allow_any_host, kind_ == Kind::preflight);
  writer.field("content-length", body.bytes());
  if (!keep_alive_) writer.field("connection", "close");
  if (keep_alive_ && is_http_1_0_) writer.field("connection", "keep-alive");
  const auto bytes = writer.end();
  RINGWALL_CHECK(bytes.has_value());
  client_.send(bytes_of(memory).first(*bytes), is_head_request_ ? Reply() : std::move(body));
  if (!keep_alive_) client_.finish();
}

}  // namespace ringwall::devnode
