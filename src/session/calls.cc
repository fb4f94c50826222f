// What becomes of a client's message: it goes on, is answered here, or is kept back for a while; and what the node's
// answers say of the calls that went on.
#include <ringwall/session/session.h>

#include <algorithm>
#include <utility>

namespace ringwall::session {

namespace {

using websocket::ClientMessages;
using websocket::CloseCode;
using websocket::Opcode;

constexpr std::uint64_t ns_per_ms = 1'000'000;
constexpr std::uint64_t request_units = 1;  // of what is no call, but asks something of the node
// Of a client that does not take our answers, or whose node is in the middle of one: then no more of it is read.
constexpr std::size_t owed_bytes_max = 64 * 1024;

std::string_view text_of(std::span<const std::byte> payload) {
  return {reinterpret_cast<const char*>(payload.data()), payload.size()};
}

// Whole seconds, at least one.
std::string retry_after(std::uint32_t ms) {
  return std::to_string(std::max<std::uint64_t>(1, (std::uint64_t{ms} + 999) / 1000));
}

}  // namespace

Session::Fate Session::judge_message(const ClientMessages::Event& event) {
  const std::uint64_t now_ns = service_.resources.ring.now_ns();
  const std::string_view text = text_of(event.payload);
  const Ruling ruling =
      service_.guard.judge(text, {.connection = quota_, .unpaid_bytes = &unpaid_bytes_}, true, now_ns);
  return follow(ruling, event, now_ns);
}

// Carried out, or kept back if it may wait. `event` without a frame is a message that is kept already, or assembled.
Session::Fate Session::follow(const Ruling& ruling, const ClientMessages::Event& event, std::uint64_t now_ns) {
  const std::string_view text = text_of(event.payload);
  if (!ruling.may_wait) return carry_out(ruling, text.size());
  if (keeps_back(ruling.decision, now_ns) && keep_message(event)) {
    relay_->kept_request = ruling.request;
    relay_->kept_is_unread = ruling.is_unread;
    return Fate::keep_back;
  }
  relay_->kept_since_ns = relay_->kept_until_ns = 0;
  return carry_out(service_.guard.settle(text, ruling.is_unread, quota_, ruling.decision), text.size());
}

Session::Fate Session::carry_out(const Ruling& ruling, std::size_t message_bytes) {
  Guard& guard = service_.guard;
  note_ruling(ruling);
  switch (ruling.kind) {
    case Ruling::Kind::forward:
      count_forwarded(ruling);
      note_calls(ruling, message_bytes);
      return Fate::forward;
    case Ruling::Kind::tell_methods: {
      const std::string_view told = guard.tell(ruling, *service_.methods_text(*place_));
      return told.empty() || reply(told) ? Fate::drop : Fate::close;
    }
    case Ruling::Kind::answer:
      break;
  }
  service_.tell_unknown_names();
  if (!ruling.reply.empty() && !reply(ruling.reply)) return Fate::close;
  return guard.admission.is_to_be_closed(quota_) ? Fate::close : Fate::drop;
}

void Session::note_calls(const Ruling& ruling, std::size_t message_bytes) {
  if (!ruling.is_batch) {
    return relay_->calls.add(ruling.calls.front(), ruling.decisions.front(), message_bytes,
                             service_.resources.ring.now_ns());
  }
  relay_->calls.add_batch(ruling.request.answers, ruling.request.subscriptions);
}

// Whether a message over the rate waits; if so, until when.
bool Session::keeps_back(const quota::Decision& decision, std::uint64_t now_ns) {
  const std::uint64_t since_ns = relay_->kept_since_ns == 0 ? now_ns : relay_->kept_since_ns;
  const std::uint64_t until_ns = now_ns + decision.retry_after_ms * ns_per_ms;
  if (until_ns > since_ns + service_.config.limits.delay_ms_max * ns_per_ms) return false;
  relay_->kept_since_ns = since_ns;
  relay_->kept_until_ns = until_ns;
  return true;
}

// Room for a message that is kept back, which is then as one that was assembled. False: there is none.
bool Session::keep_message(const ClientMessages::Event& event) {
  if (event.frame.empty()) return true;  // assembled already
  const std::size_t bytes = websocket::frame_header_bytes_max + event.payload.size();
  if (relay_->charge.grow(bytes) != AssemblyBudget::Answer::given) return false;
  if (!relay_->messages.grow(bytes)) {
    relay_->charge.release();
    return false;
  }
  relay_->messages.keep(event);
  return true;
}

void Session::drop_assembled() {
  relay_->messages.drop_message();
  relay_->charge.release();
}

void Session::retry_kept() {
  const std::uint64_t now_ns = service_.resources.ring.now_ns();
  Guard& guard = service_.guard;
  Relay& relay = *relay_;
  const quota::Decision decision = guard.admission.try_charge(quota_, relay.kept_request, now_ns);
  if (!decision.given && decision.retry_after_ms > 0 && keeps_back(decision, now_ns)) return;
  ClientMessages::Event event;
  event.payload = relay.messages.ready_payload();
  const std::string_view text = text_of(event.payload);
  const Fate fate = decision.given && relay.kept_is_unread
                        ? follow(guard.judge_paid(text, {.connection = quota_}, true, 0, now_ns), event, now_ns)
                        : carry_out(guard.settle(text, relay.kept_is_unread, quota_, decision), text.size());
  if (fate == Fate::keep_back) return;
  relay.kept_since_ns = relay.kept_until_ns = 0;
  if (fate == Fate::forward) {
    forward_assembled();
  } else {
    drop_assembled();
  }
  if (fate == Fate::close) return close_refused();
  resume_client();
}

void Session::close_refused() {
  if (state_ != State::relay) return;
  if (!service_.guard.admission.is_to_be_closed(quota_)) {
    return close_both(EndReason::memory_bound, CloseCode::try_again_later, "out of memory", CloseCode::going_away, {});
  }
  close_both(EndReason::over_limit, CloseCode::policy_violation, "too many calls were refused", CloseCode::going_away,
             {});
}

// What is to be read of the client waits: for memory, for its rate, or until it has taken what it is owed.
bool Session::is_holding() const {
  return waits_for_memory_ || (relay_ && (relay_->kept_since_ns != 0 || relay_->owed.size() > owed_bytes_max));
}

// What comes of it has to wait behind what is here.
bool Session::is_behind() const {
  return is_holding() && (waits_for_memory_ || relay_->kept_since_ns == 0 || !relay_->held.empty());
}

void Session::resume_client() {
  if (state_ != State::relay || is_holding()) return;
  relay_held();
  update_client_receiving();
}

// Our own answer, as soon as no message of the node is under way. False: there is no memory for it.
bool Session::reply(std::string_view text) {
  std::array<std::byte, websocket::frame_header_bytes_max> header;
  const std::size_t header_bytes = websocket::write_frame_header(header, true, Opcode::text, text.size());
  Relay& relay = *relay_;
  if (relay.owed.empty() && !relay.frames.inside_message() && !client_.is_congested()) {
    client_.send_copy(std::span(header).first(header_bytes));
    client_.send_copy(text);
    return true;
  }
  const std::size_t needed = relay.owed.size() + header_bytes + text.size();
  if (needed > relay.owed.capacity()) {
    const std::size_t capacity = std::max(needed, 2 * relay.owed.capacity());
    if (!service_.resources.backlog.take(share_, capacity - relay.owed_charged)) return false;
    relay.owed_charged = capacity;
    relay.owed.reserve(capacity);
  }
  relay.owed.append(reinterpret_cast<const char*>(header.data()), header_bytes).append(text);
  return true;
}

void Session::send_owed() {
  Relay& relay = *relay_;
  if (relay.owed.empty() || relay.frames.inside_message() || client_.is_congested()) return;
  client_.send_copy(relay.owed);
  forget_owed();
  resume_client();
}

void Session::forget_owed() {
  if (!relay_) return;
  service_.resources.backlog.give_back(share_, std::exchange(relay_->owed_charged, 0));
  std::string().swap(relay_->owed);
}

// From the node ----------------------------------------------------------------------------------------------------

void Session::on_payload(std::span<const std::byte> piece, bool ends_message) {
  owe_for(piece.size());
  service_.counters.from_nodes.data += ends_message ? 1 : 0;
  relay_->answers.add(piece, ends_message, [this](std::string_view head, std::string_view tail) {
    const CallTable::Ended ended =
        relay_->calls.answer(rpc::classify_answer(head, tail), service_.resources.ring.now_ns());
    if (ended.is_timed) service_.counters.call_duration[static_cast<std::size_t>(ended.cost)].observe(ended.latency_ns);
    quota::Admission& admission = service_.guard.admission;
    if (ended.calls > 0) admission.answered(quota_, ended.calls);
    if (ended.subscriptions > 0) admission.unsubscribed(quota_, ended.subscriptions);
  });
}

void Session::owe_for(std::uint64_t answer_bytes) {
  const std::uint64_t bytes_per_unit = service_.config.limits.answer_bytes_per_unit;
  if (bytes_per_unit == 0) return;
  answer_bytes_ += answer_bytes;
  const std::uint64_t units = answer_bytes_ / bytes_per_unit;
  if (units == 0) return;
  answer_bytes_ %= bytes_per_unit;
  const std::uint64_t now_ns = service_.resources.ring.now_ns();
  quota::Admission& admission = service_.guard.admission;
  if (address_ == payer_) return admission.owe(quota_, units, now_ns);
  quota::Client client = admission.client(address_, now_ns);
  admission.owe(client, units, now_ns);
}

// By HTTP ----------------------------------------------------------------------------------------------------------

// What a request costs that is no call, to the one that it comes from.
bool Session::charge_request() {
  const std::uint64_t now_ns = service_.resources.ring.now_ns();
  quota::Admission& admission = service_.guard.admission;
  const quota::Request request{.units = request_units, .answers = 0};
  quota::Decision decision;
  if (address_ == payer_) {
    decision = admission.charge(quota_, request, now_ns);
  } else {
    quota::Client client = admission.client(address_, now_ns);
    decision = admission.charge(client, request, now_ns);
  }
  if (!decision.given) refuse_for_limit(decision);
  return decision.given;
}

// An upgrade through a trusted proxy is its client's: a connection of that one from here.
bool Session::pass_on_place() {
  if (address_ == payer_) return true;
  const std::uint64_t now_ns = service_.resources.ring.now_ns();
  quota::Admission& admission = service_.guard.admission;
  const quota::Decision decision = admission.pass_on(quota_, admission.client(address_, now_ns), now_ns);
  if (decision.given) {
    payer_ = address_;
    return true;
  }
  ++service_.guard.counters.proxied_refused;
  refuse_for_limit(decision);
  return false;
}

void Session::refuse_for_limit(const quota::Decision& decision) {
  note_limited(decision.reason);
  const std::string seconds = retry_after(decision.retry_after_ms);
  const http::Header fields[] = {{"Retry-After", seconds}, {"Access-Control-Allow-Origin", "*"}};
  answer({.status = 429,
          .body = "too many requests or connections of this address: try again later\n",
          .keep_alive = false,
          .extra = fields},
         EndReason::over_limit);
}

// False: the body's calls are answered here.
bool Session::judge_body(std::string_view body) {
  Request& request = *request_;
  const std::uint64_t now_ns = service_.resources.ring.now_ns();
  Guard& guard = service_.guard;
  quota::Client client;
  Payer payer{.connection = quota_, .unpaid_bytes = &unpaid_bytes_};
  if (address_ != payer_) {
    client = guard.admission.client(address_, now_ns);
    payer.client = &client;
  }
  const Ruling ruling = guard.judge(body, payer, false, now_ns);
  note_ruling(ruling);
  if (ruling.kind == Ruling::Kind::forward) {
    count_forwarded(ruling);
    request.asked_ns = ruling.is_batch ? 0 : now_ns;
    request.cost = ruling.decisions.front().cost;
    return true;
  }
  service_.tell_unknown_names();
  const std::string_view text = ruling.kind == Ruling::Kind::tell_methods
                                    ? guard.tell(ruling, *service_.methods_text(*request.node))
                                    : ruling.reply;
  const std::string seconds = retry_after(ruling.retry_after_ms);
  const http::Header fields[] = {{"Access-Control-Allow-Origin", "*"}, {"Retry-After", seconds}};
  answer({.status = ruling.over_rate ? 429 : 200,
          .content_type = "application/json",
          .body = text,
          .keep_alive = request.client_keeps_alive && !guard.admission.is_to_be_closed(quota_),
          .extra = std::span(fields).first(ruling.over_rate ? 2 : 1)});
  if (state_ != State::ending) enter_head();
  return false;
}

}  // namespace ringwall::session
