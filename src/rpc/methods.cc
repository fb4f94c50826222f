#include <ringwall/rpc/methods.h>

#include <algorithm>
#include <array>

namespace ringwall::rpc {
namespace {

struct Line {
  std::string_view name;
  Safety safety;
  Kind kind;
  CostClass cost;
  Condition condition;
  std::string_view pair;
};

constexpr Line lines[] = {
#define METHOD(name, safety, kind, cost, condition, pair) \
  {name, Safety::safety, Kind::kind, CostClass::cost, Condition::condition, pair},
#include "known_methods.inc"
#undef METHOD
};

static_assert(std::ranges::is_sorted(lines, {}, &Line::name));
static_assert(std::ranges::adjacent_find(lines, {}, &Line::name) == std::end(lines));
static_assert(std::size(lines) < no_method);

constexpr MethodIndex index_of(std::string_view name) {
  if (name.empty()) return no_method;
  return static_cast<MethodIndex>(std::ranges::lower_bound(lines, name, {}, &Line::name) - std::begin(lines));
}

constexpr auto methods = [] {
  std::array<Method, std::size(lines)> all{};
  std::ranges::transform(lines, all.begin(), [](const Line& line) {
    return Method{line.name, line.safety, line.kind, line.cost, line.condition, index_of(line.pair)};
  });
  return all;
}();

// A call has no pair; of a subscribe it is an unsubscribe, and the other way round.
constexpr bool is_well_paired(const Method& method) {
  if (method.kind == Kind::call) return method.pair == no_method;
  const Kind other = method.kind == Kind::subscribe ? Kind::unsubscribe : Kind::subscribe;
  return method.pair < methods.size() && methods[method.pair].kind == other;
}
static_assert(std::ranges::equal(lines, methods, [](const Line& line, const Method& method) {
  return line.pair.empty() || methods[method.pair].name == line.pair;
}));
static_assert(std::ranges::all_of(methods, is_well_paired));

}  // namespace

std::span<const Method> known_methods() { return methods; }

}  // namespace ringwall::rpc
