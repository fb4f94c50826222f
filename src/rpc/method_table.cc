#include <ringwall/check.h>
#include <ringwall/limits.h>
#include <ringwall/rpc/method_table.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <optional>

#include "pattern.h"
#include "skip.h"
#include "unescape.h"

namespace ringwall::rpc {
namespace {

// At most eight bytes.
std::uint64_t load(std::string_view bytes) {
  std::uint64_t word = 0;
  if (!bytes.empty()) std::memcpy(&word, bytes.data(), bytes.size());
  return word;
}

// Its start, middle and end tell nearly all names apart; two that agree in them share a run of slots.
std::uint64_t hash(std::string_view name) {
  constexpr std::uint64_t odd = 0x9E37'79B9'7F4A'7C15;
  if (name.size() < 8) return (load(name) ^ name.size()) * odd;
  std::uint64_t mixed = (load(name.substr(0, 8)) ^ name.size()) * odd;
  mixed = (std::rotl(mixed, 32) ^ load(name.substr(name.size() / 2 - 4, 8))) * odd;
  return (std::rotl(mixed, 32) ^ load(name.substr(name.size() - 8))) * odd;
}

std::optional<std::size_t> place_of_runtime_api(Condition condition) {
  switch (condition) {
    case Condition::runtime_api_at_0:
      return 0;
    case Condition::runtime_api_at_1:
      return 1;
    case Condition::runtime_api_at_2:
      return 2;
    default:
      return std::nullopt;
  }
}

bool names_runtime_api(std::string_view params, std::size_t place, const std::vector<std::string>& allowed) {
  const std::string_view value = json::element(params, place);
  if (!value.starts_with('"')) return false;
  std::array<char, 256> name;
  const auto size = json::unescape(value.substr(1, value.size() - 2), name);
  return size && any_matches(allowed, {name.data(), *size});
}

// What the policy alone says.
Verdict by_policy(Policy policy, const Method* known) {
  if (policy == Policy::all) return Verdict::allowed;
  if (known == nullptr) return policy == Policy::open ? Verdict::allowed : Verdict::not_offered;
  return known->safety == Safety::unsafe_ ? Verdict::unsafe_ : Verdict::allowed;
}

// What is not known here is what it is called: eth_subscribe, and a parachain's own subscriptions.
Kind kind_by_name(std::string_view name) {
  const std::string_view verb = name.substr(name.find('_') + 1);
  return verb.starts_with("subscribe")     ? Kind::subscribe
         : verb.starts_with("unsubscribe") ? Kind::unsubscribe
                                           : Kind::call;
}

std::uint32_t class_units(const MethodSettings& settings, const Method* known) {
  if (known == nullptr || known->cost == CostClass::normal) return settings.normal_units;
  return known->cost == CostClass::cheap ? settings.cheap_units : settings.heavy_units;
}

// The pattern that says most about the name: itself, else the longest prefix.
const MethodCost* named_cost(const std::vector<MethodCost>& costs, std::string_view name) {
  const MethodCost* best = nullptr;
  for (const MethodCost& cost : costs) {
    if (cost.pattern == name) return &cost;
    if (matches(cost.pattern, name) && (best == nullptr || cost.pattern.size() > best->pattern.size())) best = &cost;
  }
  return best;
}

std::vector<std::string> patterns_of(const std::vector<MethodCost>& costs) {
  std::vector<std::string> patterns;
  for (const MethodCost& cost : costs) patterns.push_back(cost.pattern);
  return patterns;
}

}  // namespace

Result<MethodTable> MethodTable::make(const MethodSettings& settings) {
  for (const auto& checked :
       {check_patterns("allow", settings.allow), check_patterns("deny", settings.deny),
        check_patterns("costs", patterns_of(settings.costs)), check_patterns("runtime_apis", settings.runtime_apis)}) {
    if (!checked) return std::unexpected(checked.error());
  }
  MethodTable table;
  table.settings_ = settings;
  table.add_names();
  table.index_names();
  table.methods_call_ = table.find("rpc_methods");
  return table;
}

void MethodTable::add_names() {
  const auto known = known_methods();
  for (const Method& method : known) {
    names_.emplace_back(method.name);
    rows_.push_back(row_of(method.name, &method));
  }
  const auto add = [&](const std::string& name) {
    if (is_prefix(name) || std::ranges::find(names_, name) != names_.end()) return;
    names_.push_back(name);
    rows_.push_back(row_of(name, nullptr));
  };
  for (const std::string& name : settings_.allow) add(name);
  for (const std::string& name : settings_.deny) add(name);
  for (const MethodCost& cost : settings_.costs) add(cost.pattern);
  // From here on only names that are in no row are looked for among the patterns.
  std::erase_if(settings_.allow, [](const std::string& pattern) { return !is_prefix(pattern); });
  std::erase_if(settings_.deny, [](const std::string& pattern) { return !is_prefix(pattern); });
  std::erase_if(settings_.costs, [](const MethodCost& cost) { return !is_prefix(cost.pattern); });
  static_assert(3 * patterns_max + 1024 < no_method);
  RINGWALL_CHECK(known.size() < 1024);
}

void MethodTable::index_names() {
  slots_.assign(std::bit_ceil(2 * names_.size()), no_method);
  for (std::size_t index = 0; index < names_.size(); ++index) {
    std::size_t slot = first_slot(names_[index]);
    while (slots_[slot] != no_method) slot = (slot + 1) % slots_.size();
    slots_[slot] = static_cast<MethodIndex>(index);
  }
}

std::size_t MethodTable::first_slot(std::string_view name) const {
  return hash(name) >> (64 - std::countr_zero(slots_.size()));
}

MethodIndex MethodTable::find(std::string_view name) const {
  // At most half of the slots are taken, so the walk ends.
  for (std::size_t slot = first_slot(name);; slot = (slot + 1) & (slots_.size() - 1)) {
    const MethodIndex index = slots_[slot];
    if (index == no_method || names_[index] == name) return index;
  }
}

MethodTable::Row MethodTable::row_of(std::string_view name, const Method* known) const {
  Row row = {.verdict = by_policy(settings_.policy, known), .cost_units = class_units(settings_, known)};
  if (const MethodCost* cost = named_cost(settings_.costs, name)) row.cost_units = cost->units;
  if (known != nullptr) {
    row.kind = known->kind;
    row.cost = known->cost;
    row.pair = known->pair;
    row.condition = known->condition;
  } else {
    row.kind = kind_by_name(name);
  }
  // The operator's word stands against a condition of ours, but not against another word of his.
  const bool is_limited = place_of_runtime_api(row.condition) && !settings_.runtime_apis.empty();
  const bool is_named = any_matches(settings_.allow, name);
  if (!is_limited && (is_named || settings_.policy == Policy::all || place_of_runtime_api(row.condition))) {
    row.condition = Condition::none;
  }
  row.is_unknown = row.verdict == Verdict::not_offered;
  if (is_named) row.verdict = Verdict::allowed;
  if (any_matches(settings_.deny, name)) {
    row.verdict = Verdict::not_offered;
    row.is_unknown = false;
  }
  return row;
}

Verdict MethodTable::on_params(Condition condition, std::string_view params) const {
  switch (condition) {
    case Condition::none:
      return Verdict::allowed;
    case Condition::has_keys: {
      const std::string_view keys = json::element(params, 0);
      return !json::element(keys, 0).empty() ? Verdict::allowed : Verdict::unsafe_;
    }
    case Condition::unbounded:
      return Verdict::unsafe_;
    default:
      return names_runtime_api(params, *place_of_runtime_api(condition), settings_.runtime_apis) ? Verdict::allowed
                                                                                                 : Verdict::not_offered;
  }
}

Decision MethodTable::decide(const Call& call) const {
  Decision decision;
  decision.method = find(call.method);
  const Row row = decision.method == no_method ? row_of(call.method, nullptr) : rows_[decision.method];
  decision.verdict = row.verdict;
  decision.kind = row.kind;
  decision.cost = row.cost;
  decision.cost_units = row.cost_units;
  decision.pair = row.pair;
  decision.is_unknown = row.is_unknown;
  if (row.verdict == Verdict::allowed && row.condition != Condition::none) {
    decision.verdict = on_params(row.condition, call.params);
  }
  if (call.form == Call::Form::invalid) decision.verdict = Verdict::invalid;
  return decision;
}

Verdict MethodTable::verdict_on(std::string_view method) const {
  const MethodIndex index = find(method);
  const Row row = index == no_method ? row_of(method, nullptr) : rows_[index];
  return row.condition == Condition::unbounded && row.verdict == Verdict::allowed ? Verdict::unsafe_ : row.verdict;
}

std::string MethodTable::methods_result(std::span<const std::string> offered) const {
  std::vector<std::string_view> allowed;
  const auto consider = [&](std::string_view name) {
    if (is_name(name) && verdict_on(name) == Verdict::allowed) allowed.push_back(name);
  };
  for (const std::string& name : offered) consider(name);
  if (offered.empty()) {
    for (const Method& method : known_methods()) consider(method.name);
  }
  std::ranges::sort(allowed);
  const auto repeated = std::ranges::unique(allowed);
  allowed.erase(repeated.begin(), repeated.end());

  std::string text = "{\"methods\":[";
  for (const std::string_view name : allowed) {
    if (text.back() != '[') text += ',';
    text.append("\"").append(name).append("\"");
  }
  return text += "]}";
}

}  // namespace ringwall::rpc
