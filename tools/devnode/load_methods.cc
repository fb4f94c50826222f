// Methods that no node has: answers and pushes of chosen size and pace.
#include "devnode/methods.h"
#include "devnode/push.h"

namespace ringwall::devnode {

namespace {

constexpr std::uint64_t second_ns = 1'000'000'000;

Outcome echo(Call& call) {
  call.result.append(call.params.raw());
  return {};
}

// Checked ahead, so that an answer that cannot go out is not made.
Outcome check_fits(const Call& call, std::uint64_t bytes) {
  const std::size_t most = call.node.options.response_bytes_max;
  if (bytes > most) return std::unexpected(response_too_big(most));
  return {};
}

Outcome answer_bytes(Call& call) {
  const auto value = call.params.at(0);
  std::uint64_t bytes = 0;
  if (!value || value->get(bytes) != simdjson::SUCCESS) return std::unexpected(invalid_params("a size was expected"));
  if (auto fits = check_fits(call, bytes); !fits) return fits;
  append_fill(call.result, call.node, bytes);
  return {};
}

std::expected<Pace, RpcError> pace_param(const Call& call) {
  simdjson::dom::object object;
  const auto first = call.params.at(0);
  const auto given = first ? first : call.params.value();
  if (!given || given->get(object) != simdjson::SUCCESS) return std::unexpected(invalid_params("a pace was expected"));
  std::uint64_t bytes = 0, per_second = 0, interval_us = 0, count = 0;
  if (object["bytes"].get(bytes) != simdjson::SUCCESS) return std::unexpected(invalid_params("\"bytes\" was expected"));
  const bool has_rate = object["per_second"].get(per_second) == simdjson::SUCCESS;
  const bool has_interval = object["interval_us"].get(interval_us) == simdjson::SUCCESS;
  if (has_rate == has_interval) {
    return std::unexpected(invalid_params("either \"per_second\" or \"interval_us\" was expected"));
  }
  if (has_rate ? per_second == 0 || per_second > second_ns : interval_us == 0 || interval_us > second_ns) {
    return std::unexpected(invalid_params("a pace is between 1 and a thousand million"));
  }
  if (const auto error = object["count"].get(count); error != simdjson::SUCCESS && error != simdjson::NO_SUCH_FIELD) {
    return std::unexpected(invalid_params("\"count\" is a number"));
  }
  return Pace{
      .fill_bytes = bytes, .interval_ns = has_rate ? second_ns / per_second : interval_us * 1000, .count = count};
}

Outcome subscribe_push(Call& call) {
  const auto subscriptions = subscriptions_of(call);
  if (!subscriptions) return std::unexpected(subscriptions.error());
  const auto pace = pace_param(call);
  if (!pace) return std::unexpected(pace.error());
  if (auto fits = check_fits(call, pace->fill_bytes); !fits) return fits;
  const auto id = (*subscriptions)->add_push(*pace);
  if (!id) return std::unexpected(id.error());
  call.result.append_quoted(*id);
  return {};
}

constexpr Method methods[] = {
    {.name = "dev_bytes", .run = answer_bytes},
    {.name = "dev_subscribePush", .run = subscribe_push},
    {.name = "dev_unsubscribePush", .run = unsubscribe<Topic::push>},
    {.name = "echo", .run = echo},
};

}  // namespace

std::span<const Method> load_methods() { return methods; }

}  // namespace ringwall::devnode
