#include "load/hostile_client.h"

#include <ringwall/rpc/answer.h>

#include <fmt/format.h>

#include <utility>

#include "load/rpc_error.h"

namespace ringwall::load {

std::unique_ptr<HostileClient> HostileClient::create(Lane& lane, std::uint64_t number) {
  switch (lane.plan.hostility) {
    case Hostility::slow_heads:
      return make_slow_head(lane, number);
    case Hostility::slow_readers:
      return make_slow_reader(lane, number);
    case Hostility::floods:
      return make_flood(lane, number);
    case Hostility::denied:
      return make_denied_caller(lane, number);
    case Hostility::huge_batches:
      return make_batch_caller(lane, number);
    case Hostility::churn:
      return make_churner(lane, number);
    case Hostility::tls_handshakes:
      return make_hello_sayer(lane, number);
  }
  return nullptr;
}

void HostileClient::on_message(const Message& message) {
  switch (rpc::classify_answer(message.head, message.tail).kind) {
    case rpc::Answer::Kind::error:
      lane_.trouble(group_, Trouble::rpc_error, rpc_error_text(message.head));
      break;
    case rpc::Answer::Kind::result:
    case rpc::Answer::Kind::batch:
      ++tally_.flow.answers;
      break;
    case rpc::Answer::Kind::notification:
      ++tally_.flow.notifications;
      return;
    case rpc::Answer::Kind::unknown:
      return lose(Trouble::protocol, "a message that is not JSON-RPC");
  }
  on_answer();
}

void HostileClient::ask_to_act() {
  if (!std::exchange(is_restless, true)) lane_.restless.push_back(this);
}

void HostileClient::say_call(std::string_view method, std::string_view params) {
  lane_.text = fmt::format(R"({{"jsonrpc":"2.0","id":{},"method":"{}","params":{}}})", ++last_id_, method, params);
  ++tally_.flow.calls_sent;
  say(lane_.text);
}

}  // namespace ringwall::load
