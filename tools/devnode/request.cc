#include "devnode/request.h"

#include <array>

#include "devnode/raw_json.h"

namespace ringwall::devnode {

namespace {

struct Member {
  unsigned times = 0;
  simdjson::dom::element value;
  std::string_view raw;

  void see(simdjson::dom::element value_in, std::string_view raw_in) {
    ++times;
    value = value_in;
    raw = raw_in;
  }
  [[nodiscard]] bool is_string() const { return times == 1 && value.is_string(); }
};

struct Members {
  Member jsonrpc, id, method, params;
};

bool is_id(const Member& id) {
  if (id.times != 1) return false;
  if (id.value.is_string() || id.value.is_null()) return true;
  return (id.value.is_int64() || id.value.is_uint64()) && !id.raw.starts_with('-');
}

bool is_version(const Member& jsonrpc) { return jsonrpc.is_string() && std::string_view(jsonrpc.value) == "2.0"; }

Request judge(const Members& members) {
  Request request;
  if (is_id(members.id)) request.id = members.id.raw;
  if (!is_version(members.jsonrpc) || !members.method.is_string() || members.params.times > 1) return request;
  request.kind = is_id(members.id) ? Request::Kind::call : Request::Kind::notification;
  request.method = std::string_view(members.method.value);
  if (members.params.times == 1 && !members.params.value.is_null()) {
    request.params = Params(members.params.value, members.params.raw);
  }
  return request;
}

Members members_of(simdjson::dom::object object, std::string_view raw) {
  Members members;
  std::string_view rest = raw_inside(raw);
  for (const auto& [key, value] : object) {
    (void)take_raw_value(rest);
    const std::string_view raw_value = take_raw_value(rest);
    if (key == "jsonrpc") members.jsonrpc.see(value, raw_value);
    if (key == "id") members.id.see(value, raw_value);
    if (key == "method") members.method.see(value, raw_value);
    if (key == "params") members.params.see(value, raw_value);
  }
  return members;
}

// [jsonrpc, id, method, params] is a call, [jsonrpc, method, params] a notification: serde reads structs from both.
std::optional<Members> members_of(simdjson::dom::array array, std::string_view raw) {
  Members members;
  const std::array<Member*, 4> of_call = {&members.jsonrpc, &members.id, &members.method, &members.params};
  const std::array<Member*, 3> of_notification = {&members.jsonrpc, &members.method, &members.params};
  const std::size_t size = array.size();
  if (size != of_call.size() && size != of_notification.size()) return std::nullopt;
  std::string_view rest = raw_inside(raw);
  std::size_t index = 0;
  for (const simdjson::dom::element value : array) {
    Member& member = size == of_call.size() ? *of_call[index] : *of_notification[index];
    member.see(value, take_raw_value(rest));
    ++index;
  }
  return members;
}

}  // namespace

std::optional<simdjson::dom::element> Params::at(std::size_t index) const {
  simdjson::dom::array array;
  simdjson::dom::element element;
  if (!value_ || value_->get(array) != simdjson::SUCCESS) return std::nullopt;
  if (array.at(index).get(element) != simdjson::SUCCESS || element.is_null()) return std::nullopt;
  return element;
}

Request read_request(simdjson::dom::element value, std::string_view raw) {
  simdjson::dom::object object;
  if (value.get(object) == simdjson::SUCCESS) return judge(members_of(object, raw));
  simdjson::dom::array array;
  if (value.get(array) == simdjson::SUCCESS) {
    if (const auto members = members_of(array, raw)) return judge(*members);
  }
  return {};
}

}  // namespace ringwall::devnode
