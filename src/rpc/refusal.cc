#include <ringwall/check.h>
#include <ringwall/rpc/refusal.h>

#include <charconv>
#include <cstring>
#include <string_view>
#include <utility>

namespace ringwall::rpc {
namespace {

struct Text {
  Code code;
  std::string_view message;
};

Text text_of(Reason reason) {
  switch (reason) {
    case Reason::unsafe_:
      return {Code::method_not_found, "RPC call is unsafe to be called externally"};
    case Reason::not_offered:
      return {Code::method_not_found, "Method not offered here"};
    case Reason::invalid:
      return {Code::invalid_request, "Invalid request"};
    case Reason::batch_refused:
      return {Code::invalid_request, "batch refused"};
    case Reason::cost_over_burst:
      return {Code::invalid_request, "Costs more than may ever pass at once"};
    case Reason::batch_too_long:
      return {Code::invalid_request, "Too many calls in a batch"};
    case Reason::rate_exceeded:
      return {Code::rate_exceeded, "RPC rate limit exceeded"};
    case Reason::limit_reached:
      return {Code::rate_exceeded, "Too many calls in flight or subscriptions"};
  }
  std::unreachable();
}

class Writer {
 public:
  explicit Writer(std::span<char> out) : out_(out) {}

  Writer& add(std::string_view text) {
    RINGWALL_CHECK(text.size() <= out_.size() - size_);
    std::memcpy(out_.data() + size_, text.data(), text.size());
    size_ += text.size();
    return *this;
  }

  Writer& add(std::int64_t number) {
    const auto [end, error] = std::to_chars(out_.data() + size_, out_.data() + out_.size(), number);
    RINGWALL_CHECK(error == std::errc());
    size_ = static_cast<std::size_t>(end - out_.data());
    return *this;
  }

  Writer& start(std::string_view id) {
    return add(R"({"jsonrpc":"2.0","id":)").add(id.size() <= id_bytes_max ? id : null_id);
  }

  // Up to where `data` may follow.
  Writer& error(std::string_view id, const Text& text) {
    start(id).add(R"(,"error":{"code":)").add(std::to_underlying(text.code));
    return add(R"(,"message":")").add(text.message).add("\"");
  }

  Writer& close() { return add("}}"); }

  Writer& refusal(const Call& call, Reason reason, std::uint32_t retry_after_ms) {
    error(call.id, text_of(reason));
    if (reason == Reason::rate_exceeded) add(R"(,"data":{"retry_after_ms":)").add(retry_after_ms).add("}");
    return close();
  }

  std::size_t size() const { return size_; }
  std::size_t room() const { return out_.size() - size_; }

 private:
  std::span<char> out_;
  std::size_t size_ = 0;
};

}  // namespace

Reason reason_of(Verdict verdict) {
  switch (verdict) {
    case Verdict::allowed:
      return Reason::batch_refused;
    case Verdict::unsafe_:
      return Reason::unsafe_;
    case Verdict::not_offered:
      return Reason::not_offered;
    case Verdict::invalid:
      return Reason::invalid;
  }
  std::unreachable();
}

std::size_t batch_refusal_bytes_max(std::size_t calls) { return 2 + calls * (refusal_bytes_max + 1); }

std::size_t write_bad_message(std::span<char> out, const BadMessage& bad) {
  RINGWALL_CHECK(out.size() >= refusal_bytes_max);
  return Writer(out).error(null_id, {bad.code, bad.why}).close().size();
}

std::size_t write_refusal(std::span<char> out, const Call& call, Reason reason, std::uint32_t retry_after_ms) {
  RINGWALL_CHECK(out.size() >= refusal_bytes_max);
  if (call.form == Call::Form::notification) return 0;
  return Writer(out).refusal(call, reason, retry_after_ms).size();
}

std::size_t write_batch_refusal(std::span<char> out, std::span<const Call> calls, std::span<const Reason> reasons,
                                std::uint32_t retry_after_ms) {
  RINGWALL_CHECK(out.size() >= refusal_bytes_max);
  RINGWALL_CHECK(calls.size() == reasons.size());
  Writer writer(out);
  for (std::size_t i = 0; i < calls.size(); ++i) {
    if (calls[i].form == Call::Form::notification) continue;
    if (writer.room() < batch_refusal_bytes_max(1)) {
      return Writer(out).error(null_id, text_of(Reason::batch_refused)).close().size();
    }
    writer.add(writer.size() == 0 ? "[" : ",").refusal(calls[i], reasons[i], retry_after_ms);
  }
  return writer.size() == 0 ? 0 : writer.add("]").size();
}

std::size_t write_result(std::span<char> out, const Call& call, std::string_view result) {
  RINGWALL_CHECK(out.size() >= result.size() + refusal_bytes_max);
  if (call.form == Call::Form::notification) return 0;
  return Writer(out).start(call.id).add(R"(,"result":)").add(result).add("}").size();
}

}  // namespace ringwall::rpc
