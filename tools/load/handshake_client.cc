#include "load/handshake_client.h"

#include <ringwall/rpc/answer.h>

#include "load/mix.h"
#include "load/rpc_error.h"

namespace ringwall::load {

std::uint64_t HandshakeClient::again_at_ns() const { return succeeded_ ? lane_.now_ns() : Client::again_at_ns(); }

bool HandshakeClient::may_start() {
  // The first ones show whether anybody is there.
  if (lane_.stretch != Stretch::before && !lane_.take_call()) return false;
  is_counted_ = lane_.stretch == Stretch::measured;
  if (is_counted_) ++lane_.calls_in_flight;
  succeeded_ = false;
  return true;
}

void HandshakeClient::on_open() {
  if (!lane_.plan.target.post) return done();
  lane_.text.clear();
  lane_.plan.mix->write(lane_.plan.mix->pick(lane_.random.uniform()), 1, lane_.text);
  say(lane_.text);
  wake_at(lane_.now_ns() + lane_.plan.timeout_ns);
}

void HandshakeClient::on_message(const Message& message) {
  switch (rpc::classify_answer(message.head, message.tail).kind) {
    case rpc::Answer::Kind::result:
      return done();
    case rpc::Answer::Kind::error:
      return lose(Trouble::rpc_error, rpc_error_text(message.head));
    default:
      return lose(Trouble::protocol, "a message that is not a JSON-RPC answer");
  }
}

void HandshakeClient::done() {
  succeeded_ = true;
  if (is_counted_) (void)lane_.good(since_start_ns(), tally_.latency);
  leave();
}

void HandshakeClient::on_end() {
  if (!is_counted_) return;
  is_counted_ = false;
  --lane_.calls_in_flight;
  lane_.finish_call();
}

}  // namespace ringwall::load
