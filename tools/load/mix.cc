#include "load/mix.h"

#include <ringwall/check.h>
#include <ringwall/rpc/methods.h>

#include <algorithm>
#include <charconv>
#include <map>
#include <utility>

namespace ringwall::load {

namespace {

// An entry by weight: `cumulative` are the weights, each added to those before it.
std::size_t pick_from(const std::vector<double>& cumulative, double uniform) {
  const auto found = std::ranges::upper_bound(cumulative, uniform * cumulative.back());
  return std::min(static_cast<std::size_t>(found - cumulative.begin()), cumulative.size() - 1);
}

void append_weight(std::vector<double>& cumulative, double weight) {
  cumulative.push_back((cumulative.empty() ? 0 : cumulative.back()) + weight);
}

// From [0, 1), evenly over neighbouring ids. Source: SplitMix64 (Steele, Lea, Flood 2014).
double spread(std::uint64_t id) {
  std::uint64_t bits = id + 0x9E37'79B9'7F4A'7C15;
  bits = (bits ^ (bits >> 30)) * 0xBF58'476D'1CE4'E5B9;
  bits = (bits ^ (bits >> 27)) * 0x94D0'49BB'1331'11EB;
  bits ^= bits >> 31;
  return static_cast<double>(bits >> 11) * 0x1p-53;
}

const rpc::Method* known(std::string_view method) {
  const auto all = rpc::known_methods();
  const auto found = std::ranges::lower_bound(all, method, {}, &rpc::Method::name);
  return found != all.end() && found->name == method ? &*found : nullptr;
}

// The pairs that nodes use beside those that are known: eth_subscribe, subscribe_newHead, pallet_subscribeThing.
std::string guessed_unsubscribe(std::string_view method) {
  constexpr std::string_view word = "subscribe";
  const std::size_t at = method.find(word);
  return std::string(method.substr(0, at)) + "un" + std::string(method.substr(at));
}

}  // namespace

void complete_subscription(MixCall& call) {
  if (const rpc::Method* method = known(call.method)) {
    call.subscribes = method->kind == rpc::Kind::subscribe;
    if (call.subscribes) call.unsubscribe_method = rpc::known_methods()[method->pair].name;
  } else if (call.method.find("subscribe") != std::string::npos && !ends_subscription(call.method)) {
    call.subscribes = true;
    call.unsubscribe_method = guessed_unsubscribe(call.method);
  }
}

bool ends_subscription(std::string_view method) {
  if (const rpc::Method* found = known(method)) return found->kind == rpc::Kind::unsubscribe;
  return method.find("unsubscribe") != std::string_view::npos;
}

Mix::Mix(std::vector<MixCall> lines) {
  RINGWALL_CHECK(!lines.empty());
  const bool is_by_line = lines.size() <= line_calls_max;
  // Lines with bounds of their own for the answer stay apart: the bound is the row's.
  std::map<std::pair<std::string, std::optional<std::uint64_t>>, std::size_t> row_of;
  std::map<std::string, std::size_t> times_seen;
  for (const MixCall& line : lines) {
    const auto key = std::pair(line.method, line.answer_bytes);
    const auto found = is_by_line ? row_of.end() : row_of.find(key);
    if (found != row_of.end()) {
      add_line(line, found->second);
      continue;
    }
    row_of[key] = calls_.size();
    MixCall& call = calls_.emplace_back(line);
    lines_.emplace_back();
    const std::size_t time = ++times_seen[line.method];
    call.name = time == 1 ? line.method : line.method + "#" + std::to_string(time);
    call.weight = 0;
    add_line(line, calls_.size() - 1);
  }
  for (const MixCall& call : calls_) append_weight(cumulative_, call.weight);
}

void Mix::add_line(const MixCall& line, std::size_t index) {
  calls_[index].weight += line.weight;
  append_weight(lines_[index].cumulative, line.weight);
  lines_[index].after_id.push_back(",\"method\":\"" + line.method + "\",\"params\":" + line.params + "}");
}

Result<std::shared_ptr<const Mix>> Mix::of_one(MixCall call) {
  complete_subscription(call);
  return std::shared_ptr<const Mix>(new Mix({std::move(call)}));
}

bool Mix::subscribes() const {
  return std::ranges::any_of(calls_, [](const MixCall& call) { return call.subscribes; });
}

std::shared_ptr<const Mix> Mix::without_subscriptions() const {
  std::shared_ptr<Mix> rest(new Mix(*this));
  rest->calls_.clear();
  rest->cumulative_.clear();
  rest->lines_.clear();
  for (std::size_t index = 0; index < calls_.size(); ++index) {
    if (calls_[index].subscribes) continue;
    rest->calls_.push_back(calls_[index]);
    rest->lines_.push_back(lines_[index]);
    append_weight(rest->cumulative_, calls_[index].weight);
  }
  return rest->calls_.empty() ? nullptr : rest;
}

std::size_t Mix::pick(double uniform) const { return pick_from(cumulative_, uniform); }

void Mix::write(std::size_t index, std::uint64_t id, std::string& out) const {
  const Lines& lines = lines_[index];
  const std::size_t line = lines.after_id.size() == 1 ? 0 : pick_from(lines.cumulative, spread(id));
  char digits[20];
  const auto end = std::to_chars(digits, digits + sizeof digits, id).ptr;
  out.append(R"({"jsonrpc":"2.0","id":)").append(digits, end).append(lines.after_id[line]);
}

}  // namespace ringwall::load
