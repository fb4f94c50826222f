#include "devnode/answer.h"

#include <fmt/format.h>

#include <algorithm>

#include "devnode/methods.h"
#include "devnode/raw_json.h"

namespace ringwall::devnode {

namespace {

constexpr std::size_t leading_space_bytes_max = 127;
constexpr std::string_view version = R"({"jsonrpc":"2.0",)";

void open_answer(Reply& reply, const Options& options, std::string_view id) {
  reply.append(version);
  if (!options.id_last) reply.append(R"("id":)").append(id).append(",");
}

void close_answer(Reply& reply, const Options& options, std::string_view id) {
  if (options.id_last) reply.append(R"(,"id":)").append(id);
  reply.append("}");
}

Outcome run(Node& node, Subscriptions* subscriptions, const Request& request, Reply& reply) {
  const Method* method = find_method(request.method);
  if (method == nullptr) return std::unexpected(method_not_found());
  if (method->is_unsafe && !node.options.allow_unsafe) return std::unexpected(unsafe_call());
  if (method->run == nullptr) {
    reply.append(method->always);
    return {};
  }
  Call call{node, subscriptions, request.params, reply};
  return method->run(call);
}

std::string_view skip_leading_space(std::string_view text) {
  const std::size_t first = text.find_first_not_of(" \t\n\f\r");
  return text.substr(std::min({first, leading_space_bytes_max, text.size()}));
}

bool begins_message(std::string_view text) { return text.starts_with('{') || text.starts_with('['); }

class Answerer {
 public:
  Answerer(Node& node, Subscriptions* subscriptions, Reply& reply)
      : node_(node), subscriptions_(subscriptions), reply_(reply) {}

  void answer_one(simdjson::dom::element value, std::string_view raw) {
    const Request request = read_request(value, raw);
    if (request.kind == Request::Kind::notification) return;
    if (request.kind == Request::Kind::invalid) return append_error(reply_, options(), request.id, invalid_request());
    const Reply::Mark start = reply_.mark();
    open_answer(reply_, options(), request.id);
    reply_.append(R"("result":)");
    Outcome outcome = run(node_, subscriptions_, request, reply_);
    close_answer(reply_, options(), request.id);
    const std::size_t most = options().response_bytes_max;
    if (outcome && reply_.bytes_since(start) > most) outcome = std::unexpected(response_too_big(most));
    if (outcome) return;
    reply_.rewind(start);
    append_error(reply_, options(), request.id, outcome.error());
  }

  void answer_batch(simdjson::dom::array batch, std::string_view raw) {
    std::string_view rest = raw_inside(raw);
    bool had_entries = false;
    reply_.append("[");
    for (const simdjson::dom::element entry : batch) {
      had_entries = true;
      const Reply::Mark before = reply_.mark();
      if (before.text_bytes + before.shared_bytes > 1) reply_.append(",");
      const Reply::Mark start = reply_.mark();
      answer_one(entry, take_raw_value(rest));
      if (reply_.bytes_since(start) == 0) reply_.rewind(before);
      if (reply_.bytes() > options().response_bytes_max) {
        return answer_only(batch_response_too_big(options().response_bytes_max));
      }
    }
    if (!had_entries) return answer_only(invalid_request());
    reply_.append("]");
    if (reply_.bytes() == 2) reply_.rewind(empty);
  }

 private:
  static constexpr Reply::Mark empty{};

  const Options& options() const { return node_.options; }

  void answer_only(const RpcError& error) {
    reply_.rewind(empty);
    append_error(reply_, options(), "null", error);
  }

  Node& node_;
  Subscriptions* subscriptions_;
  Reply& reply_;
};

}  // namespace

bool looks_like_message(std::string_view text) { return begins_message(skip_leading_space(text)); }

void answer_message(Node& node, Subscriptions* subscriptions, std::string_view text, Reply& reply) {
  const std::string_view message = skip_leading_space(text);
  simdjson::dom::element value;
  simdjson::dom::array batch;
  if (!begins_message(message) || node.json.parse(message).get(value) != simdjson::SUCCESS) {
    return append_error(reply, node.options, "null", parse_error());
  }
  Answerer answerer(node, subscriptions, reply);
  if (value.get(batch) == simdjson::SUCCESS) {
    answerer.answer_batch(batch, message);
  } else {
    answerer.answer_one(value, message);
  }
  node.json.trim();
}

void append_error(Reply& reply, const Options& options, std::string_view id, const RpcError& error) {
  open_answer(reply, options, id);
  reply.append(fmt::format(R"("error":{{"code":{},"message":)", error.code)).append_quoted(error.message);
  if (!error.data.empty()) reply.append(R"(,"data":)").append_quoted(error.data);
  reply.append("}");
  close_answer(reply, options, id);
}

}  // namespace ringwall::devnode
